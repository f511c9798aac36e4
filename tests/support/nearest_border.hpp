// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encodings/perturbation.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

// How far, at least, an image of a plane_model must move until its class changes, computed without gradients or steps, and whether
// optimizers find it.

namespace pareidolia_test {

/// min ||r||_2 with <w, r> = gap and x + r in [low, high]: r_j = clip(lambda w_j), where lambda is found by bisection, since <w, r> grows
/// with it. Infinite if the box leaves no such r.
[[nodiscard]] inline double distance_in_box(std::vector<double> const& w, double gap, std::span<float const> x, double low = 0,
                                            double high = 1) {
  double below = 0, above = 1e6;
  struct sums {
    double reached = 0, square = 0;
  };
  auto const at = [&](double lambda) {
    sums s;
    for (std::size_t j = 0; j < w.size(); ++j) {
      double const r = std::clamp(lambda * w[j], low - double{x[j]}, high - double{x[j]});
      s.reached += w[j] * r;
      s.square += r * r;
    }
    return s;
  };
  if (at(above).reached < gap) return std::numeric_limits<double>::infinity();
  for (int i = 0; i < 200; ++i) {
    double const middle = (below + above) / 2;
    (at(middle).reached < gap ? below : above) = middle;
  }
  return std::sqrt(at(above).square);
}

/// From x to the border between its class and class k. With a curvature, of class 0 and outside all faces of the box: the border is a
/// sphere and x inside it.
[[nodiscard]] inline double distance_to_class(plane_model const& m, std::span<float const> x, std::size_t from, std::size_t k) {
  std::vector<double> w;
  for (std::size_t j = 0; j < x.size(); ++j) w.push_back(m.w[k][j] - m.w[from][j]);
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

inline void check_lengths(outcome const& r, plane_model const& m, labelled_images const& canvas, double excess) {
  for (std::size_t i = 0; i < r.size(); ++i) {
    double const least = distance_to_border(m, as_view(canvas.images).row(i), canvas.labels[i]);
    CAPTURE(least);
    CHECK(r.success[i] == 1);
    CHECK(double{r.distances(i, 2)} > .9999 * least);
    CHECK(double{r.distances(i, 2)} < (1 + excess) * least);
  }
}

/// Between two classes the optimizer's perturbations are at most 1 + excess times as long as the shortest: on planes with and without the
/// bounds of the box in their way, and on spheres. `leave` and `reach` are objectives of either kind.
template <class O, class Leave, class Reach>
void check_shortest(O const& optimizer, Leave const& leave, Reach const& reach, double excess) {
  attack const away{perturbation{l2{}}, leave, optimizer};
  attack const there{perturbation{l2{}}, reach, optimizer};
  auto planes = random_planes(2, {1, 3, 4}, 1);
  for (double& v : planes.b) v *= 8;  // so that some need much of the box
  for (float low : {.3f, 0.f}) {
    auto const canvas = random_images(planes, 8, 2, low, 1 - low);
    check_lengths(run(away, planes, canvas, rng{3}), planes, canvas, excess);
    auto others = canvas;
    for (int& label : others.labels) label = 1 - label;
    check_lengths(run(there, planes, others, rng{3}), planes, canvas, excess);
  }
  auto spheres = random_planes(2, {1, 3, 4}, 4);
  spheres.curvature = 6;
  spheres.b = {.4, 0};
  for (auto& w : spheres.w)
    for (double& v : w) v *= .2;
  auto const canvas = random_images(spheres, 6, 5, .45f, .55f);
  for (int label : canvas.labels) REQUIRE(label == 0);
  check_lengths(run(away, spheres, canvas, rng{1}), spheres, canvas, excess);
}

/// Five classes, eleven images: the same for every size of the batch.
template <class O, class B>
void check_batches(O const& optimizer, B const& objective) {
  auto const planes = random_planes(5, {1, 3, 4}, 6);
  auto const canvas = random_images(planes, 11, 7);
  attack const a{perturbation{l2{}}, objective, optimizer};
  auto const all = run(a, planes, canvas, rng{8}, batch_size{64});
  for (std::size_t batch : {1u, 3u, 10u}) {
    auto const some = run(a, planes, canvas, rng{8}, batch_size{batch});
    CHECK(some.images == all.images);
    CHECK(some.success == all.success);
    CHECK(some.forwards_spent == all.forwards_spent);
  }
}

}  // namespace pareidolia_test
