// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/probes/background.hpp>

#include <support/analytic_models.hpp>

#include <omp.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

// What probes of patches are tested on: two classes, of which the second has the score sum_j w_j x_j and the first 0. So on black each
// patch adds its own sum, wherever others are, and a place is good or bad by the weights that are there.

namespace pareidolia_test {

using namespace pareidolia;

/// Grey images of side x side pixels; weights are uniform in [-reach, reach].
[[nodiscard]] inline plane_model two_classes(std::size_t side, double reach, std::uint64_t seed) {
  plane_model m{.shape = {1, side, side}, .w = {std::vector<double>(side * side), {}}, .b = {0, 0}};
  auto stream = rng(seed).stream(0);
  for (std::size_t j = 0; j < side * side; ++j) m.w[1].push_back(reach * (2 * double{stream.uniform()} - 1));
  return m;
}

/// n images of uniform pixels, all of class 1.
[[nodiscard]] inline labelled_images of_class_1(plane_model const& m, std::size_t n, std::uint64_t seed) {
  auto images = random_images(m, n, seed, 0, 1);
  images.labels.assign(n, 1);
  return images;
}

/// log p_1 of a score: -log(1 + exp(-s)).
[[nodiscard]] inline double log_sigmoid(double s) { return s > 0 ? -std::log1p(std::exp(-s)) : s - std::log1p(std::exp(s)); }
[[nodiscard]] inline double log10_sigmoid(double s) { return log_sigmoid(s) / std::log(10.); }

/// What the pixels of window `from` of an image score where window `at` is, less those of `base` there (black, if empty).
[[nodiscard]] inline double score_of(plane_model const& m, std::span<float const> image, patch_window const& from, patch_window const& at,
                                     std::span<float const> base = {}) {
  std::size_t const side = m.shape[2];
  double sum = 0;
  for (std::size_t y = 0; y < from.height; ++y)
    for (std::size_t x = 0; x < from.width; ++x) {
      std::size_t const to = (at.top + y) * side + at.left + x;
      double const before = base.empty() ? 0 : double{base[to]};
      sum += m.w[1][to] * (double{image[(from.top + y) * side + from.left + x]} - before);
    }
  return sum;
}

inline background const on_black{.kind = background_kind::black};

/// A model that notes how many images each forward is of.
template <class M>
struct noting {
  static constexpr space memory = M::memory;
  using workspace = typename M::workspace;
  M model;
  std::vector<std::size_t>* batches;

  [[nodiscard]] image_shape input() const { return model.input(); }
  [[nodiscard]] std::size_t classes() const { return model.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return model.prepare(n); }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    batches->push_back(x.shape[0]);
    model.forward(x, y, w);
  }
};

template <class M>
noting(M, std::vector<std::size_t>*) -> noting<M>;

/// body() with one thread and with three, what it gives with each.
template <class Body>
[[nodiscard]] auto with_threads(Body const& body) {
  int const former = omp_get_max_threads();
  omp_set_num_threads(1);
  auto const one = body();
  omp_set_num_threads(3);
  auto const three = body();
  omp_set_num_threads(former);
  return std::pair{one, three};
}

}  // namespace pareidolia_test
