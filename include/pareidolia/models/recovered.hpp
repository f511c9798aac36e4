// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/borrowed.hpp>
#include <pareidolia/detail/curvature_readings.hpp>
#include <pareidolia/detail/hasher.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/curvature_detector.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// Models that ask a curvature_detector about each image: adaptors, as those of models/adaptors.hpp. A forward costs what the detector does,
// and what it reads is kept in the workspace, so that attacks on model and detector are attacks as any other.

namespace pareidolia {
namespace detail {

[[nodiscard]] inline std::uint64_t fingerprint_of(std::string_view who, std::uint64_t model, curvature_detector const& d) {
  hasher h;
  h.add(who);
  h.add(model);
  for (std::uint64_t v : {d.random.key(), std::uint64_t{d.at == curvature_at::boundary}, std::uint64_t{d.directions},
                          std::uint64_t{d.classes}, std::uint64_t{d.search.classes}, std::uint64_t{d.search.steps},
                          std::uint64_t{d.search.refinements}, std::bit_cast<std::uint64_t>(d.threshold)})
    h.add(v);
  h.add(std::span(&d.step, 1));
  return h.value();
}

/// What a detector reads of the images of a workspace.
template <class M>
class curvature_watch {
 public:
  curvature_watch(M const& model, curvature_detector const& detector)
      : detector_(detector), neighbours_(std::make_unique<landscape<M>>("curvature_detector", model, detector.batch)) {}

  curvature_readings const& look(const_image_view<space::host> x) { return seen_ = read_curvatures(*neighbours_, rows_of(x), detector_); }
  [[nodiscard]] curvature_readings const& seen() const { return seen_; }

  /// dx <- dx + scale grad rho, of image i.
  void add_gradient(std::size_t i, double scale, std::span<float> dx) { add_statistic_gradient(*neighbours_, seen_, i, scale, dx); }

 private:
  curvature_detector detector_;
  std::unique_ptr<landscape<M>> neighbours_;
  curvature_readings seen_;
};

}  // namespace detail

/// A model with the classes that a detector recovers: of an image that is taken for perturbed, the score of the class that the model sees
/// is exchanged with that of the class which is said to be its own.
///
/// Gradients are those of the exchanged scores; that another image may be judged otherwise is not in them. Memory: that of the detector.
template <DifferentiableModel M>
requires(M::memory == space::host) class recovered {
 public:
  static constexpr space memory = space::host;
  struct workspace {
    typename M::workspace inner;
    detail::curvature_watch<M> watch;
    std::vector<float> dy;
  };

  recovered(detail::borrowed<M> model, curvature_detector const& detector) : model_(model), detector_(detector) { detector_.check(); }

  [[nodiscard]] image_shape input() const { return model_->input(); }
  [[nodiscard]] std::size_t classes() const { return model_.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return {model_->prepare(n), {*model_, detector_}, {}}; }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    model_->forward(x, y, w.inner);
    w.watch.look(x);
    exchange(y, w);
  }

  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const {
    w.dy.assign(dy.data, dy.data + dy.size());
    score_view<memory> const exchanged{w.dy.data(), dy.shape};
    exchange(exchanged, w);
    model_->backward(exchanged, dx, w.inner);
  }

  /// Hash of the model's and of the detector.
  [[nodiscard]] std::uint64_t fingerprint() const requires FingerprintedModel<M> {
    return detail::fingerprint_of("recovered", model_->fingerprint(), detector_);
  }

 private:
  void exchange(score_view<memory> y, workspace const& w) const {
    auto const& seen = w.watch.seen();
    for (std::size_t i = 0; i < y.shape[0]; ++i)
      if (seen.statistic(i) > detector_.threshold)
        std::swap(y.row(i)[static_cast<std::size_t>(seen.own[i])], y.row(i)[static_cast<std::size_t>(seen.most_curved(i))]);
  }

  detail::borrowed<M> model_;
  curvature_detector detector_;
};
template <class M>
recovered(M const&, curvature_detector const&) -> recovered<M>;

/// A model with one class more, the last, which says that the image was perturbed:
///
///   y_C = max over k < C of y_k + gain (rho - threshold)
///
/// So the image has that class exactly where the detector takes it for perturbed, and an attack that leaves the class of an image without
/// reaching the last one evades both, as Carlini and Wagner (2017, "Adversarial examples are not easily detected") put model and detector
/// together. With towards{margin{}} and the class that DeepFool reaches, apgd evades the detector on half of LeNet's digits where it may go
/// a quarter farther than DeepFool does, and on nine of ten where it may go twice as far. `gain` says what a curvature weighs in such an
/// attack beside the scores; it decides nothing. Where there is no statistic y_C is `gain` below the highest score.
///
/// The gradient of rho is that of the second differences, at the points where they were taken; norms and directions of gradients are held
/// fixed, and so is the way from the image to the boundary.
///
/// Cost of a backward: one of the model, and 2 directions + 3 forwards and backwards for each candidate of each image with dy_C != 0.
/// Errors: those of the detector; a gain that is not positive.
template <DifferentiableModel M>
requires(M::memory == space::host) class guarded {
 public:
  static constexpr space memory = space::host;
  struct workspace {
    typename M::workspace inner;
    detail::curvature_watch<M> watch;
    std::vector<float> y, dy;
  };

  guarded(detail::borrowed<M> model, curvature_detector const& detector, float gain = 100)
      : model_(model), detector_(detector), gain_(gain) {
    detector_.check();
    if (!(gain > 0 && std::isfinite(gain))) detail::fail("guarded: gain is ", gain, "; give a positive number");
  }

  [[nodiscard]] image_shape input() const { return model_->input(); }
  [[nodiscard]] std::size_t classes() const { return model_.classes() + 1; }
  [[nodiscard]] workspace prepare(std::size_t n) const { return {model_->prepare(n), {*model_, detector_}, {}, {}}; }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    std::size_t const n = x.shape[0], last = model_.classes();
    auto const scores = detail::scores_in(w.y, n, last);
    model_->forward(x, scores, w.inner);
    auto const& seen = w.watch.look(x);
    for (std::size_t i = 0; i < n; ++i) {
      auto const from = scores.row(i), to = y.row(i);
      std::ranges::copy(from, to.begin());
      double const rho = seen.statistic(i), over = std::isfinite(rho) ? rho - detector_.threshold : -1;
      to[last] = static_cast<float>(double{*std::ranges::max_element(from)} + double{gain_} * over);
    }
  }

  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const {
    std::size_t const n = dx.shape[0], last = model_.classes();
    auto const inner = detail::scores_in(w.dy, n, last);
    auto const& seen = w.watch.seen();
    for (std::size_t i = 0; i < n; ++i) {
      std::ranges::copy(dy.row(i).first(last), inner.row(i).begin());
      inner.row(i)[static_cast<std::size_t>(seen.own[i])] += dy.row(i)[last];
    }
    model_->backward(inner, dx, w.inner);
    for (std::size_t i = 0; i < n; ++i)
      if (float const weight = dy.row(i)[last]; weight != 0 && std::isfinite(seen.statistic(i)))
        w.watch.add_gradient(i, double{gain_} * double{weight}, dx.row(i));
  }

  /// Hash of the model's and of the detector.
  [[nodiscard]] std::uint64_t fingerprint() const requires FingerprintedModel<M> {
    return detail::fingerprint_of("guarded", model_->fingerprint(), detector_);
  }

 private:
  detail::borrowed<M> model_;
  curvature_detector detector_;
  float gain_;
};
template <class M>
guarded(M const&, curvature_detector const&) -> guarded<M>;
template <class M>
guarded(M const&, curvature_detector const&, float) -> guarded<M>;

}  // namespace pareidolia
