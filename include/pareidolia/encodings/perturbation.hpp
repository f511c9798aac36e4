// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encoding.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace pareidolia {

/// Norms that perturbations are measured in. Each has a radius; its `project` brings rows into balls of the given radii, `steepest` turns
/// gradients g into the d with ||d|| = 1 and the largest <g, d>, `fill` draws one row uniformly from the ball.
///
/// ||d||_inf = max |d_j|. steepest: sign(g).
struct linf {
  float radius = std::numeric_limits<float>::infinity();
  static constexpr std::string_view name = "linf";

  template <space S>
  void project(std::span<float const> radii, image_shape const&, view<float, 2, S> d) const {
    clamp_rows(radii, d);
  }
  template <space S>
  void steepest(view<float, 2, S> g) const {
    sign_rows(g);
  }
  void fill(std::span<float> d, image_shape const&, float r, random_stream& stream) const {
    for (float& v : d) v = stream.uniform(-r, r);
  }
};

/// ||d||_2 = sqrt(sum d_j^2), over the whole image. steepest: g / ||g||_2.
struct l2 {
  float radius = std::numeric_limits<float>::infinity();
  static constexpr std::string_view name = "l2";

  template <space S>
  void project(std::span<float const> radii, image_shape const&, view<float, 2, S> d) const {
    std::vector<double> norm(d.shape[0]);
    norm2_rows(d, norm);
    std::vector<float> factor;
    for (std::size_t i = 0; i < norm.size(); ++i)
      factor.push_back(norm[i] <= double{radii[i]} ? 1.f : static_cast<float>(double{radii[i]} / norm[i]));
    if (std::any_of(factor.begin(), factor.end(), [](float f) { return f != 1; })) scale_rows(factor, d);
  }
  template <space S>
  void steepest(view<float, 2, S> g) const {
    std::vector<double> norm(g.shape[0]);
    norm2_rows(g, norm);
    std::vector<float> factor;
    for (double n : norm) factor.push_back(n > 0 ? static_cast<float>(1 / n) : 0.f);
    scale_rows(factor, g);
  }
  void fill(std::span<float> d, image_shape const&, float r, random_stream& stream) const {
    double square = 0;
    for (float& v : d) v = stream.normal(), square += double{v} * double{v};
    double const length = double{r} * std::pow(double{stream.uniform()}, 1 / static_cast<double>(d.size()));
    for (float& v : d) v *= static_cast<float>(length / std::sqrt(square));
  }
};

/// ||d||_1 = sum |d_j|. The steepest step would move one value alone; as in SLIDE (Tramer and Boneh 2019) it moves a share of them equally,
/// those with the largest gradients, leaving out those that the box holds back.
struct l1 {
  float radius = std::numeric_limits<float>::infinity();
  float share = .01f;  ///< of the values that a step moves, in [0, 1]; at least one is
  static constexpr std::string_view name = "l1";

  template <space S>
  void project(std::span<float const> radii, image_shape const&, view<float, 2, S> d) const {
    project_l1_rows(radii, d);
  }
  template <space S>
  void steepest(view<float, 2, S> g) const {
    sparse_sign_rows(std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<float>(g.shape[1]))), g);
  }
  void fill(std::span<float> d, image_shape const&, float r, random_stream& stream) const {
    double sum = -std::log1p(-double{stream.uniform()});  // of n + 1 exponential numbers
    for (float& v : d) {
      auto const e = static_cast<float>(-std::log1p(-double{stream.uniform()}));
      sum += double{e};
      v = stream.chance(.5f) ? e : -e;
    }
    for (float& v : d) v *= static_cast<float>(double{r} / sum);
  }
};

/// The number of pixels that are not 0, whatever they are in each channel: `radius` of them may be changed at will. steepest: g / ||g||_2,
/// since the count gives steps no length.
struct l0 {
  float radius = std::numeric_limits<float>::infinity();  ///< pixels
  static constexpr std::string_view name = "l0";

  template <space S>
  void project(std::span<float const> radii, image_shape const& shape, view<float, 2, S> d) const {
    keep_pixels(radii, shape, d);
  }
  template <space S>
  void steepest(view<float, 2, S> g) const {
    l2{}.steepest(g);
  }
  void fill(std::span<float> d, image_shape const& shape, float r, random_stream& stream) const {
    std::size_t const area = shape[1] * shape[2];
    std::fill(d.begin(), d.end(), 0.f);
    for (std::size_t k = 0; k < std::min(area, static_cast<std::size_t>(std::min(r, 1e9f))); ++k) {
      std::size_t const pixel = stream.below(static_cast<std::uint32_t>(area));
      for (std::size_t c = 0; c < shape[0]; ++c) d[c * area + pixel] = stream.uniform(-1, 1);
    }
  }
};

/// A batch of perturbations: what is added to the canvas, and how large it may be.
template <space S>
struct perturbations {
  image_shape shape;
  storage<float, 2, S> values;  ///< (size, channels * height * width)
  std::vector<float> radii;     ///< (size)

  [[nodiscard]] std::size_t size() const { return radii.size(); }
  [[nodiscard]] view<float, 2, S> rows() { return values.view(); }
  [[nodiscard]] view<float const, 2, S> rows() const { return values.view(); }

  void assign(std::span<std::size_t const> to, perturbations const& source, std::span<std::size_t const> from) {
    copy_rows(source.rows(), from, rows(), to);
    for (std::size_t k = 0; k < to.size(); ++k) radii[to[k]] = source.radii[from[k]];
  }

  void limit(std::span<std::size_t const> which, std::span<float const> limits) {
    for (std::size_t k = 0; k < which.size(); ++k) radii[which[k]] = limits[k];
  }
  [[nodiscard]] std::span<float const> limits() const { return radii; }
};

/// Images near given ones: x = clip(canvas + d, 0, 1), ||d|| <= radius, d the genotype. A neutral one is d = 0.
///
/// project: d to the nearest value by value for which canvas + d is in [0, 1], then into the ball; the second step leaves the box no more,
/// so both hold. For linf that is the nearest permitted d; for the other norms one near it. A perturbation shown on several canvases (a
/// universal one: 1 genotype, N canvases) is held by the ball alone, and x is clipped. pullback: dp = dx, summed over the canvases of a
/// genotype; clipping lets gradients straight through.
///
///     attack const nudge{perturbation{linf{8 / 255.f}}, cross_entropy{}, pgd{}};
///
/// The norms are linf, l2, l1 and l0; radii in units of pixel values, which are in [0, 1]; for l0 pixels. An infinite radius leaves the
/// box alone. Errors: a radius that is negative or not a number.
template <class Norm>
struct perturbation {
  Norm norm = {};

  template <class A>
  void settings(A& a) const {
    a.setting("perturbation.norm", Norm::name);
    a.setting("perturbation.radius", norm.radius);
    if constexpr (requires { norm.share; }) a.setting("perturbation.share", norm.share);
  }

  template <space S>
  using population = perturbations<S>;

  void check() const {
    if (!(norm.radius >= 0)) detail::fail("perturbation: the radius of ", Norm::name, " is ", norm.radius, "; give 0 or more");
  }

  template <space S>
  [[nodiscard]] perturbations<S> buffer(std::size_t n, view<float const, 4, S> canvas) const {
    check();
    return {{canvas.shape[1], canvas.shape[2], canvas.shape[3]},
            storage<float, 2, S>({n, canvas.stride()}),
            std::vector<float>(n, norm.radius)};
  }

  template <space S>
  void decode(perturbations<S> const& p, view<float const, 4, S> canvas, view<float, 4, S> x) const {
    add_to_canvas(canvas, p.rows(), x);
  }

  template <space S>
  void pullback(perturbations<S> const&, view<float const, 4, S>, view<float const, 4, S> dx, perturbations<S>& dp) const {
    sum_rows(dx, dp.rows());
  }

  template <space S>
  void project(perturbations<S>& p, view<float const, 4, S> canvas) const {
    if (p.size() >= canvas.shape[0]) clamp_to_box(canvas, p.rows());
    norm.project(std::span<float const>(p.radii), p.shape, p.rows());
  }

  template <space S>
  void steepest(perturbations<S> const& p, view<float const, 4, S> canvas, view<float, 2, S> g) const {
    if constexpr (requires { norm.share; })
      if (p.size() >= canvas.shape[0]) zero_outward(canvas, p.rows(), g);
    norm.steepest(g);
  }

  template <space S>
  void scatter(perturbations<S>& p, std::span<std::size_t const> rows, std::span<std::uint64_t const> ids, rng const& random) const {
    std::size_t const length = p.rows().shape[1];
    auto drawn = filled<float, 2>({rows.size(), length});
    detail::for_rows(rows.size(), 32 * length, [&](std::size_t k) {
      auto stream = random.stream(ids[k]);
      norm.fill(as_view(drawn).row(k), p.shape, std::min(p.radii[rows[k]], 1e9f), stream);
    });
    for (std::size_t k = 0; k < rows.size(); ++k) copy(view<float const, 2>(as_view(drawn).rows(k, 1)), p.rows().rows(rows[k], 1));
  }
};
template <class Norm>
perturbation(Norm) -> perturbation<Norm>;

static_assert(NormedEncoding<perturbation<linf>, space::host> && NormedEncoding<perturbation<l2>, space::host>);
static_assert(NormedEncoding<perturbation<l1>, space::host> && NormedEncoding<perturbation<l0>, space::host>);
static_assert(LimitedPopulation<perturbations<space::host>>);

}  // namespace pareidolia
