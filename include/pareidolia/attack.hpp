// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/execution.hpp>
#include <pareidolia/detail/explain.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
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

/// Runs an attack on a model, starting from `canvas`; its labels are the classes to reach or to leave (unused by a search over classes).
///
/// What follows the rng are sinks, called after each step, which may end the run, options: `batch_size{n}`, `quantized{}`, and what keeps
/// the state of the run: `checkpoint{"run.ckpt"}` (io/checkpoint.hpp). A run whose state was kept goes on where it was and ends with the
/// same images, values and history as one that nothing disturbed.
///
/// A search that goes image by image gets the images in a batch that is kept full: those that are done leave it, waiting ones enter. The
/// answer of an image that a sink ended before its turn is its canvas. Its state are the images that are done: when it is taken up, those
/// that were in the batch begin anew, and their first attempt counts in the steps and seconds alone.
///
/// Cost: for each step one forward (and one backward, for searches that follow gradients) of as many images as the search asks for; at the
/// end one forward of the result and one of the canvas. Memory: the images of one step and the model's workspace for them. On a device
/// genotypes, images and gradients stay there: what comes back at each step is a row of values, at the end the images.
/// The result depends on the arguments alone, not on threads, nor on the batch size (but for the rounding of a model whose layers are
/// computed otherwise in batches of another size).
/// Errors: images of the wrong shape or outside [0, 1], missing labels, a model that answers with NaN.
template <class E, class B, class O, class M, class... Extras>
outcome run(attack<E, B, O> const& a, M const& model, labelled_images const& canvas, rng const& random, Extras&&... extras) {
  if constexpr (detail::explain_run<E, B, O, M, Extras...>()) {
    using execution = detail::execution<E, B, O, M>;
    detail::check_canvas(canvas, model.input(), !execution::classwise, static_cast<std::size_t>(model.classes()));
    std::uint64_t fingerprint = 0;
    if constexpr (FingerprintedModel<M>) fingerprint = model.fingerprint();
    execution attempt(a.encoding, a.objective, a.optimizer, model, canvas, random, detail::options_of(extras...));
    auto const state = [&](auto& archive) {
      archive.setting("seed", random.seed());
      archive.setting("stream", random.key());
      archive.setting("model", fingerprint);
      attempt.state(archive);
    };
    detail::restore_state(state, extras...);
    while (!attempt.done()) {
      attempt.advance();
      bool const go_on = detail::inform(attempt.now(), extras...);
      detail::keep_state(state, !go_on || attempt.done(), extras...);
      if (!go_on) {
        attempt.interrupt();
        break;
      }
    }
    return attempt.finish(random.seed(), fingerprint);
  } else {
    return {};
  }
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

/// Measures a probe on a model with what a run found. Errors: images that the model does not take.
template <class P, class M>
auto measure(P const& probe, M const& model, outcome const& found) {
  if constexpr (detail::explain_outcome_measure<P, M>()) {
    detail::check_images(as_view(found.images), model.input());
    return probe.measure(model, found);
  }
}

/// A model by its name, with the images that it is measured on. Both must outlive it.
template <class M>
struct subject {
  std::string name;
  M const& model;
  labelled_images const& images;
};
template <class M>
subject(std::string, M const&, labelled_images const&) -> subject<M>;

/// What a probe says of one of several models.
template <class R>
struct measurement {
  std::string model;
  R result;
};

/// Measures a probe on several models, one after the other.
///
///     auto const found = measure_each(local_response{}, subject{"GoogLeNet", googlenet, photos}, subject{"LeNet", lenet, digits});
template <class P, class... Ms>
[[nodiscard]] std::vector<measurement<typename P::result>> measure_each(P const& probe, subject<Ms> const&... subjects) {
  std::vector<measurement<typename P::result>> found;
  (found.push_back({subjects.name, measure(probe, subjects.model, subjects.images)}), ...);
  return found;
}

/// The same for models of one type, as many as there are.
template <class P, class M>
[[nodiscard]] std::vector<measurement<typename P::result>> measure_each(P const& probe, std::span<subject<M> const> subjects) {
  std::vector<measurement<typename P::result>> found;
  for (auto const& one : subjects) found.push_back({one.name, measure(probe, one.model, one.images)});
  return found;
}

}  // namespace pareidolia
