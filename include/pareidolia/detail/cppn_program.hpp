// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/encodings/cppn_network.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pareidolia::detail {

/// Values of one node at 256 neighbouring pixels, which are evaluated together: the tiles of 30 nodes stay in the first-level cache.
struct alignas(64) cppn_tile {
  static constexpr std::size_t pixels = 256;
  float values[pixels];
};

/// The inputs x, y and d of every pixel of an image, row by row, in whole tiles.
struct cppn_planes {
  std::size_t pixels;
  std::array<std::vector<cppn_tile>, 3> inputs;

  /// d is always the distance of coordinates in [-1, 1] from the centre; x and y are these or, if `raw`, pixel indices.
  cppn_planes(std::size_t height, std::size_t width, bool raw) : pixels(height * width) {
    for (auto& plane : inputs) plane.resize((pixels + cppn_tile::pixels - 1) / cppn_tile::pixels);
    // Exactly odd around the centre, so that images which should be symmetric are.
    auto const centred = [](std::size_t i, std::size_t size) {
      return size == 1 ? 0.f : (2.f * static_cast<float>(i) - static_cast<float>(size - 1)) / static_cast<float>(size - 1);
    };
    for (std::size_t row = 0, i = 0; row < height; ++row) {
      float const y = centred(row, height);
      for (std::size_t column = 0; column < width; ++column, ++i) {
        float const x = centred(column, width);
        auto const at = [&](std::size_t input) -> float& { return inputs[input][i / cppn_tile::pixels].values[i % cppn_tile::pixels]; };
        at(0) = raw ? static_cast<float>(column) : x;
        at(1) = raw ? static_cast<float>(row) : y;
        at(2) = std::sqrt(x * x + y * y);
      }
    }
  }
};

/// A network in the order of evaluation, without the nodes that reach no output.
///
/// Planes of values are numbered: 0, 1, 2 are x, y, d; plane 3 + k is the result of step k.
struct cppn_program {
  struct term {
    float weight;
    std::uint32_t plane;
  };
  struct step {
    cppn_activation activation;
    float constant;             ///< from the bias input
    std::uint32_t first, last;  ///< of `terms`
  };

  std::vector<step> steps;
  std::vector<term> terms;
  std::vector<std::uint32_t> outputs;  ///< their planes

  /// The connections of the network that the terms stand for, and those that add to the steps' constants: what gradients go back to.
  struct constant_part {
    std::uint32_t step, connection;
  };
  std::vector<std::uint32_t> term_connections;
  std::vector<constant_part> constant_parts;

  /// Replaces the program by that of `network`; its memory is used again. Error: a cycle.
  void compile(cppn_network const& network, float weight_range) {
    using index = cppn_network::index;
    constexpr index inputs = cppn_network::inputs;
    steps.clear();
    terms.clear();
    outputs.clear();
    term_connections.clear();
    constant_parts.clear();
    path_.clear();

    // entering_[begin_[n]] up to entering_[begin_[n + 1]] are the connections that enter node n, by their numbers.
    begin_.assign(network.nodes() + 1, 0);
    for (auto const& c : network.connections) ++begin_[c.to + 1];
    for (index n = 0; n < network.nodes(); ++n) begin_[n + 1] += begin_[n];
    entering_.resize(network.connections.size());
    next_ = begin_;
    for (index k = 0; k < network.connections.size(); ++k) entering_[next_[network.connections[k].to]++] = k;

    // Depth first from each output, sources before their targets.
    constexpr std::uint32_t unseen = ~0u, open = unseen - 1;
    plane_.assign(network.nodes(), unseen);
    for (index i = 0; i < cppn_network::bias; ++i) plane_[i] = i;
    plane_[cppn_network::bias] = cppn_network::bias;  // of no plane: becomes the constant
    next_ = begin_;
    for (index output = inputs; output < inputs + network.outputs; ++output) {
      if (plane_[output] == unseen) path_.push_back(output);
      while (!path_.empty()) {
        index const node = path_.back();
        plane_[node] = open;
        if (next_[node] < begin_[node + 1]) {
          index const source = network.connections[entering_[next_[node]++]].from;
          if (plane_[source] == open) fail("cppn: the network has a cycle through node ", source, "; only feed-forward networks are drawn");
          if (plane_[source] == unseen) path_.push_back(source);
        } else {
          append(network, node, weight_range);
          path_.pop_back();
        }
      }
      outputs.push_back(plane_[output]);
    }
  }

 private:
  void append(cppn_network const& network, cppn_network::index node, float weight_range) {
    plane_[node] = static_cast<std::uint32_t>(3 + steps.size());
    step s{network.activations[node - cppn_network::inputs], 0, static_cast<std::uint32_t>(terms.size()), 0};
    for (std::uint32_t e = begin_[node]; e < begin_[node + 1]; ++e) {
      auto const& connection = network.connections[entering_[e]];
      float const weight = weight_range * (2 * connection.gene - 1);
      if (connection.from == cppn_network::bias) {
        s.constant += weight;
        constant_parts.push_back({static_cast<std::uint32_t>(steps.size()), entering_[e]});
      } else {
        terms.push_back({weight, plane_[connection.from]});
        term_connections.push_back(entering_[e]);
      }
    }
    s.last = static_cast<std::uint32_t>(terms.size());
    steps.push_back(s);
  }

  std::vector<std::uint32_t> begin_, next_, plane_, path_, entering_;
};

}  // namespace pareidolia::detail
