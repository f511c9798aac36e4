// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/models/graph.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// The fully connected networks of table 1 of Szegedy et al. 2013 for MNIST: (1, 28, 28) grey in [0, 1], sigmoid hidden units, softmax.
// Their weights are to be trained: train() with layer_decay() of models/decay.hpp. Test errors so reached, and the paper's:
//   fc10          lambda 1e-4               sgd<>{.rate = .02f, .batch = 100, .epochs = 40, .schedule = {1e-3f, .5f}}    7.6 %, 7.4 %
//   fc100_100_10  lambda 1e-5, 1e-5, 1e-6   sgd<>{.rate = .3f, .batch = 50, .epochs = 40}                                1.9 %, 1.64 %
//   fc200_200_10  lambda 1e-5, 1e-5, 1e-6   sgd<>{.rate = .2f, .batch = 20, .epochs = 15}                                1.7 %, 1.54 %
// For lambda = 1 give fc10 a rate of .005: its decay is a curvature of its own.

namespace pareidolia::zoo {

namespace detail {

/// Inner products fc1, fc2 ... with sigmoids between them: hidden layers of these widths, then 10 digits.
inline graph fully_connected(std::string name, std::vector<std::size_t> const& hidden) {
  using namespace layer;
  graph g{.name = std::move(name), .input = {1, 28, 28}, .labels = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
  for (std::size_t i = 0; i < hidden.size(); ++i) {
    g.nodes.push_back({"fc" + std::to_string(i + 1), inner_product{.outputs = hidden[i]}});
    g.nodes.push_back({"sigmoid" + std::to_string(i + 1), activation{function::sigmoid}});
  }
  g.nodes.push_back({"fc" + std::to_string(hidden.size() + 1), inner_product{.outputs = 10}});
  g.nodes.push_back({"softmax", softmax{}});
  return g;
}

}  // namespace detail

/// FC10(lambda): softmax regression, 7,850 parameters.
[[nodiscard]] inline graph fc10() { return detail::fully_connected("fc10", {}); }

/// FC100-100-10: 89,610 parameters.
[[nodiscard]] inline graph fc100_100_10() { return detail::fully_connected("fc100_100_10", {100, 100}); }

/// FC200-200-10: 199,210 parameters.
[[nodiscard]] inline graph fc200_200_10() { return detail::fully_connected("fc200_200_10", {200, 200}); }

}  // namespace pareidolia::zoo
