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
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

namespace pareidolia {

/// Stochastic gradient ascent on one perturbation that many images share (Shafahi et al., Universal Adversarial Training, AAAI 2020).
///
/// With g_t the gradient of the objective summed over minibatch t of the shuffled images,
///   m_t = momentum m_{t-1} + g_t / ||g_t||_1,  v_{t+1} = Proj(v_t + rate (1 - t / T) d_t),  d_t = argmax over ||d|| = 1 of <m_t, d>,
/// T steps in all, from v_0 = 0. Theirs are steps of one length without a momentum; the momentum is that of Dong et al. (CVPR 2018), and
/// the length falls so that the end does not depend on the last minibatches. They clip the loss of each image:
///
///     attack const all_at_once{perturbation{linf{10 / 255.f}}, clipped{cross_entropy{}, 9.f}, universal_ascent{}};
///
/// Its outcome has v in `shared`; shown() applies it to other images. Cost: a forward and a backward of each image in each epoch. Memory: 3
/// genotypes. Errors: no epochs or images in a minibatch; a rate or a momentum that is negative or not a number; no rate and a ball that
/// is infinite.
struct universal_ascent {
  std::size_t epochs = 10;
  std::size_t batch = 32;  ///< images of a step
  float rate = 0;          ///< length of the first step in the encoding's norm; 0: a tenth of the radius
  float momentum = .9f;

  template <class E, space S>
  class search;

  template <class E, space S>
  requires NormedEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (epochs == 0) detail::fail("universal_ascent: epochs is 0; give at least 1");
    if (batch == 0) detail::fail("universal_ascent: batch is 0; give at least 1");
    if (!(rate >= 0)) detail::fail("universal_ascent: rate is ", rate, "; give a length of steps, or 0 for a tenth of the radius");
    if (!(momentum >= 0)) detail::fail("universal_ascent: momentum is ", momentum, "; give 0 or more, but less than 1");
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running universal_ascent: one genotype, shown on a minibatch at a time.
template <class E, space S>
class universal_ascent::search {
 public:
  using population = population_t<E, S>;

  search(universal_ascent const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        encoding_(encoding),
        canvas_(canvas),
        random_(random),
        v_(new population(encoding.buffer(1, canvas))),
        mean_({1, v_->rows().shape[1]}),
        step_({1, v_->rows().shape[1]}),
        order_(canvas.shape[0]) {
    if (policy_.rate == 0) policy_.rate = tenth_of_radius();
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    reorder();
  }

  [[nodiscard]] population const& ask() const { return *v_; }
  [[nodiscard]] population const& best() const { return *v_; }
  [[nodiscard]] bool done() const { return epoch_ == policy_.epochs; }
  [[nodiscard]] standing where() const { return {taken_, steps(), figures_}; }
  [[nodiscard]] std::span<std::size_t const> canvases() const {
    return std::span(order_).subspan(next_, std::min(policy_.batch, order_.size() - next_));
  }

  void tell(evaluation<S> const& e, population const& dp) {
    for (std::size_t i = 0; i < e.targets.size(); ++i) fooled_ += e.success(i);
    climb(dp);
    ++taken_;
    next_ += canvases().size();
    figures_[0].value = static_cast<double>(fooled_) / static_cast<double>(next_);
    if (next_ < order_.size()) return;
    ++epoch_;
    reorder();
  }

  template <class A>
  void state(A& a) {
    a.setting("universal_ascent.epochs", policy_.epochs);
    a.setting("universal_ascent.batch", policy_.batch);
    a.setting("universal_ascent.rate", policy_.rate);
    a.setting("universal_ascent.momentum", policy_.momentum);
    a("v", *v_);
    a("mean", mean_);
    a("order", order_);
    a("epoch", epoch_);
    a("next", next_);
    a("taken", taken_);
    a("fooled", fooled_);
    column(a, "figures", figures_, &figure::value);
  }

 private:
  [[nodiscard]] std::size_t steps() const { return policy_.epochs * ((order_.size() + policy_.batch - 1) / policy_.batch); }

  [[nodiscard]] float tenth_of_radius() const {
    if constexpr (LimitedPopulation<population>)
      if (float const radius = v_->limits()[0]; std::isfinite(radius)) return radius / 10;
    detail::fail("universal_ascent: a ball without a radius gives steps no length; give the encoding a radius or universal_ascent a rate");
  }

  void reorder() {
    auto stream = random_.fork(epoch_).stream(0);
    shuffle(std::span(order_), stream);
    next_ = fooled_ = 0;
  }

  void climb(population const& dp) {
    double norm = 0;
    norm1_rows(dp.rows(), std::span(&norm, 1));
    if (!(norm > 0)) return;
    auto const share = static_cast<float>(1 / norm);
    scale_rows(std::span(&policy_.momentum, 1), mean_.view());
    axpy_rows(std::span(&share, 1), dp.rows(), mean_.view());
    copy(view<float const, 2, S>(mean_.view()), step_.view());
    encoding_.steepest(*v_, canvas_, step_.view());
    float const length = policy_.rate * (1 - static_cast<float>(taken_) / static_cast<float>(steps()));
    axpy_rows(std::span(&length, 1), view<float const, 2, S>(step_.view()), v_->rows());
    encoding_.project(*v_, canvas_);
  }

  universal_ascent policy_;
  E encoding_;
  const_image_view<S> canvas_;
  rng random_;
  std::unique_ptr<population> v_;
  storage<float, 2, S> mean_, step_;
  std::vector<std::size_t> order_;
  std::size_t epoch_ = 0, next_ = 0, taken_ = 0, fooled_ = 0;
  std::array<figure, 1> figures_{{{"fooled", 0}}};
};

}  // namespace pareidolia
