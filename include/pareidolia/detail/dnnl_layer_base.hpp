// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/dnnl_program.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::onednn {

/// Which gradients a program computes besides the scores.
struct wanted_gradients {
  bool input = false, weights = false;
  friend bool operator==(wanted_gradients const&, wanted_gradients const&) = default;
};

/// What a program is compiled for.
struct program_request {
  std::size_t count = 1;  ///< images
  wanted_gradients wanted;
  bool winograd = true;
  bool bfloat16 = false;             ///< for scores; there are no gradients in it
  std::vector<std::size_t> watched;  ///< nodes whose activations stay readable after a forward
};

/// What the compilers of all kinds of layers share. Each kind becomes forward steps, and tells what its backward steps will be.
class layer_base {
 public:
  layer_base(packed_parameters& parameters, program_request request)
      : parameters_(parameters),
        graph_(parameters.graph()),
        request_(std::move(request)),
        count_(static_cast<dim>(request_.count)),
        readers_(graph_.readers(request_.watched)),
        type_(request_.bfloat16 ? number::bf16 : number::f32),
        builder_(request_.count) {
    weighted_follow_.resize(graph_.out.size());
    for (std::size_t k = graph_.out.size(); k-- > 0;)
      if (weighted_follow_[k] || std::holds_alternative<layer::convolution>(node(k)) ||
          std::holds_alternative<layer::inner_product>(node(k)))
        for (std::size_t from : graph_.inputs[k])
          if (from != planned_graph::image) weighted_follow_[from] = true;
  }

 protected:
  /// The backward half of a layer; each function takes the value with the derivative of the output.
  struct derivative {
    std::function<std::size_t(std::size_t)> prepare;                      ///< through a fused ReLU; empty if none
    std::function<std::size_t(std::size_t)> input;                        ///< gives the derivative of the layer's input
    std::function<void(std::size_t)> weights;                             ///< notes the gradients of its parameters; empty if it has none
    std::function<std::size_t(std::size_t, std::size_t)> one_of_several;  ///< instead of `input`: the derivative of the i-th input
  };
  struct compiled {
    std::size_t out;
    derivative backward;
  };
  struct place {
    std::size_t node;
    std::optional<float> relu;                ///< slope of the ReLU that is fused into the layer
    std::vector<std::size_t> const& sources;  ///< values of all inputs
  };
  [[nodiscard]] layer::operation const& node(std::size_t k) const { return graph_.source.nodes[k].what; }
  [[nodiscard]] bool keeps_gradients() const { return request_.wanted.input || request_.wanted.weights; }
  [[nodiscard]] static dnnl::primitive_attr attributes_of(place const& at) {
    return at.relu ? with_relu(attributes(), *at.relu) : attributes();
  }

  [[nodiscard]] memory_desc image_desc(image_shape const& s, tag layout, number type = number::f32) const {
    return describe({count_, static_cast<dim>(s[0]), static_cast<dim>(s[1]), static_cast<dim>(s[2])}, layout, type);
  }
  /// Row-major, of the rank that d has.
  [[nodiscard]] memory_desc plain_output(memory_desc const& d, image_shape const& s) const {
    return is_matrix(d) ? describe({count_, static_cast<dim>(s[0])}, tag::nc) : image_desc(s, tag::nchw);
  }
  static dims two(layer::extent const& e) { return {static_cast<dim>(e[0]), static_cast<dim>(e[1])}; }

  /// v as images (count, channels, height, width).
  std::size_t as_images(std::size_t v, image_shape const& s) {
    memory_desc const d = builder_.desc(v);
    return is_matrix(d) ? builder_.alias(v, image_desc(s, tag::nchw, type_of(d))) : v;
  }

  /// A derivative as rows of a matrix if the value it belongs to is one: a layer may have read that as images of one pixel.
  std::size_t in_rank_of(std::size_t v, std::size_t diff) {
    memory_desc const rows = builder_.desc(v);
    if (!is_matrix(rows) || is_matrix(builder_.desc(diff))) return diff;
    auto const outputs = static_cast<std::size_t>(static_cast<dim>(rows.get_size() / sizeof(float)) / count_);
    return builder_.alias(builder_.in_layout(diff, image_desc({outputs, 1, 1}, tag::nchw)), rows);
  }

  /// The ReLU behind a layer whose output is `out`, if it was fused into it.
  std::function<std::size_t(std::size_t)> fused(place const& at, std::size_t out) {
    if (!at.relu) return {};
    return [this, out, slope = *at.relu](std::size_t diff) {
      auto const pd = eltwise_backward({dnnl::algorithm::eltwise_relu_use_dst_for_bwd, slope}, builder_.desc(out));
      std::size_t const d = builder_.in_layout(diff, builder_.desc(out)), dx = builder_.add(builder_.desc(out));
      builder_.push<dnnl::eltwise_backward>(pd, {{DNNL_ARG_DST, {out}}, {DNNL_ARG_DIFF_DST, {d}}, {DNNL_ARG_DIFF_SRC, {dx}}});
      return dx;
    };
  }

  /// What a convolution or inner product writes: from the last ones on, everything is float.
  [[nodiscard]] number output_type(std::size_t k) const { return weighted_follow_[k] ? type_ : number::f32; }

  void note_gradients(std::size_t slot, std::size_t dw, std::size_t db) {
    builder_.result().gradients.push_back({slot, dw});
    if (db != program::none) builder_.result().gradients.push_back({slot + 1, db});
  }

  packed_parameters& parameters_;
  planned_graph const& graph_;
  program_request request_;
  dim count_;
  std::vector<std::size_t> readers_;   // of each node, watching counts as reading
  number type_;                        // what convolutions and inner products read
  std::vector<bool> weighted_follow_;  // whether any of them comes after a node
  program_builder builder_;
};

}  // namespace pareidolia::detail::onednn
