// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pareidolia {

/// Activations of CPPN nodes; each maps the sum p of a node's weighted inputs into [-1, 1].
enum class cppn_activation : std::uint8_t {
  sine,      ///< sin p
  sigmoid,   ///< 2 (1 / (1 + e^-p) - 1/2)
  gaussian,  ///< e^(-p^2)
  linear     ///< clamp(p, -3, 3) / 3
};

/// What the outputs of a CPPN stand for: one grey value, or (hue, saturation, value), or (hue, lightness, saturation).
enum class cppn_colours : std::uint8_t { grey, hsv, hls };

/// The genotype of a CPPN image (compositional pattern producing network, Stanley 2007): a feed-forward graph, as plain data.
///
/// Nodes are numbered: the inputs x, y, d (distance from the centre) and 1, then the outputs, then the hidden nodes. No connection enters
/// an input, none is there twice, and there is no cycle: every operation here keeps this. The operations that draw do nothing where the
/// graph offers no place for them.
struct cppn_network {
  using index = std::uint32_t;
  static constexpr index inputs = 4, bias = 3;

  struct connection {
    index from, to;
    float gene;  ///< in [0, 1], stands for the weight (2 gene - 1) times the encoding's weight range
  };

  index outputs = 1;
  std::vector<cppn_activation> activations;  ///< of the outputs, then of the hidden nodes
  std::vector<connection> connections;

  [[nodiscard]] index nodes() const { return inputs + static_cast<index>(activations.size()); }
  [[nodiscard]] index hidden() const { return static_cast<index>(activations.size()) - outputs; }

  /// For each node, whether a path leads from it to `node`; `node` itself is one of them.
  [[nodiscard]] std::vector<bool> ancestors(index node) const {
    std::vector<bool> found(nodes());
    std::vector<index> open{node};
    found[node] = true;
    while (!open.empty()) {
      index const to = open.back();
      open.pop_back();
      for (connection const& c : connections)
        if (c.to == to && !found[c.from]) {
          found[c.from] = true;
          open.push_back(c.from);
        }
    }
    return found;
  }

  /// Joins a random node to a random one that is no input, none of its ancestors and not yet its successor.
  void add_connection(random_stream& r) {
    index const from = r.below(nodes());
    std::vector<bool> taken = ancestors(from);
    for (connection const& c : connections)
      if (c.from == from) taken[c.to] = true;
    std::vector<index> targets;
    for (index to = inputs; to < nodes(); ++to)
      if (!taken[to]) targets.push_back(to);
    if (!targets.empty()) connections.push_back({from, targets[r.below(static_cast<index>(targets.size()))], r.uniform()});
  }

  void delete_connection(random_stream& r) {
    if (!connections.empty()) connections.erase(connections.begin() + r.below(static_cast<index>(connections.size())));
  }

  /// Puts a new node in the middle of a random connection; both halves keep its gene.
  void split_connection(cppn_activation activation, random_stream& r) {
    if (connections.empty()) return;
    connection& old = connections[r.below(static_cast<index>(connections.size()))];
    connection const second{nodes(), old.to, old.gene};
    old.to = nodes();
    connections.push_back(second);
    activations.push_back(activation);
  }

  /// Removes a random hidden node and its connections; nothing bridges the gap.
  void delete_node(random_stream& r) {
    if (hidden() == 0) return;
    index const node = inputs + outputs + r.below(hidden());
    std::erase_if(connections, [node](connection const& c) { return c.from == node || c.to == node; });
    for (connection& c : connections) {
      c.from -= c.from > node;
      c.to -= c.to > node;
    }
    activations.erase(activations.begin() + (node - inputs));
  }
};

}  // namespace pareidolia
