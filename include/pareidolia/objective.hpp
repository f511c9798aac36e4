// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>

#include <concepts>

namespace pareidolia {

/// What an attack wants of the scores. `o.value(y, t, v)` writes v(i), the worth of image i; larger is better.
///
/// y (count, classes) logits; t (count) one class per image: the class to reach if `O::targeted`, else the class to leave; v (count).
template <class O, space S>
concept Objective = requires(O const& o, const_score_view<S> y, label_view t, value_view<S> v) {
  { O::targeted } -> std::convertible_to<bool>;
  { o.value(y, t, v) } -> std::same_as<void>;
};

/// `o.seed(y, t, dy)` writes dy (count, classes) = dv(i) / dy(i, k): where backward starts.
template <class O, space S>
concept DifferentiableObjective = Objective<O, S> && requires(O const& o, const_score_view<S> y, label_view t, score_view<S> dy) {
  { o.seed(y, t, dy) } -> std::same_as<void>;
};

/// `o.values(y, v)` writes v(i, k), the worth of image i if class k were its target: every class at once, for searches that keep one
/// champion per class. y and v (count, classes).
template <class O, space S>
concept ClasswiseObjective = Objective<O, S> && requires(O const& o, const_score_view<S> y, score_view<S> v) {
  { o.values(y, v) } -> std::same_as<void>;
};

/// What is wanted of the images themselves, a sum of differentiable terms: `a.add_value(x, canvas, v)` adds the worth of image i to v(i),
/// `a.add_gradient(x, canvas, dx)` adds its derivative by x. Image i belongs to canvas i mod canvases.
///
/// x and dx (count, channels, height, width), canvas (canvases, channels, height, width), v (count). Neither reads what it adds to.
template <class A, space S>
concept ImageAddend = requires(A const& a, const_image_view<S> x, const_image_view<S> canvas, value_view<S> v, image_view<S> dx) {
  { a.add_value(x, canvas, v) } -> std::same_as<void>;
  { a.add_gradient(x, canvas, dx) } -> std::same_as<void>;
};

/// An objective that has both verbs besides those on scores: its worth is `value` plus `add_value`, its derivative by x that of the scores
/// plus `add_gradient`. Searches over all classes at once know no such sum, so it is not classwise.
template <class O, space S>
concept ImageObjective = Objective<O, S> && ImageAddend<O, S>;

}  // namespace pareidolia
