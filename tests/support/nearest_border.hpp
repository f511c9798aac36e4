// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>

#include <support/analytic_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

// How far, at least, an image of a plane_model must move until its class changes, computed without gradients or steps.

namespace pareidolia_test {

/// min ||r||_2 with <w, r> = gap and x + r in [low, high]: r_j = clip(lambda w_j), where lambda is found by bisection, since <w, r> grows
/// with it. Infinite if the box leaves no such r.
[[nodiscard]] inline double distance_in_box(std::vector<double> const& w, double gap, std::span<float const> x, double low = 0,
                                            double high = 1) {
  double below = 0, above = 1e6, square = 0;
  auto const reached = [&](double lambda) {
    double sum = 0;
    square = 0;
    for (std::size_t j = 0; j < w.size(); ++j) {
      double const r = std::clamp(lambda * w[j], low - double{x[j]}, high - double{x[j]});
      sum += w[j] * r;
      square += r * r;
    }
    return sum;
  };
  if (reached(above) < gap) return std::numeric_limits<double>::infinity();
  for (int i = 0; i < 200; ++i) {
    double const middle = (below + above) / 2;
    (reached(middle) < gap ? below : above) = middle;
  }
  reached(above);
  return std::sqrt(square);
}

/// From x to the border between its class and class k. With a curvature, of class 0 and outside all faces of the box: the border is a
/// sphere and x inside it.
[[nodiscard]] inline double distance_to_class(plane_model const& m, std::span<float const> x, std::size_t from, std::size_t k) {
  std::vector<double> w;
  double square = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    w.push_back(m.w[k][j] - m.w[from][j]);
    square += w[j] * w[j];
  }
  double const gap = m.score(from, x) - m.score(k, x);
  if (m.curvature == 0) return distance_in_box(w, gap, x);
  // gap(x + r) = gap(x) - <w + curvature (x - 1/2), r> - curvature / 2 ||r||^2 = 0, x + r = centre + radius u.
  double to_centre = 0;
  for (std::size_t j = 0; j < x.size(); ++j) to_centre += std::pow(double{x[j]} - .5 + w[j] / m.curvature, 2);
  return std::sqrt(2 * gap / m.curvature + to_centre) - std::sqrt(to_centre);
}

/// To the nearest other class.
[[nodiscard]] inline double distance_to_border(plane_model const& m, std::span<float const> x, int label) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < m.classes(); ++k)
    if (static_cast<int>(k) != label) least = std::min(least, distance_to_class(m, x, static_cast<std::size_t>(label), k));
  return least;
}

}  // namespace pareidolia_test
