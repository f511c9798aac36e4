// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/rows.hpp>

#include <cmath>
#include <cstddef>
#include <span>

// Single vectors of floats; sums are in double.

namespace pareidolia::detail {

[[nodiscard]] inline double dot(std::span<float const> a, std::span<float const> b) {
  float const *x = a.data(), *y = b.data();
  return sum_of(a.size(), [=](std::size_t j) { return double{x[j]} * double{y[j]}; });
}
[[nodiscard]] inline double norm(std::span<float const> a) { return std::sqrt(dot(a, a)); }

/// ||a - b||.
[[nodiscard]] inline double distance(std::span<float const> a, std::span<float const> b) {
  float const *x = a.data(), *y = b.data();
  return std::sqrt(sum_of(a.size(), [=](std::size_t j) {
    double const d = double{x[j]} - double{y[j]};
    return d * d;
  }));
}

/// x = a + t b.
inline void along(std::span<float const> a, double t, std::span<float const> b, std::span<float> x) {
  auto const by = static_cast<float>(t);
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = a[j] + by * b[j];
}

/// v <- v / ||v||, unless v = 0; gives ||v||.
inline double to_unit_length(std::span<float> v) {
  double const length = norm(v);
  if (length > 0)
    for (float& value : v) value = static_cast<float>(double{value} / length);
  return length;
}

/// v <- v - <n, v> n, for a unit n.
inline void remove_component(std::span<float const> n, std::span<float> v) { along(v, -dot(n, v), n, v); }

}  // namespace pareidolia::detail
