// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/curvature.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/detail/vectors.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/nearest_boundary.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace pareidolia {

/// How boundaries bend at the point z = x + r(x) nearest to an image, in random directions and in given ones (Fawzi et al., CVPR 2018).
///
/// With F = f_other - f_own, n = grad F / ||grad F|| and H the Hessian of F, all at z, the curvature in the unit tangent v is
///   kappa(v) = v^T H v / ||grad F|| = v^T G v,   G = P H P / ||grad F||,   P = I - n n^T.
/// kappa > 0 where the boundary bends around the image, as a sphere about it does: 1/R all over inside a ball of radius R, -1/R outside.
/// That is the sign of F; with f_own - f_other, as in a summary of the paper, it would be the opposite. Over uniformly random tangents the
/// mean of kappa is that of the d - 1 principal curvatures, tr G / (d - 1), and that of ||G v||^2 the mean of their squares. Where the mean
/// is below 0, noise on z mostly leads back into the region of the image.
///
/// H v = (grad F(z + h v) - grad F(z - h v)) / (2 h) with h = step sqrt(d): curvature at the scale at which a value changes by `step`, root
/// mean square. A network of rectified linear units has H = 0 almost everywhere, and bends at this scale only. The default is that of code
/// which authors of the paper gave away, 10/512 of the range of values. Curvatures have the unit 1 / ||x||, values in [0, 1].
///
/// Cost: that of nearest_boundary, and 2 forwards and 2 backwards for each image and direction. Memory: as nearest_boundary, 1.5 batches of
/// images and the results. Errors: as nearest_boundary; no directions, a step that is not above 0, given directions of another length.
///
///     auto const bent = measure(boundary_curvature{.random = rng{1}}, lenet, digits);
///     double const share = bent.share_positive();
struct boundary_curvature {
  rng random;                                         ///< tangent j of image i comes from stream j of its fork i
  std::size_t directions = 100;                       ///< random ones, for each image
  tensor<float, 2> given = filled<float, 2>({0, 0});  ///< (k, d), besides; their tangent parts at z are taken, of any length
  float step = .02f;                                  ///< root mean square change of a value, > 0
  boundary_search search = {};
  std::size_t batch = 64;

  /// Where no boundary was found all curvatures are NaN.
  struct result {
    boundary_points boundary;                    ///< z
    std::vector<double> mean, root_mean_square;  ///< (images), of the principal curvatures, as estimated from `random`
    std::vector<double> standard_error;          ///< (images), of `mean`; NaN for less than 2 directions
    tensor<double, 2> random, along_given;       ///< (images, directions) and (images, k), kappa; NaN for a given direction along n
    cost spent;

    /// Of the images whose boundary was found, those with mean > 0.
    [[nodiscard]] double share_positive() const {
      auto const found = of_found(mean);
      return static_cast<double>(std::ranges::count_if(found, [](double v) { return v > 0; })) / static_cast<double>(found.size());
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      return {{"share positive", share_positive()},
              {"median mean curvature", detail::quantile_of(of_found(mean), .5)},
              {"median root mean square curvature", detail::quantile_of(of_found(root_mean_square), .5)}};
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      auto const matrix = [&](char const* name, tensor<double, 2> const& t) {
        return named_array{prefix + name, {t.shape().begin(), t.shape().end()}, {t.begin(), t.end()}};
      };
      return {detail::named_values(prefix + "distances", boundary.distances),
              detail::named_values(prefix + "mean", mean),
              detail::named_values(prefix + "standard_error", standard_error),
              detail::named_values(prefix + "root_mean_square", root_mean_square),
              matrix("random", random),
              matrix("given", along_given)};
    }

   private:
    [[nodiscard]] std::vector<double> of_found(std::vector<double> const& values) const {
      std::vector<double> all;
      for (std::size_t const i : boundary.found()) all.push_back(values[i]);
      return all;
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view) const {
    search.check("boundary_curvature");
    detail::landscape f("boundary_curvature", model, batch);
    std::size_t const n = x.shape[0], d = f.length(), k = given.shape()[0], each = directions + k;
    check(d);
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    auto const images = detail::rows_of(x);
    result found{.boundary = detail::find_boundaries(f, as_view(images), search),
                 .mean = std::vector<double>(n, none),
                 .root_mean_square = std::vector<double>(n, none),
                 .standard_error = std::vector<double>(n, none),
                 .random = filled<double, 2>({n, directions}, none),
                 .along_given = filled<double, 2>({n, k}, none),
                 .spent = {}};
    auto const& z = found.boundary;
    auto const who = z.found();
    auto squares = filled<double, 2>({n, directions});  // ||G v||^2
    detail::hessian_products(
        f, who.size() * each, detail::stride_of(step, d), [&](std::size_t p) { return as_view(z.points).row(who[p / each]); },
        [&](std::size_t p) {
          std::size_t const i = who[p / each];
          return typename detail::landscape<M>::difference{z.other[i], z.own[i]};
        },
        [&](std::size_t p, std::span<float> v) {
          std::size_t const i = who[p / each], j = p % each;
          auto const normal = as_view(z.normals).row(i);
          if (j < directions) return detail::draw_tangent(random.fork(i).stream(j), normal, v);
          std::ranges::copy(as_view(given).row(j - directions), v.begin());
          detail::to_unit_length(v);
          detail::remove_component(normal, v);
          if (!(detail::to_unit_length(v) > 1e-4)) std::ranges::fill(v, 0.f);
        },
        [&](std::size_t p, std::span<float const> v, std::span<float const> hv) {
          std::size_t const i = who[p / each], j = p % each;
          double const along = detail::dot(v, hv) / z.slopes[i];
          if (j >= directions) {
            if (detail::dot(v, v) > 0) found.along_given(i, j - directions) = along;
            return;
          }
          double const out = detail::dot(as_view(z.normals).row(i), hv);
          found.random(i, j) = along;
          squares(i, j) = (detail::dot(hv, hv) - out * out) / (z.slopes[i] * z.slopes[i]);
        });
    for (std::size_t const i : who) summarise(found, i, as_view(squares).row(i));
    found.spent = f.cost();
    return found;
  }

 private:
  void check(std::size_t d) const {
    if (directions == 0 && given.shape()[0] == 0) detail::fail("boundary_curvature: directions is 0 and none are given; give at least 1");
    if (!(step > 0)) detail::fail("boundary_curvature: step is ", step, "; give a number above 0, such as 0.02");
    if (given.shape()[0] > 0 && given.shape()[1] != d)
      detail::fail("boundary_curvature: given directions have ", given.shape()[1], " values; give ", d, ", as an image has");
  }

  void summarise(result& found, std::size_t i, std::span<double const> squares) const {
    if (directions == 0) return;
    auto const count = static_cast<double>(directions);
    double sum = 0, square = 0, spread = 0;
    for (double const v : as_view(found.random).row(i)) sum += v;
    for (double const v : squares) square += v;
    found.mean[i] = sum / count;
    found.root_mean_square[i] = std::sqrt(std::max(square, 0.) / count);
    for (double const v : as_view(found.random).row(i)) spread += (v - found.mean[i]) * (v - found.mean[i]);
    if (directions > 1) found.standard_error[i] = std::sqrt(spread / (count - 1) / count);
  }
};

}  // namespace pareidolia
