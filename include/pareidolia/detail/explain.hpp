// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/optimizer.hpp>
#include <pareidolia/probe.hpp>

namespace pareidolia::detail {

/// How run() feeds an optimizer's search.
enum class feeding { none, values, classes, gradients, jacobian };

template <class O, class E, space S>
[[nodiscard]] consteval feeding feeding_of() {
  if constexpr (GradientOptimizer<O, E, S>)
    return feeding::gradients;
  else if constexpr (JacobianOptimizer<O, E, S>)
    return feeding::jacobian;
  else if constexpr (ClasswiseOptimizer<O, E, S>)
    return feeding::classes;
  else if constexpr (ScoreOptimizer<O, E, S>)
    return feeding::values;
  else
    return feeding::none;
}

/// True when every part has the verbs that its partners call.
template <class E, class B, class O, class M>
[[nodiscard]] consteval bool fits() {
  if constexpr (Model<M>) {
    constexpr space S = M::memory;
    constexpr feeding how = feeding_of<O, E, S>();
    if constexpr (how == feeding::gradients)
      return DifferentiableModel<M> && DifferentiableEncoding<E, S> && DifferentiableObjective<B, S>;
    else if constexpr (how == feeding::jacobian)
      return DifferentiableModel<M> && DifferentiableEncoding<E, S> && Objective<B, S>;
    else if constexpr (TargetingOptimizer<O, E, S>)
      return DifferentiableModel<M> && DifferentiableEncoding<E, S> && DifferentiableObjective<B, S> && ClasswiseObjective<B, S>;
    else if constexpr (how == feeding::classes)
      return ClasswiseObjective<B, S>;
    else
      return how == feeding::values && Objective<B, S>;
  } else {
    return false;
  }
}

/// Whether a run can be taken up where it was. One that goes image by image needs no state of its search: what is kept are whole images.
template <class O, class E, space S>
inline constexpr bool is_resumable = Stateful<search_t<O, E, S>> || ImagewiseOptimizer<O, E, S>;

/// Every mistake a caller of run() can make, each with one sentence; false when any was made.
template <class E, class B, class O, class M, class... Sinks>
[[nodiscard]] consteval bool explain_run() {
  static_assert(Model<M>,
                "model: needs `static constexpr space memory`, a type workspace, input(), classes(), prepare(count) and forward(x, y, "
                "workspace) const");
  static_assert((is_run_extra<Sinks> && ...),
                "sink: each argument after the rng must be callable with `step const&` and return void or verdict, or be an option");
  if constexpr (Model<M>) {
    constexpr space S = M::memory;
    static_assert(Memory<S>, "model: it computes in device memory, which an engine brings, include <pareidolia/engines/cuda.hpp>");
    static_assert(Encoding<E, S>,
                  "encoding: needs a type template population<space>, buffer(count, canvas) and decode(population, canvas, x)");
    static_assert(Objective<B, S>, "objective: needs `static constexpr bool targeted` and value(y, targets, v) const");
    if constexpr (Encoding<E, S> && Objective<B, S>) {
      constexpr feeding how = feeding_of<O, E, S>();
      static_assert(
          Optimizer<O, E, S>,
          "optimizer: needs start(encoding, canvas, rng) const that returns a search with ask(), done(), best() and where(); an "
          "evolutionary one needs an EvolvableEncoding: draw(children, rng) and vary(parents, children, rng); one that samples numbers "
          "needs a VectorPopulation: rows(), a view of (size, length); one that climbs in a "
          "ball needs a NormedEncoding: project(p, canvas), steepest(p, canvas, g) and scatter(p, rows, ids, rng); polished needs a "
          "ClimbingEncoding: pullback(p, canvas, dx, dp) and climb(p, dp, lengths); one that pastes patches needs the encoding patch");
      if constexpr (Optimizer<O, E, S>) {
        static_assert(how != feeding::none,
                      "optimizer: its search needs tell(evaluation), tell(classwise_evaluation) or tell(evaluation, gradients), or "
                      "backwards(evaluation), seed(k, dy) and learn(k, gradients)");
        if constexpr (how == feeding::gradients || TargetingOptimizer<O, E, S>) {
          static_assert(DifferentiableModel<M>, "model: this optimizer follows gradients, add backward(dy, dx, workspace) const");
          static_assert(DifferentiableEncoding<E, S>, "encoding: this optimizer follows gradients, add pullback(p, canvas, dx, dp) const");
          static_assert(DifferentiableObjective<B, S>, "objective: this optimizer follows gradients, add seed(y, targets, dy) const");
        }
        if constexpr (how == feeding::jacobian) {
          static_assert(DifferentiableModel<M>, "model: this optimizer follows gradients, add backward(dy, dx, workspace) const");
          static_assert(DifferentiableEncoding<E, S>, "encoding: this optimizer follows gradients, add pullback(p, canvas, dx, dp) const");
        }
        if constexpr ((StateKeeper<Sinks> || ...))
          static_assert(is_resumable<O, E, S>,
                        "checkpoint: this optimizer's search cannot be resumed, add `template <class A> void state(A&)` to it, which names "
                        "its parts (core/state.hpp)");
        if constexpr (how == feeding::classes)
          static_assert(ClasswiseObjective<B, S>, "objective: this optimizer keeps a champion per class, add values(y, v) const");
      }
    }
  }
  if constexpr (fits<E, B, O, M>())
    return Memory<M::memory> && (is_run_extra<Sinks> && ...) && (!(StateKeeper<Sinks> || ...) || is_resumable<O, E, M::memory>);
  else
    return false;
}

/// The same for measure(), of images and of what a run found.
template <class M>
[[nodiscard]] consteval bool explain_measured_model() {
  static_assert(Model<M>,
                "model: needs `static constexpr space memory`, a type workspace, input(), classes(), prepare(count) and forward(x, y, "
                "workspace) const");
  if constexpr (Model<M>) {
    static_assert(Memory<M::memory>, "model: it computes in device memory, which an engine brings, include <pareidolia/engines/cuda.hpp>");
    return Memory<M::memory>;
  } else {
    return false;
  }
}
template <class P, class M>
[[nodiscard]] consteval bool explain_measure() {
  if constexpr (explain_measured_model<M>()) {
    static_assert(Probe<P, M>, "probe: needs a type result and result measure(model, x, labels) const");
    return Probe<P, M>;
  } else {
    return false;
  }
}
template <class P, class M>
[[nodiscard]] consteval bool explain_outcome_measure() {
  if constexpr (explain_measured_model<M>()) {
    static_assert(OutcomeProbe<P, M>, "probe: to measure what a run found it needs a type result and result measure(model, outcome) const");
    return OutcomeProbe<P, M>;
  } else {
    return false;
  }
}

}  // namespace pareidolia::detail
