// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/boundary_curvature.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// How much more the boundaries near images bend in given directions v_i than in random ones (Fawzi et al., CVPR 2018):
///   ratio_i = |kappa(v_i)| / mean over random tangents v of |kappa(v)|,
/// kappa as in boundary_curvature. Directions that images share, found from others by shared_curvature, have ratios far above 1.
///
/// The tangent part of v_i is taken, of unit length. Cost and memory: as boundary_curvature. Errors: its own, no given or random
/// directions.
///
///     auto const unseen = measure(curvature_ratio{.random = rng{1}, .given = shared.curved}, lenet, other_digits);
///     double const first = unseen.median()[0];
struct curvature_ratio {
  rng random;
  tensor<float, 2> given;        ///< (m, d), v_i
  std::size_t directions = 100;  ///< random ones, for each image
  float step = .02f;
  boundary_search search = {};
  std::size_t batch = 64;

  /// Where no boundary was found all numbers are NaN.
  struct result {
    boundary_points boundary;
    tensor<double, 2> ratio;   ///< (images, m)
    tensor<double, 2> along;   ///< (images, m), kappa(v_i)
    std::vector<double> mean;  ///< (images), of |kappa(v)|
    cost spent;

    /// Of each direction, over the images that have a boundary it does not cross at a right angle.
    [[nodiscard]] std::vector<double> median() const {
      std::vector<double> all;
      for (std::size_t j = 0; j < ratio.shape()[1]; ++j) {
        std::vector<double> of;
        for (std::size_t const i : boundary.found())
          if (std::isfinite(ratio(i, j))) of.push_back(ratio(i, j));
        all.push_back(detail::quantile_of(of, .5));
      }
      return all;
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      auto const all = median();
      double sum = 0;
      for (double const v : all) sum += v;
      return {{"median ratio of the first direction", all.front()}, {"mean of median ratios", sum / static_cast<double>(all.size())}};
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      auto const matrix = [&](char const* name, tensor<double, 2> const& t) {
        return named_array{prefix + name, {t.shape().begin(), t.shape().end()}, {t.begin(), t.end()}};
      };
      return {matrix("ratio", ratio), matrix("along", along), detail::named_values(prefix + "mean", mean)};
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    if (given.shape()[0] == 0 || directions == 0)
      detail::fail("curvature_ratio: ", given.shape()[0], " given and ", directions, " random directions; give at least 1 of each");
    boundary_curvature const probe{
        .random = random, .directions = directions, .given = given, .step = step, .search = search, .batch = batch};
    auto bent = probe.measure(model, x, labels);
    std::size_t const n = x.shape[0], m = given.shape()[0];
    result found{.boundary = std::move(bent.boundary),
                 .ratio = filled<double, 2>({n, m}),
                 .along = std::move(bent.along_given),
                 .mean = std::vector<double>(n),
                 .spent = bent.spent};
    for (std::size_t i = 0; i < n; ++i) {
      for (double const v : as_view(bent.random).row(i)) found.mean[i] += std::abs(v) / static_cast<double>(directions);
      for (std::size_t j = 0; j < m; ++j) found.ratio(i, j) = std::abs(found.along(i, j)) / found.mean[i];
    }
    return found;
  }
};

}  // namespace pareidolia
