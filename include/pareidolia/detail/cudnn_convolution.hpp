// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cuda_numbers.hpp>
#include <pareidolia/detail/cudnn.hpp>
#include <pareidolia/models/graph.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia::detail::cudnn {

enum class direction { forward, backward_data, backward_filter };

/// One convolution to plan: images x (count, in), filters w, images y (count, out), channels last. `biased`, forward only: a bias for each
/// output follows, then, if there is a slope, a ReLU. All arrays are of the number `stored`, since cuDNN has few plans for mixed ones; what
/// is computed is added up in float and rounded once.
struct convolution_problem {
  direction way = direction::forward;
  std::size_t count = 1;
  image_shape in{}, out{};
  layer::extent kernel{1, 1}, stride{1, 1}, padding{0, 0};
  std::size_t groups = 1;
  bool tensor_cores = false;  ///< products on tensor cores: floats are rounded to the 10 bits of TF32
  cuda::number stored = cuda::number::float32;
  bool biased = false;
  std::optional<float> slope = {};
  friend auto operator<=>(convolution_problem const&, convolution_problem const&) = default;
};

/// How cuDNN will compute one convolution.
class convolution_plan {
 public:
  /// Arrays by which the plan knows what it works on.
  enum array : std::int64_t { x = 1, w = 2, y = 3, bias = 4 };

  explicit convolution_plan(descriptor plan) : plan_(std::move(plan)) {
    for (descriptor const& how : plan_.parts(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, 1))
      for (descriptor const& engine : how.parts(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1))
        for (std::int64_t const index : engine.values<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX)) engine_ = index;
    auto const size = plan_.values<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
    workspace_ = size.empty() ? 0 : static_cast<std::size_t>(size.front());
  }

  [[nodiscard]] std::size_t workspace() const { return workspace_; }  ///< bytes
  [[nodiscard]] std::int64_t engine() const { return engine_; }       ///< which of cuDNN's engines; -1 if it does not tell
  /// What restored_plan() takes; empty where cuDNN cannot write the plan.
  [[nodiscard]] std::string json() const {
    auto const text = plan_.values<char>(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
    return {text.begin(), text.end()};
  }

  /// The arrays, in device memory, and room for the workspace.
  [[nodiscard]] descriptor bind(std::vector<std::int64_t> const& arrays, std::vector<void*> const& data, void* workspace) const {
    descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, arrays)
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, data)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace)
        .finalize("arrays of a convolution were refused");
    return pack;
  }
  void run(session const& on, descriptor const& bound) const {
    check(cudnnBackendExecute(on.get(), plan_.get(), bound.get()), "a convolution could not be started");
  }

 private:
  descriptor plan_;
  std::int64_t engine_ = -1;
  std::size_t workspace_ = 0;
};

namespace graphs {

[[nodiscard]] inline std::int64_t number(std::size_t v) { return static_cast<std::int64_t>(v); }

[[nodiscard]] inline cudnnDataType_t type_of(cuda::number n) {
  return n == cuda::number::float32 ? CUDNN_DATA_FLOAT : n == cuda::number::bfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_HALF;
}

/// An array (d0, d1, d2, d3), the second dimension, channels, last in memory. A virtual one stays inside the graph.
[[nodiscard]] inline descriptor tensor(std::int64_t id, std::array<std::size_t, 4> const& d, cuda::number type, bool is_virtual = false) {
  std::vector<std::int64_t> const dims{number(d[0]), number(d[1]), number(d[2]), number(d[3])};
  std::vector<std::int64_t> const strides{dims[1] * dims[2] * dims[3], 1, dims[3] * dims[1], dims[1]};
  descriptor result(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  result.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, type_of(type))
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims)
      .set(CUDNN_ATTR_TENSOR_STRIDES, strides)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16})
      .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual)
      .finalize("an array of a convolution was refused");
  return result;
}

[[nodiscard]] inline descriptor convolution(convolution_problem const& p) {
  auto const pair = [](layer::extent const& e) { return std::vector<std::int64_t>{number(e[0]), number(e[1])}; };
  descriptor result(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  result.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2})
      .set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, pair(p.padding))
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, pair(p.padding))
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, pair({1, 1}))
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, pair(p.stride))
      .finalize("a convolution was refused");
  return result;
}

/// y = mode(a, b), or mode(a) without a b.
[[nodiscard]] inline descriptor pointwise(cudnnPointwiseMode_t mode, float slope, descriptor const& a, descriptor const* b,
                                          descriptor const& y) {
  descriptor how(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  how.set(CUDNN_ATTR_POINTWISE_MODE, mode).set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  if (mode == CUDNN_POINTWISE_RELU_FWD && slope != 0) how.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, double{slope});
  how.finalize("a pointwise operation was refused");
  descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, a)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  if (b != nullptr) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
  operation.finalize("a pointwise operation was refused");
  return operation;
}

/// The operations of a problem, from x, w and y (and the bias) to the one of them that is computed.
[[nodiscard]] inline std::vector<descriptor> operations(convolution_problem const& p) {
  using plan = convolution_plan;
  descriptor const how = convolution(p);
  std::array<std::size_t, 4> const outputs{p.count, p.out[0], p.out[1], p.out[2]};
  descriptor const x = tensor(plan::x, {p.count, p.in[0], p.in[1], p.in[2]}, p.stored);
  descriptor const w = tensor(plan::w, {p.out[0], p.in[0] / p.groups, p.kernel[0], p.kernel[1]}, p.stored);
  descriptor const y = tensor(plan::y, outputs, p.stored);
  std::vector<descriptor> all;
  if (p.way == direction::forward) {
    bool const relu = p.biased && p.slope;
    auto const inner = [&](std::int64_t id) { return tensor(id, outputs, cuda::number::float32, true); };
    descriptor const product = inner(10), shifted = inner(11);
    descriptor operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, how)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, p.biased ? product : y)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.f)
        .finalize("a convolution was refused");
    all.push_back(std::move(operation));
    if (p.biased) {
      descriptor const b = tensor(plan::bias, {1, p.out[0], 1, 1}, p.stored);
      all.push_back(pointwise(CUDNN_POINTWISE_ADD, 0, product, &b, relu ? shifted : y));
    }
    if (relu) all.push_back(pointwise(CUDNN_POINTWISE_RELU_FWD, *p.slope, shifted, nullptr, y));
  } else if (p.way == direction::backward_data) {
    descriptor operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, how)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, w)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, y)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.f)
        .finalize("the gradient of a convolution's input was refused");
    all.push_back(std::move(operation));
  } else {
    descriptor operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, how)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, w)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, y)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1.f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0.f)
        .finalize("the gradient of a convolution's filters was refused");
    all.push_back(std::move(operation));
  }
  return all;
}

}  // namespace graphs

/// A plan as json() wrote it, by the same version of cuDNN for the same kind of device; none if cuDNN does not take it.
[[nodiscard]] inline std::optional<convolution_plan> restored_plan(std::string_view json, target const& on) {
  descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  on.apply_to_plan(plan);
  try {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, std::span<char const>(json));
  } catch (error const&) {
    return std::nullopt;
  }
  if (!plan.try_finalize()) return std::nullopt;
  return convolution_plan(std::move(plan));
}

/// Up to `most` plans within the limit, those that cuDNN's heuristics think fastest first; none if cuDNN offers none. Plans on tensor cores
/// are left out unless the problem allows them, and those that do not add in float always; one that adds in an order which may change from
/// run to run is given only if there is no other.
[[nodiscard]] inline std::vector<convolution_plan> find_plans(convolution_problem const& p, target const& on, std::size_t most = 1,
                                                              std::size_t most_workspace = std::size_t{1} << 30) {
  constexpr std::size_t most_candidates = 64;
  auto const operations = graphs::operations(p);
  descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  on.apply_to_graph(graph);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations).finalize("a convolution's graph was refused");
  std::vector<convolution_plan> found, reserve;
  for (auto const mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    if (!found.empty()) break;
    descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    on.apply_to_heuristics(heuristics);
    if (!heuristics.try_finalize()) continue;
    for (descriptor const& candidate :
         heuristics.parts(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, most_candidates)) {
      auto const engine = candidate.parts(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
      if (engine.empty()) continue;
      auto const notes = engine.front().values<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE);
      auto const noted = [&](cudnnBackendNumericalNote_t what) { return std::find(notes.begin(), notes.end(), what) != notes.end(); };
      bool const steady = !noted(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
      auto& group = steady ? found : reserve;
      if (!p.tensor_cores && noted(CUDNN_NUMERICAL_NOTE_TENSOR_CORE)) continue;
      if (noted(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION) || group.size() >= most) continue;
      descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, candidate);
      on.apply_to_plan(plan);
      if (!plan.try_finalize()) continue;
      convolution_plan result(std::move(plan));
      if (result.workspace() <= most_workspace) group.push_back(std::move(result));
      if (found.size() == most) return found;
    }
  }
  return found.empty() ? std::move(reserve) : std::move(found);
}

}  // namespace pareidolia::detail::cudnn
