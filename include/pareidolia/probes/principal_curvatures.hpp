// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cosines.hpp>
#include <pareidolia/detail/eigenpairs.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/shape_operators.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/nearest_boundary.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// Which principal curvatures: the largest and the smallest, or all d - 1 of them.
enum class curvature_extent { extremes, spectrum };

/// How boundaries bend: the principal curvatures and directions of the boundary of each image's region at the point z nearest to the image,
/// the eigenpairs of
///
///     G = P H P / ||grad F||,  F = f_other - f_own, H its Hessian at z, P = I - n n^T, n = grad F / ||grad F||,
///
/// on the d - 1 tangents (Fawzi et al. 2017). A positive curvature 1 / R is that of a ball of radius R around the image; own minus other,
/// as the paper may have it, changes all signs. H v is a difference of gradients over a distance h, for networks of ReLUs have no curvature
/// but at such a scale; there G is symmetric only nearly, and `residuals` are what tells.
///
/// `extremes`: Lanczos for each image, the products of all images in one batch. `spectrum`: the products with a basis of cosines, each of
/// which changes all values, then LAPACK.
/// Cost: for each product 2 forwards and 2 backwards, at most `products` + 2 extremes of them for each image, or d - 1 + 2 extremes.
/// Memory: 4 extremes + 20 vectors of d doubles for each of batch / 2 images, or two matrices of d^2 doubles. Errors: more extremes than
/// there are directions, a step that is not positive, and those of the search.
///
///     auto const found = measure(principal_curvatures{.extremes = 5}, googlenet, photos);
///     double const sharpest = found.curvatures(0, 0);
struct principal_curvatures {
  curvature_extent extent = curvature_extent::extremes;
  std::size_t extremes = 10;   ///< largest, and as many smallest, whose directions are kept
  float step = .02f;           ///< root mean square change of a value, over which gradients are compared: h = step sqrt(d)
  std::size_t products = 200;  ///< of Lanczos, at most
  double tolerance = 1e-3;     ///< of Lanczos, relative to a curvature
  boundary_search search = {};
  std::size_t batch = 64;

  struct result {
    boundary_points boundary;
    std::size_t extremes = 0;
    tensor<double, 2> curvatures;  ///< (images, 2 extremes or d - 1), falling; 0 where no boundary was found
    tensor<float, 3> directions;   ///< (images, 2 extremes, d), of the largest and the smallest curvatures, falling
    tensor<double, 2> residuals;   ///< (images, 2 extremes), ||G v - kappa v||
    tensor<double, 2> measured = residuals;
    cost spent;

    /// The curvature in direction j < 2 extremes of image i.
    [[nodiscard]] double curvature(std::size_t i, std::size_t j) const {
      return curvatures(i, j < extremes ? j : curvatures.shape()[1] - 2 * extremes + j);
    }
    /// Of sorted curvatures over the images whose boundary was found.
    [[nodiscard]] std::vector<double> mean_profile() const {
      std::vector<double> mean(curvatures.shape()[1]);
      auto const found = boundary.found();
      for (std::size_t i : found)
        for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += curvatures(i, j) / static_cast<double>(found.size());
      return mean;
    }
    /// Of the curvatures whose magnitude is above `share` of the image's largest: which part is negative; mean over images.
    [[nodiscard]] double share_negative(double share = .1) const {
      double sum = 0;
      auto const found = boundary.found();
      for (std::size_t i : found) {
        double const limit = share * largest(i);
        std::size_t negative = 0, all = 0;
        for (double v : as_view(curvatures).row(i)) {
          negative += v < -limit;
          all += std::abs(v) > limit;
        }
        sum += all > 0 ? static_cast<double>(negative) / static_cast<double>(all) : .5;
      }
      return sum / static_cast<double>(found.size());
    }
    /// max |kappa| of image i.
    [[nodiscard]] double largest(std::size_t i) const {
      auto const row = as_view(curvatures).row(i);
      return std::max(std::abs(row.front()), std::abs(row.back()));
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view) const {
    detail::landscape f("principal_curvatures", model, batch);
    check(f.probe(), f.length());
    auto const rows = detail::rows_of(x);
    std::size_t const n = rows.shape()[0], d = f.length(), count = extent == curvature_extent::spectrum ? d - 1 : 2 * extremes;
    result found{detail::find_boundaries(f, as_view(rows), search),
                 extremes,
                 filled<double, 2>({n, count}),
                 filled<float, 3>({n, 2 * extremes, d}),
                 filled<double, 2>({n, 2 * extremes}),
                 filled<double, 2>({n, 2 * extremes}),
                 {}};
    detail::shape_operators g(f, found.boundary, step);
    if (extent == curvature_extent::spectrum)
      for (std::size_t k = 0; k < g.size(); ++k) keep(g, k, spectrum(g, k), found);
    else
      find_extremes(g, found);
    look_again(g, found);
    found.spent = f.cost();
    return found;
  }

  void check(std::string_view probe, std::size_t d) const {
    search.check(probe);
    if (!(step > 0)) detail::fail(probe, ": step is ", step, "; give a positive one");
    if (extremes == 0 || 2 * extremes + 1 >= d)
      detail::fail(probe, ": ", extremes, " largest and smallest curvatures of images of ", d, " values; give at least 1 and at most ",
                   d / 2 - 1);
  }

 private:
  template <class M>
  void find_extremes(detail::shape_operators<M>& g, result& found) const {
    auto const pairs =
        detail::extreme_eigenpairs(g.size(), g.batch(), g.length(), {.each_end = extremes, .products = products, .tolerance = tolerance},
                                   [&](std::span<detail::question const> asked) {
                                     g.products(
                                         asked.size(), [&](std::size_t k) { return asked[k].problem; },
                                         [&](std::size_t k, std::span<double> x) { std::ranges::copy(asked[k].x, x.begin()); },
                                         [&](std::size_t k, std::span<double const> gx) { std::ranges::copy(gx, asked[k].y.begin()); });
                                   });
    for (std::size_t k = 0; k < g.size(); ++k) keep(g, k, pairs[k], found);
  }

  template <class M>
  [[nodiscard]] detail::eigenpairs spectrum(detail::shape_operators<M>& g, std::size_t who) const {
    std::size_t const m = g.length();
    auto const basis = detail::cosines(m);
    auto image = filled<double, 2>({m, m});
    g.products(
        m, [&](std::size_t) { return who; },
        [&](std::size_t k, std::span<double> x) { std::ranges::copy(as_view(basis).row(k), x.begin()); },
        [&](std::size_t k, std::span<double const> gx) { std::ranges::copy(gx, as_view(image).row(k).begin()); });
    tensor<double, 2> const matrix = xt::linalg::dot(image, xt::transpose(basis));
    tensor<double, 2> const symmetric = (matrix + xt::transpose(matrix)) / 2;
    auto pairs = detail::all_eigenpairs(symmetric);
    pairs.vectors = xt::linalg::dot(pairs.vectors, basis);
    return pairs;
  }

  template <class M>
  void keep(detail::shape_operators<M> const& g, std::size_t k, detail::eigenpairs const& pairs, result& found) const {
    std::size_t const i = g.image(k), d = g.length() + 1;
    std::ranges::copy(pairs.values, as_view(found.curvatures).row(i).begin());
    for (std::size_t j = 0; j < 2 * extremes; ++j) {
      std::size_t const from = j < extremes ? j : pairs.values.size() - 2 * extremes + j;
      std::span<float> const to = as_view(found.directions).row(i).subspan(j * d, d);
      g.frame(k).raise(as_view(pairs.vectors).row(from), to);
    }
  }

  /// ||G v - kappa v|| for the directions that are kept.
  template <class M>
  void look_again(detail::shape_operators<M>& g, result& found) const {
    std::size_t const d = g.length() + 1, each = 2 * extremes;
    auto const coordinates = [&](std::size_t k, std::span<double> x) {
      auto const all = as_view(std::as_const(found.directions)).row(g.image(k / each));
      g.frame(k / each).lower(all.subspan(k % each * d, d), x);
    };
    g.products(
        g.size() * each, [&](std::size_t k) { return k / each; }, coordinates,
        [&](std::size_t k, std::span<double const> gx) {
          std::size_t const i = g.image(k / each), j = k % each;
          std::vector<double> x(gx.size());
          coordinates(k, x);
          double const kappa = found.curvature(i, j);
          found.measured(i, j) = detail::sum_of(x.size(), [&](std::size_t l) { return gx[l] * x[l]; });
          found.residuals(i, j) =
              std::sqrt(detail::sum_of(x.size(), [&](std::size_t l) { return (gx[l] - kappa * x[l]) * (gx[l] - kappa * x[l]); }));
        });
  }
};

}  // namespace pareidolia
