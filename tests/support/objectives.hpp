// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/objective.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace pareidolia_test {

using namespace pareidolia;

/// Values of an objective for scores and targets of any kind of tensor.
template <class O>
std::vector<float> values_of(O const& objective, tensor<float, 2> const& y, std::vector<int> const& targets) {
  std::vector<float> v(y.shape()[0], NAN);
  objective.value(as_view(y), targets, value_view<space::host>{v.data(), {v.size()}});
  return v;
}

/// Its seeds.
template <class O>
tensor<float, 2> seeds_of(O const& objective, tensor<float, 2> const& y, std::vector<int> const& targets) {
  auto dy = filled<float, 2>({y.shape()[0], y.shape()[1]}, NAN);
  objective.seed(as_view(y), targets, as_view(dy));
  return dy;
}

/// The seeds of an objective are the limits of difference quotients, for random scores and every target. Steps of h: float quotients err by
/// about h^2 + 1e-6 / h; no two scores of the rows drawn here are nearer than 2 h.
template <class O>
void check_seed(O const& objective) {
  constexpr std::size_t classes = 5;
  constexpr float h = 1e-2f;
  auto y = filled<float, 2>({classes, classes});
  auto stream = rng(8).stream(0);
  for (float& score : y) score = 2 * stream.normal();
  std::vector<int> targets;
  for (int t = 0; t < static_cast<int>(classes); ++t) targets.push_back(t);
  auto const dy = seeds_of(objective, y, targets);
  for (std::size_t k = 0; k < classes; ++k) {
    auto above = y, below = y;
    for (std::size_t i = 0; i < classes; ++i) {
      above(i, k) += h;
      below(i, k) -= h;
    }
    auto const more = values_of(objective, above, targets), less = values_of(objective, below, targets);
    for (std::size_t i = 0; i < classes; ++i) {
      CAPTURE(i);
      CAPTURE(k);
      CHECK(std::abs((more[i] - less[i]) / (2 * h) - dy(i, k)) < 3e-4);
    }
  }
}

}  // namespace pareidolia_test
