// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/stopwatch.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/explain.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace pareidolia {

/// What to do to a model: an encoding (how images are written), an objective (what is wanted), an optimizer (how it is sought).
///
/// A plain value that knows no model, no data and no device; the same attack runs on every model.
template <class E, class B, class O>
struct attack {
  E encoding;
  B objective;
  O optimizer;
};
template <class E, class B, class O>
attack(E, B, O) -> attack<E, B, O>;  // Clang before 17 deduces no aggregate

/// True when `run(attack, model, ...)` compiles. For requires-clauses and tests; run() itself explains.
template <class A, class M>
inline constexpr bool runs_on = false;
template <class E, class B, class O, class M>
inline constexpr bool runs_on<attack<E, B, O>, M> = detail::fits<E, B, O, M>();
template <class A, class M>
concept RunsOn = runs_on<A, M>;

/// What a run found, and what it cost.
struct outcome {
  tensor<float, 4> images;                  ///< (count, channels, height, width) in [0, 1]
  tensor<float, 2> scores;                  ///< (count, classes), logits of the images
  std::vector<float> values;                ///< (count), the objective
  std::vector<int> targets;                 ///< (count), the class to reach, or to leave
  std::vector<int> before, labels;          ///< (count), class of the canvas and of the image
  std::vector<std::uint8_t> success;        ///< (count), 1 where the target was reached, or left
  tensor<float, 2> distances;               ///< (count, 4): L0, L1, L2, Linf between image and canvas
  std::size_t steps = 0;                    ///< that the search took
  bool complete = true;                     ///< false when a sink stopped it
  std::size_t forwards = 0, backwards = 0;  ///< images passed through the model in each direction
  double seconds = 0, model_seconds = 0;    ///< all of it, and what the model took
  std::uint64_t seed = 0;
  std::uint64_t model = 0;  ///< fingerprint, 0 if the model has none

  [[nodiscard]] std::size_t size() const { return values.size(); }
};

namespace detail {

/// Runs a model on batches of any size: plans again when one is larger than the last, times itself, and checks what comes out.
template <Model M>
class session {
 public:
  static constexpr space S = M::memory;

  explicit session(M const& model) : model_(model) {}

  /// Scores of the first `count` images of `images()`, which the caller has filled.
  const_score_view<S> forward(std::size_t count) {
    time_.start();
    model_.forward(images(count), scores(count), *workspace_);
    time_.stop();
    forwards += count;
    if (std::size_t const bad = first_not_finite(scores(count)); bad < count)
      fail("the model gave a score that is not a finite number for image ", bad, " of a batch of ", count,
           "; check its weights and that the images are in [0, 1]");
    return scores(count);
  }

  /// dx for the last forward; `seeds()` was filled by the caller.
  const_image_view<S> backward(std::size_t count) requires DifferentiableModel<M> {
    if (dx_.view().shape[0] < count) dx_ = storage<float, 4, S>(shape_of(count));
    time_.start();
    model_.backward(seeds(count), dx_.view().rows(0, count), *workspace_);
    time_.stop();
    backwards += count;
    return dx_.view().rows(0, count);
  }

  /// Room for `count` images.
  image_view<S> images(std::size_t count) {
    if (!workspace_ || x_.view().shape[0] < count) {
      x_ = storage<float, 4, S>(shape_of(count));
      y_ = storage<float, 2, S>({count, classes()});
      dy_ = storage<float, 2, S>({count, classes()});
      workspace_.reset(new typename M::workspace(model_.prepare(count)));  // which need not be movable
    }
    return x_.view().rows(0, count);
  }
  score_view<S> scores(std::size_t count) { return y_.view().rows(0, count); }
  score_view<S> seeds(std::size_t count) { return dy_.view().rows(0, count); }
  [[nodiscard]] std::size_t classes() const { return static_cast<std::size_t>(model_.classes()); }

  /// That the model has taken.
  [[nodiscard]] double seconds() { return time_.seconds(); }

  std::size_t forwards = 0, backwards = 0;

 private:
  std::array<std::size_t, 4> shape_of(std::size_t count) const {
    image_shape const s = model_.input();
    return {count, s[0], s[1], s[2]};
  }

  M const& model_;
  std::unique_ptr<typename M::workspace> workspace_;
  storage<float, 4, S> x_, dx_;
  storage<float, 2, S> y_, dy_;
  stopwatch<S> time_;
};

/// A canvas in the memory of a model: the caller's own images on the host, a copy elsewhere.
template <space S>
class canvas_in {
 public:
  explicit canvas_in(const_image_view<space::host> images) : images_(images.shape) { copy(images, images_.view()); }
  [[nodiscard]] const_image_view<S> view() { return images_.view(); }

 private:
  storage<float, 4, S> images_;
};
template <>
class canvas_in<space::host> {
 public:
  explicit canvas_in(const_image_view<space::host> images) : images_(images) {}
  [[nodiscard]] const_image_view<space::host> view() const { return images_; }

 private:
  const_image_view<space::host> images_;
};

template <class P>
std::size_t images_of(P const& population, std::size_t canvases) {
  return std::max<std::size_t>(population.size(), canvases);
}

inline void check_canvas(labelled_images const& canvas, image_shape const& input, bool needs_labels, std::size_t classes) {
  auto const& s = canvas.images.shape();
  if (s[0] == 0) fail("run: no images were given; blank(model.input()) is the canvas of attacks that start from nothing");
  if (image_shape const given{s[1], s[2], s[3]}; given != input)
    fail("run: the images are ", given[0], "x", given[1], "x", given[2], " (channels x height x width), the model wants ", input[0], "x",
         input[1], "x", input[2]);
  for (std::size_t i = 0; i < canvas.images.size(); ++i)
    if (float const v = canvas.images.data()[i]; !(v >= 0 && v <= 1))
      fail("run: image ", i / (s[1] * s[2] * s[3]), " has a pixel of ", v, "; pixels must be in [0, 1]");
  if (needs_labels && canvas.labels.size() != s[0])
    fail("run: ", s[0], " images but ", canvas.labels.size(), " labels; this attack needs one class per image");
  for (int label : canvas.labels)
    if (label < 0 || static_cast<std::size_t>(label) >= classes)
      fail("run: a label is ", label, "; the model's classes are 0 to ", classes - 1);
}

}  // namespace detail

/// Runs an attack on a model, starting from `canvas`; its labels are the classes to reach or to leave (unused by a search over classes).
///
/// Cost: for each step one forward (and one backward, for searches that follow gradients) of as many images as the search asks for; at the
/// end one forward of the result and one of the canvas. Memory: the images of one step and the model's workspace for them. On a device
/// genotypes, images and gradients stay there: what comes back at each step is a row of values, at the end the images.
/// The result depends on the arguments alone, not on threads. `sinks` are called after each step and may end the run.
/// Errors: images of the wrong shape or outside [0, 1], missing labels, a model that answers with NaN.
template <class E, class B, class O, class M, class... Sinks>
outcome run(attack<E, B, O> const& a, M const& model, labelled_images const& canvas, rng const& random, Sinks&&... sinks) {
  outcome result;
  if constexpr (detail::explain_run<E, B, O, M, Sinks...>()) {
    constexpr space S = M::memory;
    constexpr detail::feeding how = detail::feeding_of<O, E, S>();
    constexpr bool classwise = how == detail::feeding::classes;
    using session = detail::session<M>;
    auto const seconds = [begin = std::chrono::steady_clock::now()] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    session pass(model);
    std::size_t const classes = pass.classes();
    detail::check_canvas(canvas, model.input(), !classwise, classes);
    detail::canvas_in<S> here(as_view(canvas.images));
    const_image_view<S> const start = here.view();
    std::size_t const canvases = start.shape[0];

    // Class of each canvas, before anything is done to it.
    copy(start, pass.images(canvases));
    result.before.resize(canvases);
    argmax(pass.forward(canvases), result.before);

    storage<float, 1, S> values;
    storage<float, 2, S> class_values;
    std::vector<int> targets;
    auto const evaluate = [&](auto const& population) {
      std::size_t const count = detail::images_of(population, canvases);
      a.encoding.decode(population, start, pass.images(count));
      auto const y = pass.forward(count);
      if (values.view().shape[0] < count) {
        values = storage<float, 1, S>({count});
        if constexpr (classwise) class_values = storage<float, 2, S>({count, classes});
      }
      return y;
    };
    auto const aim = [&](std::size_t count) {
      targets.resize(count);
      for (std::size_t i = 0; i < count; ++i) targets[i] = classwise ? static_cast<int>(i % classes) : canvas.labels[i % canvases];
    };

    [[maybe_unused]] std::unique_ptr<population_t<E, S>> gradient;  // in one place, since a population need not be movable
    auto search = a.optimizer.start(a.encoding, start, random);
    while (!search.done()) {
      auto const& population = search.ask();
      auto const y = evaluate(population);
      std::size_t const count = y.shape[0];
      if constexpr (classwise) {
        auto const v = class_values.view().rows(0, count);
        a.objective.values(y, v);
        search.tell(classwise_evaluation<S>{y, v});
      } else {
        aim(count);
        auto const v = values.view().rows(0, count);
        a.objective.value(y, targets, v);
        if constexpr (how == detail::feeding::gradients) {
          a.objective.seed(y, targets, pass.seeds(count));
          auto const size = static_cast<std::size_t>(population.size());
          if (!gradient || static_cast<std::size_t>(gradient->size()) != size)
            gradient.reset(new population_t<E, S>(a.encoding.buffer(size, start)));
          a.encoding.pullback(population, start, pass.backward(count), *gradient);
          search.tell(evaluation<S>{y, v, targets}, *gradient);
        } else {
          search.tell(evaluation<S>{y, v, targets});
        }
      }
      ++result.steps;
      double const model_seconds = pass.seconds();  // which may wait for the model
      if (!detail::inform(step{search.where(), seconds(), model_seconds}, sinks...)) {
        result.complete = search.done();
        break;
      }
    }
    if (result.steps == 0) detail::fail("run: the optimizer was done before its first step; give it at least one");

    // The answer, once more through the model: what is reported is what these images score.
    auto const y = evaluate(search.best());
    std::size_t const count = y.shape[0];
    aim(count);
    auto const v = values.view().rows(0, count);
    a.objective.value(y, targets, v);
    auto const x = pass.images(count);
    result.images = filled<float, 4>(x.shape);
    result.scores = filled<float, 2>(y.shape);
    result.distances = filled<float, 2>({count, 4});
    result.values.resize(count);
    copy(x, as_view(result.images));
    copy(y, as_view(result.scores));
    copy(v, value_view<space::host>{result.values.data(), {count}});
    distances(x, start, as_view(result.distances));
    result.targets = targets;
    result.labels.resize(count);
    argmax(y, result.labels);
    for (std::size_t i = 0; i < count; ++i) result.success.push_back((result.labels[i] == targets[i]) == B::targeted);
    std::vector<int> const canvas_class = result.before;
    result.before.resize(count);
    for (std::size_t i = 0; i < count; ++i) result.before[i] = canvas_class[i % canvases];

    result.forwards = pass.forwards;
    result.backwards = pass.backwards;
    result.model_seconds = pass.seconds();
    result.seconds = seconds();
    result.seed = random.seed();
    if constexpr (FingerprintedModel<M>) result.model = model.fingerprint();
  }
  return result;
}

/// Measures a probe on a model with some images.
template <class P, class M>
auto measure(P const& probe, M const& model, labelled_images const& images) {
  if constexpr (detail::explain_measure<P, M>()) {
    detail::check_canvas(images, model.input(), false, static_cast<std::size_t>(model.classes()));
    detail::canvas_in<M::memory> here(as_view(images.images));
    return probe.measure(model, here.view(), label_view(images.labels));
  }
}

}  // namespace pareidolia
