// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/state.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/objective.hpp>

#include <cstddef>
#include <type_traits>

namespace pareidolia {
namespace detail {

template <std::size_t Rank>
void negate(view<float, Rank, space::host> values) {
  for (float& v : values.flat()) v = -v;
}
template <std::size_t Rank>
void negate(view<float, Rank, space::device> values);  // objectives/device/opposite.hpp

/// v = -o: for each verb that o has, its results with the other sign.
template <class O>
struct opposite {
  static_assert(!ImageAddend<O, space::host>,
                "towards, away_from: addends on the image stay as they are, write towards{objective} + addend");
  O objective;

  template <class A>
  void settings(A& a) const {
    detail::describe(a, "objective", objective);
  }

  /// The space is that of what is written, so that scores may be mutable ones.
  template <space S>
  using scores = std::type_identity_t<const_score_view<S>>;

  template <space S>
  requires Objective<O, S>
  void value(scores<S> y, label_view t, view<float, 1, S> v) const {
    objective.value(y, t, v);
    negate(v);
  }
  template <space S>
  requires DifferentiableObjective<O, S>
  void seed(scores<S> y, label_view t, view<float, 2, S> dy) const {
    objective.seed(y, t, dy);
    negate(dy);
  }
  template <space S>
  requires ClasswiseObjective<O, S>
  void values(scores<S> y, view<float, 2, S> v) const {
    objective.values(y, v);
    negate(v);
  }
};

}  // namespace detail

/// An untargeted objective turned round, v = -o: what leaving a class raises, reaching it lowers. `towards{cross_entropy{}}` reaches
/// classes by their log-probability, `towards{margin{}}` by their lead over all others.
///
/// It has the verbs that o has, in the memory spaces where o has them.
template <class O>
struct towards : detail::opposite<O> {
  static_assert(!static_cast<bool>(O::targeted), "towards: the objective has classes to reach already, use it as it is");
  static constexpr bool targeted = true;
};
template <class O>
towards(O) -> towards<O>;

/// A targeted objective turned round, v = -o: `away_from{logit{}}` leaves classes by lowering their score.
///
/// It has the verbs that o has, in the memory spaces where o has them.
template <class O>
struct away_from : detail::opposite<O> {
  static_assert(static_cast<bool>(O::targeted), "away_from: the objective has classes to leave already, use it as it is");
  static constexpr bool targeted = false;
};
template <class O>
away_from(O) -> away_from<O>;

}  // namespace pareidolia
