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
#include <pareidolia/detail/curvature.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/vectors.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/principal_curvatures.hpp>

#include <xtensor-blas/xlinalg.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// Directions in which the boundaries near many images are curved, and directions in which they are flat (after Fawzi et al., CVPR 2018).
///
/// The principal directions v_ij of all images i are gathered as rows w_ij v_ij, w_ij = v_ij^T G_i v_ij by its largest magnitude for the
/// image, so that images count alike. `curved` are the first right singular vectors: they maximise sum_ij w_ij^2 <v_ij, v>^2. `flat` is a
/// random orthonormal basis of a space across all gathered directions and all normals; where these are too many to leave one, across the
/// first d - m singular vectors of them.
/// Whether the directions are those of unseen images, too, is for curvature_ratio, subspace_noise and share_inside to say.
///
/// Cost: that of principal_curvatures. Memory: its result and six times what was gathered. Errors: its own, no boundary found, dimensions
/// that are 0, more than were gathered or than half of the image.
///
///     auto const shared = measure(shared_curvature{.random = rng{1}}, lenet, digits);
///     auto const unseen = measure(curvature_ratio{.random = rng{2}, .given = shared.curved}, lenet, other_digits);
struct shared_curvature {
  rng random;                            ///< of flat directions
  principal_curvatures curvatures = {};  ///< how those of each image are found
  std::size_t dimensions = 10;           ///< m, of either subspace

  struct result {
    tensor<float, 2> curved, flat;  ///< (m, d), orthonormal rows
    std::vector<double> strengths;  ///< singular values of what was gathered, falling
    principal_curvatures::result images;
    cost spent;

    /// Of the squared weights of all that was gathered: which share is inside the curved subspace.
    [[nodiscard]] double share_gathered() const {
      double sum = 0, all = 0;
      for (std::size_t j = 0; j < strengths.size(); ++j) {
        all += strengths[j] * strengths[j];
        if (j < curved.shape()[0]) sum += strengths[j] * strengths[j];
      }
      return sum / all;
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      auto all = images.figures();
      all.emplace_back("share of curvature in the shared subspace", share_gathered());
      return all;
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      auto all = images.arrays(prefix);
      all.push_back(named(prefix + "curved", curved));
      all.push_back(named(prefix + "flat", flat));
      all.push_back(detail::named_values(prefix + "strengths", strengths));
      return all;
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    image_shape const shape = model.input();
    std::size_t const d = shape[0] * shape[1] * shape[2];
    curvatures.check("shared_curvature", d);
    if (dimensions == 0 || 2 * dimensions > d)
      detail::fail("shared_curvature: dimensions is ", dimensions, " for images of ", d,
                   " values; give at least 1 and at most half of them");
    auto images = curvatures.measure(model, x, labels);
    auto const who = images.boundary.found();
    std::size_t const each = 2 * images.extremes, gathered = who.size() * each;
    if (gathered < dimensions)
      detail::fail("shared_curvature: dimensions is ", dimensions, " but the boundaries found gave ", gathered,
                   " directions; give more images or extremes");
    auto rows = filled<float, 2>({gathered + who.size(), d});
    for (std::size_t k = 0; k < who.size(); ++k) {
      gather(images, who[k], as_view(rows).rows(k * each, each));
      std::ranges::copy(as_view(images.boundary.normals).row(who[k]), as_view(rows).row(gathered + k).begin());
    }
    auto const curved = right_singular(first_rows(rows, gathered));
    auto const taken = right_singular(rows);
    result found{.curved = first_rows(curved.vectors, dimensions),
                 .flat = across(taken.vectors, d),
                 .strengths = curved.values,
                 .images = std::move(images),
                 .spent = {}};
    found.spent = found.images.spent;
    return found;
  }

 private:
  static void gather(principal_curvatures::result const& images, std::size_t i, view<float, 2> to) {
    std::size_t const d = to.shape[1];
    double largest = 0;
    for (double const v : as_view(images.along).row(i)) largest = std::max(largest, std::abs(v));
    for (std::size_t j = 0; j < to.shape[0]; ++j) {
      auto const weight = static_cast<float>(largest > 0 ? images.along(i, j) / largest : 0);
      std::ranges::transform(as_view(images.directions).row(i).subspan(j * d, d), to.row(j).begin(), [=](float v) { return weight * v; });
    }
  }

  struct singular {
    std::vector<double> values;
    tensor<float, 2> vectors;  ///< (values, d)
  };
  [[nodiscard]] static singular right_singular(tensor<float, 2> const& rows) {
    tensor<double, 2> const exact = rows;  // see all_eigenpairs
    auto const parts = xt::linalg::svd(exact, false);
    auto const& values = std::get<1>(parts);
    return {{values.begin(), values.end()}, std::get<2>(parts)};
  }

  [[nodiscard]] static tensor<float, 2> first_rows(tensor<float, 2> const& rows, std::size_t count) {
    auto result = filled<float, 2>({count, rows.shape()[1]});
    std::copy_n(rows.data(), result.size(), result.data());
    return result;
  }

  /// Orthonormal random vectors across the rows of `taken`, or as many of the first as leave room.
  [[nodiscard]] tensor<float, 2> across(tensor<float, 2> const& taken, std::size_t d) const {
    auto result = filled<float, 2>({dimensions, d});
    auto const basis = as_view(taken).rows(0, std::min(taken.shape()[0], d - dimensions));
    detail::for_rows(dimensions, 4 * basis.size(), [&](std::size_t j) {
      auto const v = as_view(result).row(j);
      detail::draw_direction(random.stream(j), v);
      for (std::size_t k = 0; k < 2 * basis.shape[0]; ++k) detail::remove_component(basis.row(k % basis.shape[0]), v);
      detail::to_unit_length(v);
    });
    for (std::size_t j = 0; j < dimensions; ++j) {
      for (std::size_t k = 0; k < 2 * j; ++k) detail::remove_component(as_view(result).row(k % j), as_view(result).row(j));
      detail::to_unit_length(as_view(result).row(j));
    }
    return result;
  }
};

}  // namespace pareidolia
