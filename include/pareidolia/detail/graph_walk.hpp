// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/models/graph.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail {

/// The backward half of a compiled layer; each function takes the value with the derivative of the output.
struct derivative {
  std::function<std::size_t(std::size_t)> prepare;                      ///< through a fused ReLU; empty if none
  std::function<std::size_t(std::size_t)> input;                        ///< gives the derivative of the layer's input
  std::function<void(std::size_t)> weights;                             ///< notes the gradients of its parameters; empty if it has none
  std::function<std::size_t(std::size_t, std::size_t)> one_of_several;  ///< instead of `input`: the derivative of the i-th input
};

/// A layer as steps of a program: the value it gives and its backward half.
struct compiled_layer {
  std::size_t out;
  derivative backward;
};

/// A layer to be compiled.
struct layer_place {
  std::size_t node;
  std::optional<float> relu;                ///< slope of the ReLU that is fused into the layer
  std::vector<std::size_t> const& sources;  ///< values of all inputs
};

/// Do inner products alone read node k? They read rows in any order, so nothing has to be flattened for them.
[[nodiscard]] inline bool only_multiplied(planned_graph const& g, std::vector<std::size_t> const& readers, std::size_t k) {
  std::size_t known = 0;
  for (std::size_t r = k + 1; r < g.out.size(); ++r)
    if (readers[r] > 0 && g.inputs[r].front() == k) {
      auto const is = [&]<class Layer>(Layer) { return std::holds_alternative<Layer>(g.source.nodes[r].what); };
      bool const looks_through = is(layer::dropout{}) || is(layer::flatten{});
      if (!is(layer::inner_product{}) && !(looks_through && only_multiplied(g, readers, r))) return false;
      ++known;
    }
  return known == readers[k];
}

/// Compiles a graph by the functions of an engine: forward, with ReLUs fused into the layers before them, then backward from the scores.
///
/// `Layers` has compile(place, operation) -> compiled_layer; total(values, like), a value with their sum; and fitted(diff, source), the
/// derivative `diff` in the shape of the value it belongs to. Values are numbers that it hands out.
template <class Layers>
class graph_walk {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// `readers` counts the reads of each node; one without any is not compiled.
  graph_walk(Layers& layers, planned_graph const& g, std::vector<std::size_t> const& readers)
      : layers_(layers), graph_(g), readers_(readers) {}

  /// Emits the forward steps. `image`: the value that the first layer reads.
  void forward(std::size_t image) {
    values_.assign(graph_.out.size(), none);
    for (std::size_t k = 0; k < values_.size(); ++k) {
      if (readers_[k] == 0 || values_[k] != none) continue;  // nobody reads it, or it was fused into the one before
      std::size_t const relu = fusible_relu(k);
      std::vector<std::size_t> sources;
      for (std::size_t from : graph_.inputs[k]) sources.push_back(from == planned_graph::image ? image : values_[from]);
      layer_place const place{k, relu == none ? std::nullopt : slope_of(relu), sources};
      auto [out, backward] = layers_.compile(place, graph_.source.nodes[k].what);
      values_[k] = out;
      if (relu != none) values_[relu] = out;
      links_.push_back({k, relu == none ? k : relu, std::move(sources), std::move(backward)});
    }
  }

  /// What node k gives.
  [[nodiscard]] std::size_t value(std::size_t k) const { return values_[k]; }

  /// Emits the backward steps from the seed down to the image. Gives the derivative of the image.
  std::size_t backward_to_image(std::size_t seed, std::size_t image) {
    auto const parts = descend(seed, std::vector<bool>(graph_.out.size() + 1, true), false);
    return layers_.total(parts, image);
  }

  /// Emits the backward steps from the seed down, as far as there are parameters.
  void backward_to_weights(std::size_t seed) {
    std::vector<bool> leads(graph_.out.size() + 1, false);  // is there anything to be learned in or before a node? the image is last
    for (link const& l : links_) {
      bool any = static_cast<bool>(l.backward.weights);
      for (std::size_t from : graph_.inputs[l.node]) any = any || leads[index(from)];
      leads[l.node] = leads[l.gives] = any;
    }
    descend(seed, leads, true);
  }

 private:
  /// A compiled layer: its node, the node whose value it gives (the fused ReLU's, if there is one), what it read, and its backward half.
  struct link {
    std::size_t node, gives;
    std::vector<std::size_t> sources;
    derivative backward;
  };

  [[nodiscard]] std::size_t index(std::size_t k) const { return k == planned_graph::image ? graph_.out.size() : k; }

  /// Gives the derivatives of the image, one from each reader.
  std::vector<std::size_t> descend(std::size_t seed, std::vector<bool> const& leads, bool weights) {
    std::vector<std::vector<std::size_t>> parts(graph_.out.size() + 1);  // derivatives of each node's value, one from each reader
    parts[graph_.out.size() - 1].push_back(seed);
    for (auto l = links_.rbegin(); l != links_.rend(); ++l) {
      if (!leads[l->gives] || parts[l->gives].empty()) continue;  // empty: the scores do not depend on it
      std::size_t diff = layers_.total(parts[l->gives], values_[l->gives]);
      if (l->backward.prepare) diff = l->backward.prepare(diff);
      if (weights && l->backward.weights) l->backward.weights(diff);
      auto const& inputs = graph_.inputs[l->node];
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!leads[index(inputs[i])]) continue;
        std::size_t const dx = l->backward.one_of_several ? l->backward.one_of_several(i, diff) : l->backward.input(diff);
        parts[index(inputs[i])].push_back(layers_.fitted(dx, l->sources[i]));
      }
    }
    return parts.back();
  }

  /// The ReLU that is the only reader of a convolution, inner product or scale, or none.
  [[nodiscard]] std::size_t fusible_relu(std::size_t k) const {
    auto const is = [&]<class Layer>(Layer) { return std::holds_alternative<Layer>(graph_.source.nodes[k].what); };
    if (!(is(layer::convolution{}) || is(layer::inner_product{}) || is(layer::scale{})) || readers_[k] != 1) return none;
    for (std::size_t r = k + 1; r < graph_.out.size(); ++r)
      if (readers_[r] > 0 && graph_.inputs[r].front() == k) return slope_of(r) ? r : none;
    return none;
  }

  /// The slope of node k if it is a ReLU.
  [[nodiscard]] std::optional<float> slope_of(std::size_t k) const {
    auto const* a = std::get_if<layer::activation>(&graph_.source.nodes[k].what);
    return a && a->kind == layer::function::relu ? std::optional(a->slope) : std::nullopt;
  }

  Layers& layers_;
  planned_graph const& graph_;
  std::vector<std::size_t> const& readers_;
  std::vector<std::size_t> values_;  // of each node
  std::vector<link> links_;
};

}  // namespace pareidolia::detail
