// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/state.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/objective.hpp>

#include <type_traits>

namespace pareidolia {

/// An objective on scores and an addend on images, written as a sum:
///     towards{cross_entropy{}} + distortion{.weight = 10} + total_variation{.weight = 1e-2f}
///
/// On scores it is the objective; `add_value` and `add_gradient` are those of all addends. It has classes to reach or to leave as the
/// objective has. Not classwise, even if the objective is: a champion per class would be chosen without the addends.
template <class O, class A>
struct penalised {
  static constexpr bool targeted = O::targeted;

  O objective;
  A addend;

  template <class Archive>
  void settings(Archive& a) const {
    detail::describe(a, "objective", objective);
    detail::describe(a, "addend", addend);
  }

  /// The space is that of what is written, so that scores and images may be mutable ones.
  template <space S>
  using scores = std::type_identity_t<const_score_view<S>>;
  template <space S>
  using pixels = std::type_identity_t<const_image_view<S>>;

  /// In memory S all addends can be added: none gets lost where one has the verbs and another has not.
  template <space S>
  static constexpr bool adds = (ImageAddend<O, S> == ImageAddend<O, space::host>)&&ImageAddend<A, S>;

  template <space S>
  requires Objective<O, S>
  void value(scores<S> y, label_view t, view<float, 1, S> v) const { objective.value(y, t, v); }
  template <space S>
  requires DifferentiableObjective<O, S>
  void seed(scores<S> y, label_view t, view<float, 2, S> dy) const { objective.seed(y, t, dy); }

  template <space S>
  requires adds<S>
  void add_value(pixels<S> x, pixels<S> canvas, view<float, 1, S> v) const {
    if constexpr (ImageAddend<O, S>) objective.add_value(x, canvas, v);
    addend.add_value(x, canvas, v);
  }
  template <space S>
  requires adds<S>
  void add_gradient(pixels<S> x, pixels<S> canvas, view<float, 4, S> dx) const {
    if constexpr (ImageAddend<O, S>) objective.add_gradient(x, canvas, dx);
    addend.add_gradient(x, canvas, dx);
  }
};
template <class O, class A>
penalised(O, A) -> penalised<O, A>;  // Clang before 17 deduces no aggregate

template <Objective<space::host> O, ImageAddend<space::host> A>
[[nodiscard]] constexpr penalised<O, A> operator+(O const& objective, A const& addend) {
  return {objective, addend};
}

}  // namespace pareidolia
