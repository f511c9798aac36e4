// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/detail/random_subspace.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/nearest_boundary.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// How flat boundaries are as seen from images: the least perturbation r_S(x) in a random subspace S of m of the d dimensions, beside what
/// it would be at a flat boundary (Fawzi, Moosavi-Dezfooli and Frossard, NIPS 2016; Fawzi et al., CVPR 2018).
///
/// At a plane with normal w the least perturbation is r, and ||r_S|| = ||r|| ||w|| / ||P_S w||, for most S near sqrt(d/m) ||r||. So
///   ratio = ||r_S(x)|| / (sqrt(d/m) ||r(x)||)
/// is near 1 for flat boundaries, less where they bend around the image and more where they bend away from it. For small m it varies from
/// one S to the next even at a plane, as ||P_S w||^2 has the deviation sqrt(2/m) of its mean m/d ||w||^2; and it is lower where there are
/// several classes, since that whose boundary is nearest in S need not be that of r(x). Each image has its own subspaces, and those of one
/// draw contain each other: S_m is in S_m' for m < m'. They are random_subspaces, not quite uniform.
///
/// Cost: that of nearest_boundary for the images, and for each dimension, subspace and image. Memory: as nearest_boundary for 2 batches of
/// images, and 3 d numbers for each subspace in use. Errors: as nearest_boundary; no dimensions, one that is 0 or above d, no subspaces.
///
///     auto const flat = measure(boundary_flatness{.random = rng{1}, .dimensions = {10, 100, 784}}, lenet, digits);
///     double const median = flat.quantile(0, .5);  // for m = 10
struct boundary_flatness {
  rng random;                           ///< draw s of image i comes from stream i of its fork s
  std::vector<std::size_t> dimensions;  ///< the m
  std::size_t subspaces = 1;            ///< for each image and dimension
  boundary_search search = {};
  std::size_t batch = 64;

  struct result {
    boundary_points boundary;             ///< z = x + r(x) in all of R^d
    std::vector<std::size_t> dimensions;  ///< the m
    tensor<double, 3> restricted;         ///< (dimensions, subspaces, images), ||r_S(x)||, infinite where no boundary was found
    cost spent;

    /// For dimension k, subspace s and image i; NaN where r(x) was not found.
    [[nodiscard]] double ratio(std::size_t k, std::size_t s, std::size_t i) const {
      auto const d = static_cast<double>(boundary.points.shape()[1]), m = static_cast<double>(dimensions[k]);
      return restricted(k, s, i) / (std::sqrt(d / m) * boundary.distances[i]);
    }
    /// The value below which the share q of the ratios of dimension k is, over subspaces and images whose r(x) was found: 0.5 is their
    /// median.
    [[nodiscard]] double quantile(std::size_t k, double q) const { return detail::quantile_of(ratios(k), q); }
    /// Of the same, those where a boundary was found in the subspace.
    [[nodiscard]] double share_found(std::size_t k) const {
      auto const all = ratios(k);
      return static_cast<double>(std::ranges::count_if(all, [](double v) { return std::isfinite(v); })) / static_cast<double>(all.size());
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      std::vector<named_figure> all;
      for (std::size_t k = 0; k < dimensions.size(); ++k)
        all.emplace_back(detail::text("median ratio, m = ", dimensions[k]), quantile(k, .5));
      for (std::size_t k = 0; k < dimensions.size(); ++k)
        all.emplace_back(detail::text("share found, m = ", dimensions[k]), share_found(k));
      return all;
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      return {detail::named_values(prefix + "dimensions", dimensions),
              detail::named_values(prefix + "distances", boundary.distances),
              {prefix + "restricted", {restricted.shape().begin(), restricted.shape().end()}, {restricted.begin(), restricted.end()}}};
    }

   private:
    [[nodiscard]] std::vector<double> ratios(std::size_t k) const {
      std::vector<double> all;
      for (std::size_t const i : boundary.found())
        for (std::size_t s = 0; s < restricted.shape()[1]; ++s) all.push_back(ratio(k, s, i));
      return all;
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view) const {
    search.check("boundary_flatness");
    detail::landscape f("boundary_flatness", model, batch);
    check(f.length());
    auto const images = detail::rows_of(x);
    result found{detail::find_boundaries(f, as_view(images), search),
                 dimensions,
                 filled<double, 3>({dimensions.size(), subspaces, x.shape[0]}, std::numeric_limits<double>::infinity()),
                 {}};
    struct draw {
      std::size_t image, number;
      std::optional<detail::random_subspaces> of = {};
    };
    std::vector<draw> draws;
    for (std::size_t const i : found.boundary.found())
      for (std::size_t s = 0; s < subspaces; ++s) draws.push_back({i, s});
    std::size_t const each = dimensions.size(), together = std::max<std::size_t>(1, 2 * batch / each);
    for (std::size_t first = 0; first < draws.size(); first += together) {
      std::span const part = std::span(draws).subspan(first, std::min(together, draws.size() - first));
      auto start = filled<float, 2>({part.size() * each, f.length()});
      detail::for_rows(part.size(), 64 * f.length(), [&](std::size_t p) {
        part[p].of.emplace(random.fork(part[p].number).stream(part[p].image), f.length());
        for (std::size_t k = 0; k < each; ++k)
          std::ranges::copy(as_view(images).row(part[p].image), as_view(start).row(p * each + k).begin());
      });
      auto const restricted = detail::find_boundaries(f, as_view(std::as_const(start)), search, [&](std::size_t row, std::span<float> g) {
        part[row / each].of->project(dimensions[row % each], g);
      });
      for (std::size_t row = 0; row < restricted.size(); ++row) {
        auto& from = part[row / each];
        found.restricted(row % each, from.number, from.image) = restricted.distances[row];
      }
      for (auto& one : part) one.of.reset();
    }
    found.spent = f.cost();
    return found;
  }

 private:
  void check(std::size_t d) const {
    if (dimensions.empty()) detail::fail("boundary_flatness: no dimensions; give at least one, 1 to ", d);
    for (std::size_t const m : dimensions)
      if (m == 0 || m > d) detail::fail("boundary_flatness: a dimension is ", m, "; give 1 to ", d, ", the values of an image");
    if (subspaces == 0) detail::fail("boundary_flatness: subspaces is 0; give at least 1");
  }
};

}  // namespace pareidolia
