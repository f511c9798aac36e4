// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/covariance_adaptation.hpp>
#include <pareidolia/detail/generation.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// Covariance matrix adaptation, the (mu/mu_w, lambda)-CMA-ES of Hansen's tutorial (arXiv:1604.00772), without gradients: samples of a
/// normal distribution, whose mean, step and covariance follow the better half of them.
///
/// For encodings whose genotypes are vectors of n numbers: fourier, perturbation, weights of networks that draw. The mean begins at the
/// neutral genotype, the canvas. The covariance is kept as a triangular factor, as Krause, Arbones and Igel (NIPS 2016) do, or diagonal
/// (sep-CMA-ES, Ros and Hansen, PPSN 2008), for many numbers. Samples that are not permitted are projected (project() of the encoding, if
/// it has one), and what was evaluated is what is learned from.
///
///     attack const smooth{fourier{.side = 8}, margin{}, cma_es{.sigma = .5f}};
///
/// Canvases are searched side by side, each with a distribution of its own; what becomes of one depends neither on the others nor on the
/// batch. One is done when its best value is `goal` or more, or when its steps have become smaller than floats can tell, or have grown
/// 10^4 times, which they do where nothing limits a climb. best() has the best sample of each canvas. A NaN counts as the worst.
///
/// Figures, after each generation: those of genetic, but in place of "population" the mean of the canvases' largest standard deviations
/// ("step").
///
/// Cost for each canvas and generation: `children` images; about children n^2 multiplications (n if diagonal). Memory: 4 n^2 bytes for each
/// canvas (8 n if diagonal), and a generation. Errors: fewer than 2 children, a sigma that is not positive, a canvas for which every value
/// of the first generation is NaN.
struct cma_es {
  std::size_t generations = 1000;
  std::size_t children = 0;  ///< lambda; 0: 4 + floor(3 ln n), the least; more for objectives with many local optima

  /// Standard deviation of the numbers to begin with: a third of the distance at which the answer is expected. In a ball of radius r about
  /// r / 2 for linf, r / sqrt(n) for l2.
  float sigma = .3f;

  bool diagonal = false;
  float goal = std::numeric_limits<float>::infinity();
  float smallest_step = 1e-7f;  ///< a canvas is done when no number's standard deviation is larger
  std::size_t batch = 64;       ///< images of a step, at most

  template <class E, space S>
  class search;

  template <class E, space S>
  requires VectorPopulation<population_t<E, S>, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (generations == 0) detail::fail("cma_es: generations is 0; give at least 1");
    if (children == 1) detail::fail("cma_es: children is 1; give at least 2, or 0 for 4 + floor(3 ln n)");
    if (!(sigma > 0 && std::isfinite(sigma))) detail::fail("cma_es: sigma is ", sigma, "; give a positive standard deviation");
    if (batch == 0) detail::fail("cma_es: batch is 0; give at least 1");
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running cma_es.
template <class E, space S>
class cma_es::search {
 public:
  using population = population_t<E, S>;

  search(cma_es const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : search(policy, encoding, canvas, random, encoding.buffer(canvas.shape[0], canvas)) {}

  [[nodiscard]] population const& ask() const { return samples_.asked(); }
  [[nodiscard]] std::span<std::size_t const> canvases() const { return samples_.shown_on(); }
  [[nodiscard]] population const& best() const { return samples_.best(); }
  [[nodiscard]] bool done() const { return samples_.complete(); }
  [[nodiscard]] standing where() const { return {generation_, policy_.generations, figures_}; }

  void tell(evaluation<S> const& e) {
    samples_.learn(e.values);
    if (!samples_.complete()) return;
    samples_.check("cma_es");
    adapt();
    ++generation_;
    summarise();
    sample();
  }

  template <class A>
  void state(A& a) {
    a.setting("cma_es.children", samples_.each());
    a.setting("cma_es.sigma", policy_.sigma);
    a.setting("cma_es.diagonal", policy_.diagonal);
    a("generation", generation_);
    a("samples", samples_);
    for (std::size_t c = 0; c < normal_.size(); ++c) {
      auto part = a.part(detail::text("canvas ", c));
      normal_[c].state(part);
    }
    column(a, "figures", figures_, &figure::value);
    if constexpr (A::reading) {
      read();
      if (done()) sample();
    }
  }

 private:
  search(cma_es const& policy, E const& encoding, const_image_view<S> canvas, rng const& random, population const& neutral)
      : policy_(policy),
        encoding_(encoding),
        canvas_(canvas),
        random_(random),
        constants_(neutral.rows().shape[1], children(policy, neutral.rows().shape[1]), policy.diagonal),
        samples_(encoding, canvas, children(policy, constants_.n), policy.batch),
        numbers_(filled<float, 2>({samples_.each() * samples_.canvases(), constants_.n})) {
    auto start = filled<float, 2>({samples_.canvases(), constants_.n});
    copy(neutral.rows(), as_view(start));
    for (std::size_t c = 0; c < samples_.canvases(); ++c)
      normal_.emplace_back(constants_, as_view(std::as_const(start)).row(c), double{policy.sigma});
    sample();
  }

  [[nodiscard]] static std::size_t children(cma_es const& policy, std::size_t n) {
    return policy.children != 0 ? policy.children : 4 + static_cast<std::size_t>(3 * std::log(static_cast<double>(n)));
  }

  // The next generation; nothing where the search is over.
  void sample() {
    if (generation_ >= policy_.generations) return;
    std::size_t const canvases = samples_.canvases();
    std::vector<std::size_t> drawn;
    for (std::size_t c = 0; c < canvases; ++c)
      if (!over(c))
        for (std::size_t k = 0; k < samples_.each(); ++k) drawn.push_back(samples_.place(c, k));
    rng const random = random_.fork(generation_);
    detail::for_rows(drawn.size(), work(), [&](std::size_t i) {
      std::size_t const canvas = drawn[i] % canvases, k = drawn[i] / canvases;
      normal_[canvas].sample(constants_, random.fork(canvas).stream(k), as_view(numbers_).row(drawn[i]));
    });
    copy(view<float const, 2>(as_view(numbers_)), samples_.all().rows());
    if constexpr (requires { encoding_.project(samples_.all(), canvas_); }) encoding_.project(samples_.all(), canvas_);
    samples_.look_at(std::move(drawn));
  }

  // Each canvas whose samples were looked at learns from the better half of them, as they were shown.
  void adapt() {
    read();
    std::vector<std::size_t> canvases;
    for (std::size_t place : samples_.looked_at())
      if (place < samples_.canvases()) canvases.push_back(place);
    detail::for_rows(canvases.size(), samples_.each() * work(), [&](std::size_t i) {
      auto const ranked = samples_.ranked(canvases[i]);
      std::vector<std::span<float const>> best;
      for (std::size_t k = 0; k < constants_.w.size(); ++k)
        best.push_back(as_view(std::as_const(numbers_)).row(samples_.place(canvases[i], ranked[k])));
      normal_[canvases[i]].learn(constants_, best);
    });
  }

  void read() { copy(std::as_const(samples_).all().rows(), as_view(numbers_)); }

  // Additions that drawing or learning from one sample is worth.
  [[nodiscard]] std::size_t work() const { return constants_.n * (constants_.diagonal ? 64 : 64 + constants_.n); }

  [[nodiscard]] bool over(std::size_t canvas) const {
    double const step = normal_[canvas].largest_deviation(constants_);
    return samples_.best_values()[canvas] >= policy_.goal || !(step > double{policy_.smallest_step} && step < 1e4 * double{policy_.sigma});
  }

  void summarise() {
    auto const [reached, median, mean, max, min] = samples_.summary(policy_.goal);
    double step = 0;
    for (auto const& normal : normal_) step += normal.largest_deviation(constants_) / static_cast<double>(normal_.size());
    figures_ = {{{"reached", reached}, {"median", median}, {"mean", mean}, {"max", max}, {"min", min}, {"step", step}}};
  }

  cma_es policy_;
  E encoding_;
  const_image_view<S> canvas_;
  rng random_;
  detail::adaptation_constants constants_;
  detail::generation<E, S> samples_;
  tensor<float, 2> numbers_;                     // of the samples, in host memory
  std::vector<detail::adapting_normal> normal_;  // of each canvas
  std::size_t generation_ = 0;
  std::array<figure, 6> figures_{{{"reached", 0}, {"median", 0}, {"mean", 0}, {"max", 0}, {"min", 0}, {"step", 0}}};
};

}  // namespace pareidolia
