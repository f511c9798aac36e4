// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/filters.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/encodings/perturbation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pareidolia {

/// Smooth images near given ones: x = clip(canvas + d, 0, 1), where d has only the side x side lowest frequencies of each channel and the
/// genotype their coefficients:
///
///   d(c, h, w) = sum_{u, v < side} p(c, u, v) b_u(h) b_v(w),  b_u(h) = s_u cos(pi u (h + 1/2) / height)
///
/// with the s_u that make the b_u orthonormal, so ||p||_2 = ||d||_2 and the radius means what it means for perturbation{l2{}}. As few
/// numbers as a small image has, which suits searches without gradients (Guo, Frank and Weinberger, UAI 2019), and gradients of the lowest
/// frequencies alone: pullback is the cosine transform of dx, with clipping let through.
///
/// project: what the box cuts off canvas + d is taken off p as far as those frequencies can show it, then p is brought into the ball. That
/// is one of the alternating projections that would lead to the box; what is left outside decode clips. Genotypes whose images are in the
/// box stay. A perturbation shown on several canvases is held by the ball alone.
///
/// Errors: no frequencies, or more than an image has lines or columns; a radius that is negative or not a number.
struct fourier {
  std::size_t side = 16;  ///< frequencies in each direction
  l2 norm = {};

  template <class A>
  void settings(A& a) const {
    a.setting("fourier.side", side);
    a.setting("fourier.radius", norm.radius);
  }

  template <space S>
  using population = perturbations<S>;

  template <space S>
  [[nodiscard]] perturbations<S> buffer(std::size_t n, view<float const, 4, S> canvas) const {
    perturbation<l2>{norm}.check();
    std::size_t const most = std::min(canvas.shape[2], canvas.shape[3]);
    if (side == 0 || side > most) detail::fail("fourier: side is ", side, "; give 1 to ", most, ", the lines and columns of the images");
    return {{canvas.shape[1], side, side}, storage<float, 2, S>({n, canvas.shape[1] * side * side}), std::vector<float>(n, norm.radius)};
  }

  template <space S>
  void decode(perturbations<S> const& p, view<float const, 4, S> canvas, view<float, 4, S> x) const {
    storage<float, 2, S> const d = drawn(p, canvas);
    add_to_canvas(canvas, d.view(), x);
  }

  template <space S>
  void pullback(perturbations<S> const&, view<float const, 4, S> canvas, view<float const, 4, S> dx, perturbations<S>& dp) const {
    storage<float, 2, S> sum({dp.size(), canvas.stride()});
    sum_rows(dx, sum.view());
    to_frequencies(side, shape_of(canvas), view<float const, 2, S>(sum.view()), dp.rows());
  }

  template <space S>
  void project(perturbations<S>& p, view<float const, 4, S> canvas) const {
    if (p.size() >= canvas.shape[0]) {
      storage<float, 2, S> const d = drawn(p, canvas);
      storage<float, 2, S> inside({p.size(), canvas.stride()}), cut({p.size(), p.rows().shape[1]});
      copy(d.view(), inside.view());
      clamp_to_box(canvas, inside.view());
      axpy_rows(std::vector<float>(p.size(), -1), d.view(), inside.view());
      to_frequencies(side, shape_of(canvas), view<float const, 2, S>(inside.view()), cut.view());
      axpy_rows(std::vector<float>(p.size(), 1), view<float const, 2, S>(cut.view()), p.rows());
    }
    norm.project(std::span<float const>(p.radii), p.shape, p.rows());
  }

  template <space S>
  void steepest(perturbations<S> const&, view<float const, 4, S>, view<float, 2, S> g) const {
    norm.steepest(g);
  }

  template <space S>
  void scatter(perturbations<S>& p, std::span<std::size_t const> rows, std::span<std::uint64_t const> ids, rng const& random) const {
    perturbation<l2>{norm}.scatter(p, rows, ids, random);
  }

 private:
  template <space S>
  static image_shape shape_of(view<float const, 4, S> canvas) {
    return {canvas.shape[1], canvas.shape[2], canvas.shape[3]};
  }

  // d of each genotype.
  template <space S>
  storage<float, 2, S> drawn(perturbations<S> const& p, view<float const, 4, S> canvas) const {
    storage<float, 2, S> d({p.size(), canvas.stride()});
    from_frequencies(side, shape_of(canvas), p.rows(), d.view());
    return d;
  }
};

static_assert(NormedEncoding<fourier, space::host>);

}  // namespace pareidolia
