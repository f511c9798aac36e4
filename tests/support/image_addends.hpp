// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/objective.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pareidolia_test {

using namespace pareidolia;

inline tensor<float, 4> random_images(std::array<std::size_t, 4> const& shape, std::uint64_t seed) {
  auto x = filled<float, 4>(shape);
  auto stream = rng(seed).stream(0);
  for (float& v : x) v = stream.uniform();
  return x;
}

/// What an addend adds to values that are `before`.
template <class A>
std::vector<float> added_values(A const& addend, tensor<float, 4> const& x, tensor<float, 4> const& canvas, float before = 0) {
  std::vector<float> v(x.shape()[0], before);
  addend.add_value(as_view(x), as_view(canvas), value_view<space::host>{v.data(), {v.size()}});
  return v;
}

/// The gradients of an addend are the limits of difference quotients, and are added to what is there; image i is compared with canvas i mod
/// canvases. Steps of h: quotients of floats err by h^2 times a curvature and 1e-6 / h, of gradients that are about `size`.
template <class A>
void check_gradient(A const& addend, double size) {
  constexpr float h = 1e-2f, before = .5f;
  auto x = random_images({5, 2, 4, 3}, 1);
  auto const canvas = random_images({2, 2, 4, 3}, 2);
  auto dx = filled<float, 4>({5, 2, 4, 3}, before);
  addend.add_gradient(as_view(x), as_view(canvas), as_view(dx));
  double largest = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    CAPTURE(j);
    float const kept = x.data()[j];
    x.data()[j] = kept + h;
    float const above = added_values(addend, x, canvas)[j / 24];
    x.data()[j] = kept - h;
    float const below = added_values(addend, x, canvas)[j / 24];
    x.data()[j] = kept;
    double const slope = double{above - below} / (2 * double{h}), gradient = double{dx.data()[j] - before};
    CHECK(std::abs(gradient - slope) < 5e-3 * size);
    largest = std::max(largest, std::abs(slope));
  }
  CHECK(largest > .3 * size);
}

}  // namespace pareidolia_test
