// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/dnnl_layers.hpp>
#include <pareidolia/detail/dnnl_program.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::onednn {

/// Compiles a graph for a number of images: walks it forward, then backward from the scores.
class graph_compiler : layer_compiler {
 public:
  using layer_compiler::layer_compiler;

  program compile() {
    program& p = builder_.result();
    p.image = builder_.add(image_desc(graph_.source.input, tag::nchw));
    std::size_t const nodes = graph_.out.size();
    values_.assign(nodes, program::none);
    std::vector<link> links;
    for (std::size_t k = 0; k < nodes; ++k) {
      if (readers_[k] == 0 || values_[k] != program::none) continue;  // nobody reads it, or it was fused into the one before
      std::size_t const relu = fusible_relu(k);
      std::optional<float> const slope = relu == program::none ? std::nullopt : slope_of(relu);
      std::vector<std::size_t> sources;
      for (std::size_t from : graph_.inputs[k]) sources.push_back(from == planned_graph::image ? p.image : values_[from]);
      auto [out, backward] = std::visit([&](auto const& what) { return forward({k, slope, sources}, what, sources.front()); }, node(k));
      values_[k] = out;
      if (relu != program::none) values_[relu] = out;
      links.push_back({k, relu == program::none ? k : relu, std::move(sources), std::move(backward)});
    }
    image_shape const& last = graph_.out.back();
    memory_desc const rows = describe({count_, static_cast<dim>(last[0] * last[1] * last[2])}, tag::nc);
    memory_desc const scores = builder_.desc(values_.back());
    p.scores = builder_.alias(builder_.in_layout(values_.back(), plain_output(scores, last)), rows);
    for (std::size_t k : request_.watched) {
      image_shape const& s = graph_.out[k];
      p.watched.push_back(builder_.in_layout(as_images(values_[k], s), image_desc(s, tag::nchw)));
    }
    p.until.forward = p.until.input = p.until.weights = builder_.steps();
    if (!keeps_gradients()) return builder_.finish();

    p.seed = builder_.add(rows);
    std::size_t const seed = builder_.alias(p.seed, plain_output(scores, last));
    if (request_.wanted.input)
      p.input_gradient = builder_.in_layout(descend(links, seed, false), image_desc(graph_.source.input, tag::nchw));
    p.until.input = builder_.steps();
    if (request_.wanted.weights) descend(links, seed, true);
    p.until.weights = builder_.steps();
    return builder_.finish();
  }

 private:
  /// A compiled layer: its node, the node whose value it gives (the fused ReLU's, if there is one), what it read, and its backward half.
  struct link {
    std::size_t node, gives;
    std::vector<std::size_t> sources;
    derivative backward;
  };

  /// Emits the backward steps from the seed down: to the image, or as far as there are parameters. Gives the derivative of the image.
  std::size_t descend(std::vector<link> const& links, std::size_t seed, bool weights) {
    std::size_t const nodes = graph_.out.size();
    std::vector<std::vector<std::size_t>> parts(nodes + 1);  // derivatives of each node's value, one from each reader; the image is last
    parts[nodes - 1].push_back(seed);
    auto const index = [&](std::size_t k) { return k == planned_graph::image ? nodes : k; };
    // With weights: is there anything to be learned in or before a node?
    std::vector<bool> leads(nodes + 1, !weights);
    if (weights)
      for (link const& l : links) {
        bool any = static_cast<bool>(l.backward.weights);
        for (std::size_t from : graph_.inputs[l.node]) any = any || leads[index(from)];
        leads[l.node] = leads[l.gives] = any;
      }
    for (auto l = links.rbegin(); l != links.rend(); ++l) {
      if (!leads[l->gives] || parts[l->gives].empty()) continue;  // empty: the scores do not depend on it
      std::size_t diff = total(parts[l->gives], values_[l->gives]);
      if (l->backward.prepare) diff = l->backward.prepare(diff);
      if (weights && l->backward.weights) l->backward.weights(diff);
      auto const& inputs = graph_.inputs[l->node];
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!leads[index(inputs[i])]) continue;
        std::size_t const dx = l->backward.one_of_several ? l->backward.one_of_several(i, diff) : l->backward.input(diff);
        parts[index(inputs[i])].push_back(in_rank_of(l->sources[i], dx));
      }
    }
    return weights ? program::none : total(parts.back(), builder_.result().image);
  }

  /// The sum of derivatives that came from several readers of the value v.
  std::size_t total(std::vector<std::size_t> const& parts, std::size_t v) {
    if (parts.size() == 1) return parts.front();
    std::vector<memory_desc> from;
    std::vector<std::pair<int, operand>> operands;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      from.push_back(builder_.desc(parts[i]));
      operands.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), {parts[i]}});
    }
    std::size_t const whole = builder_.add(builder_.desc(v));
    operands.push_back({DNNL_ARG_DST, {whole}});
    builder_.push<dnnl::sum>(sum(builder_.desc(v), from), std::move(operands));
    return whole;
  }

  /// The ReLU that is the only reader of a convolution or inner product, or none.
  [[nodiscard]] std::size_t fusible_relu(std::size_t k) const {
    auto const is = [&]<class Layer>(Layer) { return std::holds_alternative<Layer>(node(k)); };
    if (!(is(layer::convolution{}) || is(layer::inner_product{}) || is(layer::scale{})) || readers_[k] != 1) return program::none;
    for (std::size_t r = k + 1; r < graph_.out.size(); ++r)
      if (readers_[r] > 0 && graph_.inputs[r].front() == k) return slope_of(r) ? r : program::none;
    return program::none;
  }

  /// The slope of node k if it is a ReLU.
  [[nodiscard]] std::optional<float> slope_of(std::size_t k) const {
    auto const* a = std::get_if<layer::activation>(&node(k));
    return a && a->kind == layer::function::relu ? std::optional(a->slope) : std::nullopt;
  }

  std::vector<std::size_t> values_;  // of each node
};

}  // namespace pareidolia::detail::onednn
