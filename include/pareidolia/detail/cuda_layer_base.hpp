// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cublaslt.hpp>
#include <pareidolia/detail/cuda_convolutions.hpp>
#include <pareidolia/detail/cuda_elementwise.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_parameters.hpp>
#include <pareidolia/detail/cuda_pooling.hpp>
#include <pareidolia/detail/cuda_program.hpp>
#include <pareidolia/detail/cuda_reductions.hpp>
#include <pareidolia/detail/graph_walk.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace pareidolia::detail::cuda {

/// What a program is compiled for.
struct program_request {
  std::size_t count = 1;                ///< images
  bool input = false, weights = false;  ///< which gradients it computes besides the scores
  bool tensor_cores = false;
  bool timed = false;                     ///< convolutions are chosen by timing
  std::vector<std::size_t> watched = {};  ///< nodes whose activations stay readable after a forward
};

/// What the compilers of all kinds of layers share.
class layer_base {
 public:
  layer_base(device_parameters::content& parameters, program_request request)
      : parameters_(parameters),
        graph_(parameters.plan()),
        request_(std::move(request)),
        readers_(graph_.readers(request_.watched)),
        builder_(request_.count) {}

  /// Their sum, as a value of the shape of `like`.
  std::size_t total(std::vector<std::size_t> const& parts, std::size_t like) {
    std::size_t sum = parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i) {
      std::size_t const next = builder_.add(builder_.shape(like));
      each<float const, float const, float>("add", {sum, parts[i], next});
      sum = next;
    }
    return sum;
  }
  /// Values of one shape are alike.
  std::size_t fitted(std::size_t diff, std::size_t) const { return diff; }

 protected:
  static std::size_t plane(image_shape const& s) { return s[1] * s[2]; }
  /// Is the order of values the same with the channels first and with the channels last?
  static bool in_any_order(image_shape const& s) { return s[0] == 1 || plane(s) == 1; }
  [[nodiscard]] std::size_t slot(std::size_t node) const { return graph_.first_slot[node]; }

  /// Pushes a kernel on values, whose elements are Pointees, with a thread for each of `items`, which is also its last argument but `more`.
  template <class... Pointees, class... More>
  void each(kernel_library const& library, char const* kernel, std::vector<std::size_t> values, std::size_t items, More... more) {
    builder_.push(std::move(values), [=, &library, count = kernel_count(items)](pointers p) {
      [&]<std::size_t... I>(std::index_sequence<I...>) { library.launch(kernel, count, static_cast<Pointees*>(p[I])..., more...); }
      (std::index_sequence_for<Pointees...>{});
    });
  }
  /// An elementwise kernel (values..., options..., count), over all of the last value.
  template <class... Pointees, class... Options>
  void each(char const* kernel, std::vector<std::size_t> values, Options... options) {
    std::size_t const items = builder_.size(values.back());
    each<Pointees...>(kernels<elementwise_kernels>(), kernel, std::move(values), items, options..., kernel_count(items));
  }

  /// v with its channels first, then as the shape `as`, channels last again: the same values row by row.
  std::size_t in_shape(std::size_t v, image_shape const& as) {
    image_shape const from = builder_.shape(v);
    if (from == as) return v;
    if (!in_any_order(from)) {
      std::size_t const turned = builder_.add(from);
      turn("to_nchw", v, turned, from[0], plane(from));
      v = turned;
    }
    v = builder_.alias(v, as);
    if (in_any_order(as)) return v;
    std::size_t const turned = builder_.add(as);
    turn("to_nhwc", v, turned, as[0], plane(as));
    return turned;
  }
  void turn(char const* kernel, std::size_t from, std::size_t to, std::size_t channels, std::size_t plane) {
    std::size_t const size = builder_.size(to);
    each<float const, float>(kernels<elementwise_kernels>(), kernel, {from, to}, size, kernel_count(size), kernel_count(channels),
                             kernel_count(plane));
  }

  /// The ReLU behind a layer whose output is `out`, if it was fused into it.
  std::function<std::size_t(std::size_t)> fused(layer_place const& at, std::size_t out) {
    if (!at.relu) return {};
    return [this, out, slope = *at.relu](std::size_t diff) {
      std::size_t const dx = builder_.add(builder_.shape(out));
      each<float const, float const, float>("relu_backward", {out, diff, dx}, slope);
      return dx;
    };
  }

  /// Notes the sums of diff, times v if there is one, over all positions of each channel as the gradient of a parameter.
  void channel_gradient(std::size_t slot, std::size_t diff, std::optional<std::size_t> v = {}) {
    image_shape const s = builder_.shape(diff);
    std::size_t const rows = request_.count * plane(s), channels = s[0], slices = std::clamp<std::size_t>(rows / 64, 1, 64);
    std::size_t const parts = builder_.add_bytes(slices * channels * sizeof(float)), sums = builder_.add_bytes(channels * sizeof(float));
    auto const& library = kernels<reduction_kernels>();
    builder_.push({diff, v.value_or(diff), parts}, [=, &library, with = v.has_value()](pointers p) {
      library.launch_blocks("channel_sums", (channels + 31) / 32 * slices, static_cast<float const*>(p[0]),
                            with ? static_cast<float const*>(p[1]) : nullptr, static_cast<float*>(p[2]), kernel_count(rows),
                            kernel_count(channels), kernel_count(slices));
    });
    each<float const, float>(library, "sum_slices", {parts, sums}, channels, kernel_count(slices), kernel_count(channels));
    note_gradient(slot, sums);
  }
  /// Does a backward follow the forward, so that layers must keep what it reads?
  [[nodiscard]] bool keeps_gradients() const { return request_.input || request_.weights; }
  void note_gradient(std::size_t slot, std::size_t v) { builder_.result().gradients.push_back({slot, v}); }

  device_parameters::content& parameters_;
  planned_graph const& graph_;
  program_request request_;
  std::vector<std::size_t> readers_;  // of each node, watching counts as reading
  program_builder builder_;
};

}  // namespace pareidolia::detail::cuda
