// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/rows.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// Coordinates of the vectors that are orthogonal to a unit vector n of R^d: R^(d - 1), by the reflection that has n on the last axis.
class tangent_frame {
 public:
  explicit tangent_frame(std::span<float const> n) : w_(n.begin(), n.end()) {
    double square = 0;
    for (double const v : w_) square += v * v;
    double const length = std::sqrt(square), last = w_.back();
    w_.back() += std::copysign(length, last);
    double const scale = 1 / std::sqrt(square + length * std::abs(last));
    for (double& v : w_) v *= scale;
  }

  /// The tangent v (d) of coordinates x (d - 1); of equal length.
  void raise(std::span<float const> x, std::span<float> v) const {
    double const along = product(x);
    for (std::size_t j = 0; j < x.size(); ++j) v[j] = static_cast<float>(double{x[j]} - along * w_[j]);
    v[x.size()] = static_cast<float>(-along * w_.back());
  }

  /// The coordinates x (d - 1) of v (d), less what of it is along n.
  void lower(std::span<float const> v, std::span<float> x) const {
    double const along = product(v);
    for (std::size_t j = 0; j < x.size(); ++j) x[j] = static_cast<float>(double{v[j]} - along * w_[j]);
  }

 private:
  /// <w, x>, where x has values.
  [[nodiscard]] double product(std::span<float const> x) const {
    double const* const w = w_.data();
    float const* const v = x.data();
    return sum_of(x.size(), [=](std::size_t j) { return w[j] * double{v[j]}; });
  }

  std::vector<double> w_;  // of length sqrt(2): x - <w, x> w is the reflection
};

}  // namespace pareidolia::detail
