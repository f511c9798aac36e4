// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/attempts.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace pareidolia {

/// The smallest ball in which an optimizer finds a success, by bisection for each image: minimal_radius{10, pgd{}}.
///
/// The first search is in the encoding's whole ball, which must be finite; an image without a success there is given up. Then the radius
/// is halved `steps` times between the largest that failed, 0 to begin with, and the smallest that succeeded, so the answer, a success, is
/// at most radius / 2^steps larger than it need be, as far as the optimizer finds a success where there is one.
/// Cost: at most steps + 1 searches of an image; those that succeed early cost little where the optimizer stops at a success.
/// Errors: a ball without a radius.
template <class O>
struct minimal_radius {
  std::size_t steps = 10;
  O optimizer = {};

  template <class A>
  void settings(A& a) const {
    a.setting("minimal_radius.steps", steps);
    detail::describe(a, "optimizer", optimizer);
  }

  [[nodiscard]] float radius(detail::trial const& t) const { return t.attempt == 0 ? t.given : (t.low + t.high) / 2; }
  [[nodiscard]] bool better(detail::trial const&, detail::ending const& e) const { return e.success; }
  [[nodiscard]] bool again(detail::trial& t, detail::ending const& e) const {
    if (!e.success && t.attempt == 0) return false;
    (e.success ? t.high : t.low) = radius(t);
    return t.attempt < steps;
  }

  template <class E, space S>
  requires ImagewiseOptimizer<O, E, S> && LimitedPopulation<population_t<E, S>>
  [[nodiscard]] auto start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    using search = detail::attempts<minimal_radius, search_t<O, E, S>, E, S>;
    auto const ball = encoding.buffer(1, canvas);
    if (!std::isfinite(ball.limits()[0])) detail::fail("minimal_radius: the ball has no radius; give the encoding the largest one to try");
    return search(*this, optimizer.start(encoding, canvas, random), encoding, canvas, random);
  }
};
template <class O>
minimal_radius(std::size_t, O) -> minimal_radius<O>;

/// Searches in balls of ascending radii, an image until its first success: sweep{{1 / 255.f, 2 / 255.f, 4 / 255.f}, pgd{}}.
///
/// The radius of the encoding does not matter. The share of images whose answer is a success at a distance of at most r is the success of
/// the optimizer over the radius, all in one run. The answer of an image without any is that of the largest radius.
/// Errors: no radii, or some that do not ascend.
template <class O>
struct sweep {
  std::vector<float> radii;
  O optimizer = {};

  template <class A>
  void settings(A& a) const {
    a.setting("sweep.radii", radii.size());
    for (std::size_t k = 0; k < radii.size(); ++k) a.setting(detail::text("sweep.radius ", k), radii[k]);
    detail::describe(a, "optimizer", optimizer);
  }

  [[nodiscard]] float radius(detail::trial const& t) const { return radii[t.attempt]; }
  [[nodiscard]] bool better(detail::trial const&, detail::ending const&) const { return true; }
  [[nodiscard]] bool again(detail::trial const& t, detail::ending const& e) const { return !e.success && t.attempt + 1 < radii.size(); }

  template <class E, space S>
  requires ImagewiseOptimizer<O, E, S> && LimitedPopulation<population_t<E, S>>
  [[nodiscard]] auto start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    using search = detail::attempts<sweep, search_t<O, E, S>, E, S>;
    if (radii.empty()) detail::fail("sweep: there are no radii; give at least one");
    for (std::size_t k = 1; k < radii.size(); ++k)
      if (!(radii[k - 1] < radii[k])) detail::fail("sweep: radius ", radii[k], " comes after ", radii[k - 1], "; give them ascending");
    return search(*this, optimizer.start(encoding, canvas, random), encoding, canvas, random);
  }
};
template <class O>
sweep(std::vector<float>, O) -> sweep<O>;

}  // namespace pareidolia
