// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/attempts.hpp>
#include <pareidolia/optimizer.hpp>

#include <cstddef>
#include <utility>

namespace pareidolia {

/// Up to `attempts` searches of each image, the next one with other randomness where one ended without success: restarts{10, pgd{}}.
///
/// The answer of an image is that of the first attempt that succeeds, else of the attempt that saw the largest value. One attempt is the
/// optimizer itself. Cost: that of the attempts that an image needs; easy images leave the batch early and hard ones stay.
/// Errors: no attempts.
template <class O>
struct restarts {
  std::size_t attempts = 10;
  O optimizer = {};

  template <class A>
  void settings(A& a) const {
    a.setting("restarts.attempts", attempts);
    detail::describe(a, "optimizer", optimizer);
  }

  [[nodiscard]] float radius(detail::trial const& t) const { return t.given; }
  [[nodiscard]] bool better(detail::trial const& t, detail::ending const& e) const {
    return std::pair{e.success, e.value} > std::pair{t.success, t.value};
  }
  [[nodiscard]] bool again(detail::trial const& t, detail::ending const& e) const { return !e.success && t.attempt + 1 < attempts; }

  template <class E, space S>
  requires ImagewiseOptimizer<O, E, S>
  [[nodiscard]] auto start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (attempts == 0) detail::fail("restarts: attempts is 0; give at least 1");
    using search = detail::attempts<restarts, search_t<O, E, S>, E, S>;
    return search(*this, optimizer.start(encoding, canvas, random), encoding, canvas, random);
  }
};
template <class O>
restarts(std::size_t, O) -> restarts<O>;

}  // namespace pareidolia
