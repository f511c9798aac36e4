// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/parameters.hpp>
#include <pareidolia/models/weights.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia {

/// A graph and its weights.
struct extended_network {
  graph structure;
  weights parameters;
};

namespace detail {

/// The node whose outputs are the scores, one for each class; what stands behind it leaves each class to itself.
inline std::size_t scoring_node(planned_graph const& g) {
  std::size_t k = g.out.size() - 1;
  while (true) {
    auto const& what = g.source.nodes[k].what;
    if (std::holds_alternative<layer::inner_product>(what)) return k;
    if (auto const* const c = std::get_if<layer::convolution>(&what); c != nullptr && c->groups == 1) return k;
    bool const passes = std::holds_alternative<layer::pooling>(what) || std::holds_alternative<layer::activation>(what) ||
                        std::holds_alternative<layer::clip>(what) || std::holds_alternative<layer::dropout>(what) ||
                        std::holds_alternative<layer::softmax>(what) ||
                        (std::holds_alternative<layer::flatten>(what) && g.in[k][1] * g.in[k][2] == 1);
    std::size_t const from = g.inputs[k].front();
    if (!passes || from == planned_graph::image)
      fail("extended: graph '", g.source.name, "': layer '", g.source.nodes[k].name,
           "' stands between the scores and the layer that makes them; a class can be added where only pooling, activations, dropout, "
           "flatten "
           "and softmax stand behind the last inner product or convolution without groups");
    k = from;
  }
}

}  // namespace detail

/// The network with one class more, named `label` where classes have names: the last inner product or convolution gets one output more.
///
/// The weights of the new output are uniform in +-sqrt(3 / n), n its inputs (as xavier()), its bias is 0; all others stay, so the scores
/// of the old classes do. Of trained weights, this is where training on the new class begins; of others, a network like any.
/// Errors: a graph whose scores do not come from such a layer; an array of that layer that is missing or has another shape.
///
///     auto [structure, parameters] = extended(zoo::googlenet(), read_caffemodel("bvlc_googlenet.caffemodel"), rng{1});  // 1001 classes
[[nodiscard]] inline extended_network extended(graph g, weights w, rng const& random, std::string const& label = "fooling") {
  planned_graph const before = plan(g);
  std::size_t const k = detail::scoring_node(before);
  std::size_t const last = k + 1 < before.out.size() ? before.first_slot[k + 1] : before.slots.size();
  for (std::size_t s = before.first_slot[k]; s < last; ++s) {
    parameter_slot const& slot = before.slots[s];
    parameter array{slot.shape, detail::find_parameter(w, slot, g.name).values};
    std::size_t const row = slot.size / slot.shape.front();
    auto stream = random.stream(0);
    float const bound = slot.shape.size() > 1 ? std::sqrt(3.f / static_cast<float>(row)) : 0.f;
    for (std::size_t j = 0; j < row; ++j) array.values.push_back(bound > 0 ? stream.uniform(-bound, bound) : 0.f);
    ++array.shape.front();
    w.parameters[slot.name] = std::move(array);
  }
  std::visit(
      [](auto& what) {
        if constexpr (requires { what.outputs; }) ++what.outputs;
      },
      g.nodes[k].what);
  if (!g.labels.empty()) g.labels.push_back(label);
  return {std::move(g), std::move(w)};
}

}  // namespace pareidolia
