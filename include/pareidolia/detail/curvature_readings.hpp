// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/boundary_walk.hpp>
#include <pareidolia/detail/curvature.hpp>
#include <pareidolia/detail/highest_classes.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/vectors.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia::detail {

/// Mean curvatures of differences of scores F_i = f_i - f_own at points z.
struct curvature_readings {
  tensor<float, 2> points;      ///< (points, d), z
  std::vector<int> own;         ///< (points)
  tensor<int, 2> other;         ///< (points, classes), i
  tensor<float, 2> directions;  ///< (directions, d), the unit vectors v
  tensor<float, 3> normals;     ///< (points, classes, d), n_i = grad F_i / ||grad F_i||
  tensor<double, 2> slopes;     ///< (points, classes), ||grad F_i||
  tensor<double, 2> mean;       ///< (points, classes), rho_i; -infinity where F_i is flat
  double h = 0;                 ///< length of the differences
  std::vector<double> distances =
      {};  ///< (points), how far z is from the image, infinite where no boundary was found; empty at the image itself

  [[nodiscard]] std::size_t classes() const { return other.shape()[1]; }
  [[nodiscard]] std::span<float const> normal(std::size_t i, std::size_t c) const {
    std::size_t const d = normals.shape()[2];
    return {normals.data() + (i * classes() + c) * d, d};
  }
  /// rho, the mean of rho_i.
  [[nodiscard]] double statistic(std::size_t i) const {
    auto const rho = as_view(mean).row(i);
    return std::accumulate(rho.begin(), rho.end(), 0.) / static_cast<double>(rho.size());
  }
  /// argmax of rho_i.
  [[nodiscard]] int most_curved(std::size_t i) const {
    auto const rho = as_view(mean).row(i);
    return other(i, static_cast<std::size_t>(std::ranges::max_element(rho) - rho.begin()));
  }
};

/// The unit vectors that all points share.
[[nodiscard]] inline tensor<float, 2> shared_directions(rng const& random, std::size_t count, std::size_t d) {
  auto result = filled<float, 2>({count, d});
  for_rows(count, 64 * d, [&](std::size_t j) { draw_direction(random.stream(j), as_view(result).row(j)); });
  return result;
}

/// rho_i = (tr H_i - n_i^T H_i n_i) / ((d - 1) ||grad F_i||), H_i the Hessian of F_i, at points z (n, d): the mean of the d - 1 principal
/// curvatures of the level set of F_i. own and other are filled by classes_of(k, y, own, other), once for each point and its scores y.
///
/// u^T H u is a second difference of scores, (F(z + h u) - 2 F(z) + F(z - h u)) / h^2; tr H is d times its mean over the directions, whose
/// scores serve all classes. Cost of a point: 1 + 2 directions + 2 classes forwards, `classes` backwards.
template <class M, class ClassesOf>
[[nodiscard]] curvature_readings read_curvatures(landscape<M>& f, tensor<float, 2> points, std::size_t classes, tensor<float, 2> directions,
                                                 double h, ClassesOf const& classes_of) {
  std::size_t const n = points.shape()[0], d = points.shape()[1], rays = directions.shape()[0];
  curvature_readings r{std::move(points),
                       std::vector<int>(n),
                       filled<int, 2>({n, classes}),
                       std::move(directions),
                       filled<float, 3>({n, classes, d}),
                       filled<double, 2>({n, classes}),
                       filled<double, 2>({n, classes}),
                       h};
  auto const z = as_view(std::as_const(r.points));
  auto const difference_of = [&](std::size_t i, std::size_t c) { return typename landscape<M>::difference{r.other(i, c), r.own[i]}; };
  auto const value_of = [&](std::size_t i, std::size_t c, std::span<float const> y) {
    return double{y[static_cast<std::size_t>(r.other(i, c))]} - double{y[static_cast<std::size_t>(r.own[i])]};
  };
  auto at_z = filled<double, 2>({n, classes});
  f.gradients(
      n, classes, [&](std::size_t i, std::span<float> to) { std::ranges::copy(z.row(i), to.begin()); },
      [&](std::size_t i, std::size_t c, std::span<float const> y) {
        if (c == 0) classes_of(i, y, r.own[i], as_view(r.other).row(i));
        return difference_of(i, c);
      },
      [&](std::size_t i, std::size_t c, std::span<float const> y, std::span<float const> g) {
        std::span const to(r.normals.data() + (i * classes + c) * d, d);
        std::ranges::copy(g, to.begin());
        r.slopes(i, c) = to_unit_length(to);
        at_z(i, c) = value_of(i, c, y);
      });
  // Of each point, pairs of z + h u and z - h u: u the directions, then the normals.
  std::size_t const each = rays + classes;
  auto beside = filled<double, 2>({2 * n * each, classes});
  f.scores(
      2 * n * each,
      [&](std::size_t k, std::span<float> x) {
        std::size_t const i = k / 2 / each, j = k / 2 % each;
        auto const u = j < rays ? std::span<float const>(as_view(std::as_const(r.directions)).row(j)) : r.normal(i, j - rays);
        along(z.row(i), k % 2 ? -h : h, u, x);
      },
      [&](std::size_t k, std::span<float const> y) {
        for (std::size_t c = 0; c < classes; ++c) beside(k, c) = value_of(k / 2 / each, c, y);
      });
  double const dimensions = static_cast<double>(d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t c = 0; c < classes; ++c) {
      auto const second = [&](std::size_t j) {
        std::size_t const k = 2 * (i * each + j);
        return (beside(k, c) - 2 * at_z(i, c) + beside(k + 1, c)) / (h * h);
      };
      double trace = 0;
      for (std::size_t j = 0; j < rays; ++j) trace += second(j) * dimensions / static_cast<double>(rays);
      r.mean(i, c) =
          r.slopes(i, c) > 0 ? (trace - second(rays + c)) / ((dimensions - 1) * r.slopes(i, c)) : -std::numeric_limits<double>::infinity();
    }
  return r;
}

/// dx <- dx + scale grad rho at point i: the gradient of the second differences, with normals and slopes held fixed.
///
/// Cost: 2 directions + 3 forwards and backwards for each class.
template <class M>
void add_statistic_gradient(landscape<M>& f, curvature_readings const& r, std::size_t i, double scale, std::span<float> dx) {
  std::size_t const d = dx.size(), rays = r.directions.shape()[0], each = 2 * rays + 3;
  auto const z = as_view(r.points).row(i);
  double const dimensions = static_cast<double>(d);
  auto parts = filled<float, 2>({each, d});
  for (std::size_t c = 0; c < r.classes(); ++c) {
    // Pairs as above; the last point is z.
    f.gradients(
        each, 1,
        [&](std::size_t k, std::span<float> x) {
          auto const u = k / 2 < rays ? as_view(r.directions).row(k / 2) : r.normal(i, c);
          along(z, k + 1 == each ? 0 : k % 2 ? -r.h : r.h, u, x);
        },
        [&](std::size_t, std::size_t, std::span<float const>) {
          return typename landscape<M>::difference{r.other(i, c), r.own[i]};
        },
        [&](std::size_t k, std::size_t, std::span<float const>, std::span<float const> g) {
          std::ranges::copy(g, as_view(parts).row(k).begin());
        });
    double const share = scale / (static_cast<double>(r.classes()) * (dimensions - 1) * r.slopes(i, c) * r.h * r.h);
    for (std::size_t k = 0; k < each; ++k) {
      double const weight = k / 2 < rays ? dimensions / static_cast<double>(rays) : k + 1 < each ? -1 : -2 * (dimensions - 1);
      along(dx, share * weight, as_view(std::as_const(parts)).row(k), dx);
    }
  }
}

}  // namespace pareidolia::detail
