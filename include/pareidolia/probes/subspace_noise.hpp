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
#include <pareidolia/detail/boundary_walk.hpp>
#include <pareidolia/detail/curvature.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/vectors.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace pareidolia {

/// How often noise of a given norm, drawn in a subspace S of the images, changes the class: the share of x + rho v that the model sees
/// otherwise than x, v uniform among the unit vectors of S, as a function of rho (after Fawzi et al., CVPR 2018).
///
/// A noise is drawn once and used with every norm; nothing is kept in [0, 1]. What the model sees in x need not be its label.
/// Cost: a forward for each image, and one for each image, draw and norm. Memory: two batches of images. Errors: no batch, norms or draws,
/// a norm that is negative, a subspace of vectors of another length.
///
///     subspace_noise const probe{.random = rng{1}, .subspace = shared.curved, .norms = {1, 2, 4}};
///     double const changed = measure(probe, lenet, digits).share[0];
struct subspace_noise {
  rng random;                                            ///< noise j of image i comes from stream j of its fork i
  tensor<float, 2> subspace = filled<float, 2>({0, 0});  ///< (m, d), orthonormal rows; all of R^d if there are none
  std::vector<double> norms;                             ///< rho, >= 0
  std::size_t draws = 10;                                ///< for each image
  std::size_t batch = 64;

  struct result {
    std::vector<double> norms, share;    ///< rho, and the share of images and draws whose class has changed
    std::vector<double> standard_error;  ///< of each share, from its spread over images; 0 for one image
    cost spent;

    [[nodiscard]] std::vector<named_figure> figures() const {
      std::vector<named_figure> all;
      for (std::size_t r = 0; r < norms.size(); ++r) all.emplace_back(detail::text("share changed at ", norms[r]), share[r]);
      return all;
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      return {detail::named_values(prefix + "norms", norms), detail::named_values(prefix + "share", share),
              detail::named_values(prefix + "standard_error", standard_error)};
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view) const {
    detail::landscape f("subspace_noise", model, batch);
    check(f.length());
    auto const images = detail::rows_of(x);
    std::size_t const n = x.shape[0], pairs = n * draws;
    std::vector<int> own(n);
    f.scores(
        n, [&](std::size_t i, std::span<float> to) { std::ranges::copy(as_view(images).row(i), to.begin()); },
        [&](std::size_t i, std::span<float const> y) { own[i] = detail::highest(y); });

    auto changed = filled<unsigned char, 2>({norms.size(), pairs});
    auto noise = filled<float, 2>({std::min(batch, pairs), f.length()});
    for (std::size_t first = 0; first < pairs; first += batch) {
      std::size_t const count = std::min(batch, pairs - first);
      detail::for_rows(count, 32 * f.length(),
                       [&](std::size_t k) { draw((first + k) / draws, (first + k) % draws, as_view(noise).row(k)); });
      f.scores(
          norms.size() * count,
          [&](std::size_t p, std::span<float> to) {
            detail::along(as_view(images).row((first + p % count) / draws), norms[p / count], as_view(noise).row(p % count), to);
          },
          [&](std::size_t p, std::span<float const> y) {
            changed(p / count, first + p % count) = detail::highest(y) != own[(first + p % count) / draws];
          });
    }
    result found{norms, {}, {}, {}};
    for (std::size_t r = 0; r < norms.size(); ++r) summarise(found, as_view(changed).row(r));
    found.spent = f.cost();
    return found;
  }

 private:
  void check(std::size_t d) const {
    if (norms.empty() || draws == 0)
      detail::fail("subspace_noise: ", norms.size(), " norms and ", draws, " draws; give at least 1 of each");
    for (double const norm : norms)
      if (!(norm >= 0)) detail::fail("subspace_noise: a norm is ", norm, "; give numbers of at least 0");
    if (subspace.shape()[0] > 0 && subspace.shape()[1] != d)
      detail::fail("subspace_noise: the subspace has vectors of ", subspace.shape()[1], " values; give ", d, ", as an image has");
  }

  /// Noise j of image i.
  void draw(std::size_t i, std::size_t j, std::span<float> v) const {
    auto stream = random.fork(i).stream(j);
    auto const basis = as_view(subspace);
    if (basis.shape[0] == 0) return detail::draw_direction(stream, v);
    std::vector<float> at(basis.shape[0]);
    detail::draw_direction(stream, at);
    std::ranges::fill(v, 0.f);
    for (std::size_t k = 0; k < at.size(); ++k) detail::along(v, double{at[k]}, basis.row(k), v);
  }

  void summarise(result& found, std::span<unsigned char const> changed) const {
    auto const n = static_cast<double>(changed.size() / draws);
    double sum = 0, squares = 0;
    for (std::size_t first = 0; first < changed.size(); first += draws) {
      double const share = static_cast<double>(std::ranges::count(changed.subspan(first, draws), 1)) / static_cast<double>(draws);
      sum += share;
      squares += share * share;
    }
    found.share.push_back(sum / n);
    found.standard_error.push_back(n > 1 ? std::sqrt(std::max(0., squares / n - sum * sum / n / n) / (n - 1)) : 0);
  }
};

}  // namespace pareidolia
