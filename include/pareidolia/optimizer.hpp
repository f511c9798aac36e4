// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/encoding.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace pareidolia {

/// One named figure of a running search ("replaced", 12), for sinks to print, store and plot.
struct figure {
  std::string_view name;
  double value = 0;
};

/// Where a search stands: `step` of `steps` taken (steps = 0: unknown), and the figures it keeps, always the same names in the same order.
struct standing {
  std::size_t step = 0, steps = 0;
  std::span<figure const> figures;
};

/// What a search learns about the population it asked for. New fields never break a user's search.
template <space S>
struct evaluation {
  const_score_view<S> scores;  ///< (count, classes)
  const_value_view<S> values;  ///< (count)
  label_view targets;          ///< (count)
};

/// The same for every class as a target: values(i, k) is the worth of image i with class k as its target.
template <space S>
struct classwise_evaluation {
  const_score_view<S> scores;  ///< (count, classes)
  const_score_view<S> values;  ///< (count, classes)
};

/// Running state of an optimizer: ask for a population, be told what it was worth, in the same order.
///
/// `ask()` is stable until the next tell. `best()` is the answer so far, one genotype per canvas (or per class for a search over classes);
/// it is valid after the first tell. `where()` says how far the search is. What `tell` accepts decides what `run` computes.
template <class T, class E, space S>
concept Search = requires(T& s, T const& c) {
  { s.ask() } -> std::same_as<population_t<E, S> const&>;
  { c.done() } -> std::convertible_to<bool>;
  { c.best() } -> std::same_as<population_t<E, S> const&>;
  { c.where() } -> std::convertible_to<standing>;
};

/// A search that needs one value per image.
template <class T, class E, space S>
concept ScoreSearch = Search<T, E, S> && requires(T& s, evaluation<S> const& e) {
  { s.tell(e) } -> std::same_as<void>;
};

/// A search that needs a value for every class: one champion per class. best() holds one genotype for each class, in order.
template <class T, class E, space S>
concept ClasswiseSearch = Search<T, E, S> && requires(T& s, classwise_evaluation<S> const& e) {
  { s.tell(e) } -> std::same_as<void>;
};

/// A search that follows gradients with respect to the genotypes.
template <class T, class E, space S>
concept GradientSearch = Search<T, E, S> && requires(T& s, evaluation<S> const& e, population_t<E, S> const& dp) {
  { s.tell(e, dp) } -> std::same_as<void>;
};

template <class O, class E, space S>
using search_t =
    decltype(std::declval<O const&>().start(std::declval<E const&>(), std::declval<const_image_view<S>>(), std::declval<rng const&>()));

/// An optimizer is a value (step sizes, budgets); `start` makes its running state, which may keep the view of the canvas.
template <class O, class E, space S>
concept Optimizer = Encoding<E, S> && requires(O const& o, E const& e, const_image_view<S> canvas, rng const& r) {
  { o.start(e, canvas, r) } -> Search<E, S>;
};
template <class O, class E, space S>
concept ScoreOptimizer = Optimizer<O, E, S> && ScoreSearch<search_t<O, E, S>, E, S>;
template <class O, class E, space S>
concept ClasswiseOptimizer = Optimizer<O, E, S> && ClasswiseSearch<search_t<O, E, S>, E, S>;
template <class O, class E, space S>
concept GradientOptimizer = Optimizer<O, E, S> && GradientSearch<search_t<O, E, S>, E, S>;

}  // namespace pareidolia
