// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/eigenpairs.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/detail/shape_operators.hpp>
#include <pareidolia/detail/vectors.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/nearest_boundary.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia {

/// Which principal curvatures are sought: the largest and the smallest, or all d - 1 of them.
enum class curvature_extent { extremes, spectrum };

/// How boundaries bend in their principal directions: eigenvalues kappa and eigenvectors v of
///   G = P H P / ||grad F||,   F = f_other - f_own,   P = I - n n^T,   n = grad F / ||grad F||
/// on the d - 1 tangents at the point z = x + r(x) nearest to each image, H the Hessian of F there (Fawzi et al., CVPR 2018).
///
/// kappa > 0 where the boundary bends around the image, 1/R all over inside a ball of radius R; with f_own - f_other, as in an early
/// summary of the paper, all signs would be the opposite. H v is a central difference of gradients, h = step sqrt(d) to either side of z.
/// Where F is smooth at this scale `along` equals the curvatures and `residuals` are small. Networks of rectified linear units bend nowhere
/// else but at such a scale, and G v is linear in v only roughly: then kappa overstates what is seen along v itself, which is `along`.
///
/// `extremes`: the restarted Lanczos method (Spectra) for each image, the products of all images together in batches. `spectrum`: products
/// with all axes, for LAPACK; what costs d^3 then is outside of the model.
/// Cost: that of nearest_boundary, and 2 forwards and 2 backwards for a product, of which an image needs at most `products`, or d - 1, and
/// 2 extremes for the residuals. Memory: 4 extremes + 20 vectors of d floats for each of batch / 2 images, or six matrices of d^2
/// floats; the result. Errors: those of nearest_boundary; more extremes than directions, a step or a tolerance that is not above 0.
///
///     auto const bent = measure(principal_curvatures{.extremes = 5}, googlenet, photos);
///     double const sharpest = bent.curvatures(0, 0);
struct principal_curvatures {
  curvature_extent extent = curvature_extent::extremes;
  std::size_t extremes = 10;   ///< largest, and as many smallest, whose directions are kept
  float step = .02f;           ///< root mean square change of a value, > 0
  std::size_t products = 200;  ///< that Lanczos may take for an image; 4 extremes + 21 of them in any case
  double tolerance = 1e-3;     ///< of Lanczos: a residual by its curvature + twice the root mean square of all, > 0
  boundary_search search = {};
  std::size_t batch = 64;

  /// Where no boundary was found all numbers are NaN.
  struct result {
    boundary_points boundary;            ///< z
    std::size_t extremes;                ///< as asked for
    tensor<double, 2> curvatures;        ///< (images, 2 extremes or d - 1), kappa, falling
    tensor<float, 3> directions;         ///< (images, 2 extremes, d), v of the largest, then of the smallest, falling
    tensor<double, 2> along, residuals;  ///< (images, 2 extremes), v^T G v and ||G v - kappa v|| of these
    cost spent;

    /// kappa of direction j of image i.
    [[nodiscard]] double curvature(std::size_t i, std::size_t j) const {
      return curvatures(i, j < extremes ? j : curvatures.shape()[1] - 2 * extremes + j);
    }
    /// max |kappa| of image i.
    [[nodiscard]] double largest(std::size_t i) const {
      auto const row = as_view(curvatures).row(i);
      return std::max(std::abs(row.front()), std::abs(row.back()));
    }
    /// Mean over the images of the largest curvature, of the next, and so on.
    [[nodiscard]] std::vector<double> mean_profile() const {
      auto const found = boundary.found();
      std::vector<double> mean(curvatures.shape()[1]);
      for (std::size_t const i : found)
        for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += curvatures(i, j) / static_cast<double>(found.size());
      return mean;
    }
    /// Among curvatures whose magnitude is above `share` of the image's largest: how many are negative, mean over the images. Says
    /// something of a spectrum; of extremes there are as many at either end.
    [[nodiscard]] double share_negative(double share = .1) const {
      double sum = 0;
      for (std::size_t const i : boundary.found()) {
        auto const row = as_view(curvatures).row(i);
        double const limit = share * largest(i);
        auto const count = [&](auto const& of) { return static_cast<double>(std::ranges::count_if(row, of)); };
        sum += count([=](double v) { return v < -limit; }) / count([=](double v) { return std::abs(v) > limit; });
      }
      return sum / static_cast<double>(boundary.found().size());
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      std::vector<double> highest, lowest, seen;
      for (std::size_t const i : boundary.found()) {
        highest.push_back(curvature(i, 0));
        lowest.push_back(curvature(i, 2 * extremes - 1));
        std::size_t const j = highest.back() > -lowest.back() ? 0 : 2 * extremes - 1;
        seen.push_back(along(i, j) / curvature(i, j));
      }
      std::vector<named_figure> all{{"median largest curvature", detail::quantile_of(highest, .5)},
                                    {"median smallest curvature", detail::quantile_of(lowest, .5)},
                                    {"median share of the sharpest seen along itself", detail::quantile_of(seen, .5)}};
      if (curvatures.shape()[1] > 2 * extremes) all.emplace_back("share negative", share_negative());
      return all;
    }
    /// All but the directions.
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      auto const matrix = [&](char const* name, tensor<double, 2> const& t) {
        return named_array{prefix + name, {t.shape().begin(), t.shape().end()}, {t.begin(), t.end()}};
      };
      return {detail::named_values(prefix + "distances", boundary.distances), matrix("curvatures", curvatures), matrix("along", along),
              matrix("residuals", residuals)};
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view) const {
    detail::landscape f("principal_curvatures", model, batch);
    check(f.probe(), f.length());
    std::size_t const n = x.shape[0], d = f.length(), count = extent == curvature_extent::spectrum ? d - 1 : 2 * extremes;
    auto const rows = detail::rows_of(x);
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    result found{.boundary = detail::find_boundaries(f, as_view(rows), search),
                 .extremes = extremes,
                 .curvatures = filled<double, 2>({n, count}, none),
                 .directions = filled<float, 3>({n, 2 * extremes, d}, std::numeric_limits<float>::quiet_NaN()),
                 .along = filled<double, 2>({n, 2 * extremes}, none),
                 .residuals = filled<double, 2>({n, 2 * extremes}, none),
                 .spent = {}};
    detail::shape_operators g(f, found.boundary, step);
    if (extent == curvature_extent::spectrum)
      for (std::size_t k = 0; k < g.size(); ++k) keep(g, k, all_of(g, k), found);
    else
      find_extremes(g, found);
    look_again(g, found);
    found.spent = f.cost();
    return found;
  }

  void check(std::string_view probe, std::size_t d) const {
    search.check(probe);
    if (!(step > 0)) detail::fail(probe, ": step is ", step, "; give a number above 0, such as 0.02");
    if (!(tolerance > 0)) detail::fail(probe, ": tolerance is ", tolerance, "; give a number above 0, such as 0.001");
    if (extremes == 0 || 2 * extremes + 1 >= d)
      detail::fail(probe, ": extremes is ", extremes, " for images of ", d,
                   " values; give at least 1 and less than half of their tangents");
  }

 private:
  template <class M>
  void find_extremes(detail::shape_operators<M>& g, result& found) const {
    auto const pairs =
        detail::extreme_eigenpairs(g.size(), g.batch(), g.length(), {.each_end = extremes, .products = products, .tolerance = tolerance},
                                   [&](std::span<detail::question const> asked) {
                                     g.products(
                                         asked.size(), [&](std::size_t q) { return asked[q].problem; },
                                         [&](std::size_t q, std::span<float> v) { std::ranges::copy(asked[q].x, v.begin()); },
                                         [&](std::size_t q, std::span<float const> gv) { std::ranges::copy(gv, asked[q].y.begin()); });
                                   });
    for (std::size_t k = 0; k < g.size(); ++k) keep(g, k, pairs[k], found);
  }

  template <class M>
  [[nodiscard]] static detail::eigenpairs all_of(detail::shape_operators<M>& g, std::size_t k) {
    std::size_t const m = g.length();
    auto matrix = filled<float, 2>({m, m});
    g.products(
        m, [&](std::size_t) { return k; },
        [](std::size_t j, std::span<float> v) {
          std::ranges::fill(v, 0.f);
          v[j] = 1;
        },
        [&](std::size_t j, std::span<float const> gv) { std::ranges::copy(gv, as_view(matrix).row(j).begin()); });
    for (std::size_t a = 0; a < m; ++a)
      for (std::size_t b = 0; b < a; ++b) matrix(a, b) = matrix(b, a) = (matrix(a, b) + matrix(b, a)) / 2;
    return detail::all_eigenpairs(matrix);
  }

  template <class M>
  void keep(detail::shape_operators<M> const& g, std::size_t k, detail::eigenpairs const& pairs, result& found) const {
    std::size_t const i = g.image(k), d = g.length() + 1, all = pairs.values.size();
    std::ranges::copy(pairs.values, as_view(found.curvatures).row(i).begin());
    for (std::size_t j = 0; j < 2 * extremes; ++j)
      g.frame(k).raise(as_view(pairs.vectors).row(j < extremes ? j : all - 2 * extremes + j),
                       as_view(found.directions).row(i).subspan(j * d, d));
  }

  /// G v once more for the directions that are kept.
  template <class M>
  void look_again(detail::shape_operators<M>& g, result& found) const {
    std::size_t const d = g.length() + 1, each = 2 * extremes;
    auto const coordinates = [&](std::size_t q, std::span<float> v) {
      auto const all = as_view(std::as_const(found.directions)).row(g.image(q / each));
      g.frame(q / each).lower(all.subspan(q % each * d, d), v);
    };
    g.products(
        g.size() * each, [&](std::size_t q) { return q / each; }, coordinates,
        [&](std::size_t q, std::span<float const> gv) {
          std::size_t const i = g.image(q / each), j = q % each;
          std::vector<float> v(gv.size());
          coordinates(q, v);
          found.along(i, j) = detail::dot(gv, v);
          detail::along(gv, -found.curvature(i, j), v, v);
          found.residuals(i, j) = detail::norm(v);
        });
  }
};

}  // namespace pareidolia
