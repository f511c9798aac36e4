// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/encoding.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
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
  label_view targets;          ///< (count), the class to reach if `targeted`, else the class to leave
  label_view labels = {};      ///< (count), the class of each image
  bool targeted = false;

  /// Whether image i has what the attack wants.
  [[nodiscard]] bool success(std::size_t i) const { return (labels[i] == targets[i]) == targeted; }
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

/// A search over classes that follows gradients towards classes of its choice.
///
/// After tell(e) `s.targets()` are the classes that the images it asked for are to climb towards (count), or nothing where it wants no
/// gradients. If there are some, what it asked for stays as it is until `s.learn(dp)`, which is given the gradients of the objective with
/// these targets, with respect to the genotypes, and ends the step.
template <class T, class E, space S>
concept TargetingSearch = ClasswiseSearch<T, E, S> && requires(T& s, T const& c, population_t<E, S> const& dp) {
  { c.targets() } -> std::convertible_to<label_view>;
  { s.learn(dp) } -> std::same_as<void>;
};

/// A search that follows gradients with respect to the genotypes.
template <class T, class E, space S>
concept GradientSearch = Search<T, E, S> && requires(T& s, evaluation<S> const& e, population_t<E, S> const& dp) {
  { s.tell(e, dp) } -> std::same_as<void>;
};

/// A gradient search that can do without gradients now and then: where `s.wants_gradients()` is false it is told the values alone.
template <class T, class E, space S>
concept SparingSearch = GradientSearch<T, E, S> && requires(T& s, T const& c, evaluation<S> const& e) {
  { c.wants_gradients() } -> std::convertible_to<bool>;
  { s.tell(e) } -> std::same_as<void>;
};

/// A search that chooses the scores whose gradients it wants; with one forward and k backwards it has k rows of the Jacobian.
///
/// `s.backwards(e)`: how many backward passes it wants for what it asked for. For each k < that: `s.seed(k, dy)` writes where the pass
/// starts, dy (count, classes), and `s.learn(k, dp)` is given what came of it, with respect to the genotypes. `s.tell(e)` ends the step.
template <class T, class E, space S>
concept JacobianSearch = Search<T, E, S> &&
    requires(T& s, evaluation<S> const& e, std::size_t k, score_view<S> dy, population_t<E, S> const& dp) {
  { s.backwards(e) } -> std::convertible_to<std::size_t>;
  { s.seed(k, dy) } -> std::same_as<void>;
  { s.learn(k, dp) } -> std::same_as<void>;
  { s.tell(e) } -> std::same_as<void>;
};

/// Who is in a batch after some images have left it and others come.
struct turnover {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::span<std::size_t const> from;   ///< (count) image i of the batch was image from[i] >= i of the one before, or `none`: it is new
  std::span<std::uint64_t const> ids;  ///< (count) whose streams of randomness image i draws from, whatever its place
  std::span<float const> limits = {};  ///< (count) radius for each new image; empty: the encoding's own
};

/// A search in which every image is sought by itself, with a genotype and a state of its own: row i of what is asked for belongs to image
/// i.
///
/// `s.finished()` (count) has 1 for each image whose search is over. `s.replace(t, canvas)` makes the batch the one that t says, of the
/// images in canvas; those that stay go on as if nothing had happened. The images a search was started with have the ids 0, 1, ...
/// So a batch can be kept full: images that are done leave, others enter.
template <class T, class E, space S>
concept ImagewiseSearch = Search<T, E, S> && requires(T& s, T const& c, turnover const& t, const_image_view<S> canvas) {
  { c.finished() } -> std::convertible_to<std::span<std::uint8_t const>>;
  { s.replace(t, canvas) } -> std::same_as<void>;
};

/// A search that looks at some of the canvases at a time: `s.canvases()` names those on which what it asks for is to be shown, valid until
/// the next tell. A canvas may be named several times: genotype i is shown on the i-th that is named, as if these were all there are.
template <class T, class E, space S>
concept SamplingSearch = Search<T, E, S> && requires(T const& c) {
  { c.canvases() } -> std::convertible_to<std::span<std::size_t const>>;
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
concept TargetingOptimizer = Optimizer<O, E, S> && TargetingSearch<search_t<O, E, S>, E, S>;
template <class O, class E, space S>
concept GradientOptimizer = Optimizer<O, E, S> && GradientSearch<search_t<O, E, S>, E, S>;
template <class O, class E, space S>
concept JacobianOptimizer = Optimizer<O, E, S> && JacobianSearch<search_t<O, E, S>, E, S>;
template <class O, class E, space S>
concept ImagewiseOptimizer = Optimizer<O, E, S> && ImagewiseSearch<search_t<O, E, S>, E, S>;
template <class O, class E, space S>
concept SamplingOptimizer = Optimizer<O, E, S> && SamplingSearch<search_t<O, E, S>, E, S>;

}  // namespace pareidolia
