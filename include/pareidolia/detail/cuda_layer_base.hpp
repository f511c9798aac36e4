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
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::cuda {

/// What a program is compiled for.
struct program_request {
  std::size_t count = 1;                ///< images
  bool input = false, weights = false;  ///< which gradients it computes besides the scores
  bool tensor_cores = false;
  number stored = number::float32;        ///< what layers with weights read and give, and all before the last of them
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
        types_(types()),
        builder_(request_.count) {}

  /// Their sum, as a value of the shape of `like`.
  std::size_t total(std::vector<std::size_t> const& parts, std::size_t like) {
    std::size_t sum = parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i) {
      std::size_t const next = builder_.add_like(like);
      each("add", {sum, parts[i], next});
      sum = next;
    }
    return sum;
  }
  /// A derivative as the value that it belongs to.
  std::size_t fitted(std::size_t diff, std::size_t v) { return as(builder_.type(v), diff); }

 protected:
  static std::size_t plane(image_shape const& s) { return s[1] * s[2]; }
  /// Is the order of values the same with the channels first and with the channels last?
  static bool in_any_order(image_shape const& s) { return s[0] == 1 || plane(s) == 1; }
  [[nodiscard]] std::size_t slot(std::size_t node) const { return graph_.first_slot[node]; }

  /// Are the factors of its products rounded to `stored`?
  [[nodiscard]] bool multiplies(std::size_t node) const {
    layer::operation const& what = graph_.source.nodes[node].what;
    return std::holds_alternative<layer::convolution>(what) || std::holds_alternative<layer::inner_product>(what);
  }
  /// The kernels for arrays like v.
  template <kernel_source const& Source>
  [[nodiscard]] kernel_library const& kernels_for(std::size_t v) const {
    return kernels<Source>(builder_.type(v));
  }

  /// Pushes a kernel on Values values, with a thread for each of `items`.
  template <std::size_t Values, class... More>
  void each(kernel_library const& library, char const* kernel, std::array<std::size_t, Values> const& values, std::size_t items,
            More... more) {
    builder_.push({values.begin(), values.end()}, [=, &library, count = kernel_count(items)](pointers p) {
      [&]<std::size_t... I>(std::index_sequence<I...>) { library.launch(kernel, count, p[I]..., more...); }
      (std::make_index_sequence<Values>{});
    });
  }
  /// An elementwise kernel (values..., options..., count) of values of one type, over all of the last.
  template <std::size_t Values, class... Options>
  void each(char const* kernel, std::size_t const (&values)[Values], Options... options) {
    std::size_t const last = values[Values - 1], items = builder_.size(last);
    each(kernels_for<elementwise_kernels>(last), kernel, std::to_array(values), items, options..., kernel_count(items));
  }

  /// v as another number.
  std::size_t as(number type, std::size_t v) {
    number const from = builder_.type(v);
    if (from == type) return v;
    std::size_t const y = builder_.add(builder_.shape(v), type), size = builder_.size(v);
    bool const widens = type == number::float32;
    each(kernels<elementwise_kernels>(widens ? from : type), widens ? "to_float_nchw" : "from_float_nchw", std::array{v, y}, size,
         kernel_count(size), 1u, 1u);
    return y;
  }

  /// v with its channels first, then as the shape `as`, channels last again: the same values row by row.
  std::size_t in_shape(std::size_t v, image_shape const& as) {
    image_shape const from = builder_.shape(v);
    if (from == as) return v;
    if (!in_any_order(from)) {
      std::size_t const turned = builder_.add_like(v);
      turn("to_nchw", v, turned, from[0], plane(from));
      v = turned;
    }
    v = builder_.alias(v, as);
    if (in_any_order(as)) return v;
    std::size_t const turned = builder_.add_like(v);
    turn("to_nhwc", v, turned, as[0], plane(as));
    return turned;
  }
  void turn(char const* kernel, std::size_t from, std::size_t to, std::size_t channels, std::size_t plane) {
    std::size_t const size = builder_.size(to);
    each(kernels_for<elementwise_kernels>(to), kernel, std::array{from, to}, size, kernel_count(size), kernel_count(channels),
         kernel_count(plane));
  }

  /// Back through the ReLU behind a layer whose output is `out`, if it was fused into it, and to the number that the layer multiplies.
  std::function<std::size_t(std::size_t)> fused(layer_place const& at, std::size_t out) {
    number const multiplied = multiplies(at.node) ? request_.stored : builder_.type(out);
    if (!at.relu && multiplied == builder_.type(out)) return {};
    return [this, out, relu = at.relu, multiplied](std::size_t diff) {
      if (!relu) return as(multiplied, diff);
      std::size_t const dx = builder_.add_like(out);
      each("relu_backward", {out, diff, dx}, *relu);
      return as(multiplied, dx);
    };
  }

  /// Notes the sums of diff, times v if there is one, over all positions of each channel as the gradient of a parameter.
  void channel_gradient(std::size_t slot, std::size_t diff, std::optional<std::size_t> v = {}) {
    image_shape const s = builder_.shape(diff);
    std::size_t const rows = request_.count * plane(s), channels = s[0], slices = std::clamp<std::size_t>(rows / 64, 1, 64);
    std::size_t const parts = builder_.add_bytes(slices * channels * sizeof(float)), sums = builder_.add_bytes(channels * sizeof(float));
    auto const& library = kernels_for<reduction_kernels>(diff);
    builder_.push({diff, v.value_or(diff), parts}, [=, &library, with = v.has_value()](pointers p) {
      library.launch_blocks("channel_sums", (channels + 31) / 32 * slices, p[0], with ? p[1] : nullptr, p[2], kernel_count(rows),
                            kernel_count(channels), kernel_count(slices));
    });
    each(library, "sum_slices", std::array{parts, sums}, channels, kernel_count(slices), kernel_count(channels));
    note_gradient(slot, sums);
  }
  /// Does a backward follow the forward, so that layers must keep what it reads?
  [[nodiscard]] bool keeps_gradients() const { return request_.input || request_.weights; }
  void note_gradient(std::size_t slot, std::size_t v) { builder_.result().gradients.push_back({slot, v}); }

  /// Scores are floats, and so is what they are made of without another product; the other values are stored.
  [[nodiscard]] std::vector<number> types() const {
    std::vector<number> result(graph_.out.size(), request_.stored);
    for (std::size_t k = result.size(); k-- > 0;) {
      if (k + 1 == result.size()) result[k] = number::float32;
      if (result[k] == number::float32 && !multiplies(k))
        for (std::size_t from : graph_.inputs[k])
          if (from != planned_graph::image) result[from] = number::float32;
    }
    return result;
  }

  device_parameters::content& parameters_;
  planned_graph const& graph_;
  program_request request_;
  std::vector<std::size_t> readers_;  // of each node, watching counts as reading
  std::vector<number> types_;         // of each node's value
  program_builder builder_;
};

}  // namespace pareidolia::detail::cuda
