// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/lanes.hpp>
#include <pareidolia/detail/nearest_border.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pareidolia {

/// DeepFool (Moosavi-Dezfooli et al., CVPR 2016): again and again to the nearest border of the class, as it would be if scores were linear.
///
///   r_0 = 0,  r_{i+1} = Proj(r_i + |g_l| / <w_l, d_l> d_l),  w_k = grad f_k - grad f_{k_0},  g_k = f_k - f_{k_0} at x + r_i,
///   d_k = argmax over ||d|| = 1 of <w_k, d>,  l = argmin over the candidates k of |g_k| / <w_k, d_k>
///
/// in the encoding's norm: algorithm 2 for l2, equation 11 for linf. It ends when p = Proj((1 + overshoot) r_i) succeeds, which is the
/// answer, or after `steps` steps. Candidates are the other classes of highest score at the start; with an objective that has a target
/// they are the target alone, and k_0 is the class at x + r_i (the authors' variant for a target, for which they overshoot by .05). Of the
/// objective nothing else counts.
///
///     attack const nearest{perturbation{l2{}}, misclassification{}, deepfool{}};
///
/// In the paper images may leave [0, 1]. Here Proj keeps them there, step by step: what the box cuts off a step the next one makes good,
/// with the gradient of where that is. A longer step, which reaches the linear border within the box, needs half the steps and goes too
/// far: perturbations of digits are 8 % larger for it.
///
/// Cost of a step: a forward and classes - 1 backwards (1 with a target) at x + r, a forward at x + p; so images leave the batch before
/// backwards are spent on them. Besides a forward at x. Memory: 2 genotypes and 3 vectors of that length for each image of the batch.
/// Errors: fewer than 2 classes, no steps, an overshoot that is negative or not a number.
struct deepfool {
  std::size_t classes = 10;  ///< how many classes are considered, the own one among them
  float overshoot = .02f;    ///< share of r that is added to it
  std::size_t steps = 50;    ///< at most

  template <class A>
  void settings(A& a) const {
    a.setting("deepfool.classes", classes);
    a.setting("deepfool.overshoot", overshoot);
    a.setting("deepfool.steps", steps);
  }

  void check() const {
    if (classes < 2) detail::fail("deepfool: classes is ", classes, "; give at least 2, the own class and another");
    if (steps == 0) detail::fail("deepfool: steps is 0; give at least 1");
    if (!(overshoot >= 0)) detail::fail("deepfool: overshoot is ", overshoot, "; give 0 or more");
  }

  template <class E, space S>
  class search;

  template <class E, space S>
  requires NormedEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    check();
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running deepfool, image by image.
template <class E, space S>
class deepfool::search {
 public:
  using population = population_t<E, S>;

  search(deepfool const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        lanes_(encoding, canvas, random),
        r_(lanes_.make()),
        p_(lanes_.make()),
        border_(lanes_.size(), p_->rows().shape[1]),
        taken_(lanes_.size()),
        finished_(lanes_.size()) {}

  [[nodiscard]] population const& ask() const { return trying_ ? *p_ : *r_; }
  [[nodiscard]] population const& best() const { return *p_; }
  [[nodiscard]] std::span<std::uint8_t const> finished() const { return finished_; }
  [[nodiscard]] bool done() const { return std::find(finished_.begin(), finished_.end(), std::uint8_t{0}) == finished_.end(); }
  [[nodiscard]] standing where() const { return {moved_, policy_.steps, {}}; }

  std::size_t backwards(evaluation<S> const& e) {
    judge(e);
    return trying_ || done() ? 0 : border_.look(e, finished_, policy_.classes);
  }
  void seed(std::size_t k, score_view<S> dy) { border_.seed(k, dy); }
  void learn(std::size_t k, population const& dp) {
    border_.learn(k, dp.rows(), [&](view<float, 2, S> g) { lanes_.encoding().steepest(*r_, lanes_.canvas(), g); });
  }
  void tell(evaluation<S> const&) {
    if (!trying_ && !done()) move();
    trying_ = !trying_;
  }

  void replace(turnover const& t, const_image_view<S> canvas) {
    border_.replace(t);
    lanes_.replace(t, canvas, r_, p_, taken_, finished_);
  }

 private:
  void judge(evaluation<S> const& e) {
    std::vector<std::size_t> early;  // fooled by r, though not by more of it
    for (std::size_t i = 0; i < finished_.size(); ++i) {
      if (finished_[i]) continue;
      finished_[i] = e.success(i) || (trying_ && taken_[i] == policy_.steps);
      if (finished_[i] && !trying_) early.push_back(i);
    }
    p_->assign(early, *r_, early);
  }

  void move() {
    std::vector<float> lengths, factors;
    std::vector<std::size_t> moved;
    for (std::size_t i = 0; i < finished_.size(); ++i) {
      auto const distance = static_cast<float>(border_[i].distance());
      lengths.push_back(!finished_[i] && std::isfinite(distance) ? distance : 0.f);
      if (finished_[i]) continue;
      moved.push_back(i);
      ++taken_[i];
    }
    axpy_rows(lengths, border_.directions(), r_->rows());
    lanes_.encoding().project(*r_, lanes_.canvas());
    p_->assign(moved, *r_, moved);
    for (std::size_t i = 0; i < finished_.size(); ++i) factors.push_back(finished_[i] ? 1 : 1 + policy_.overshoot);
    scale_rows(factors, p_->rows());
    lanes_.encoding().project(*p_, lanes_.canvas());
    ++moved_;
  }

  deepfool policy_;
  detail::lanes<E, S> lanes_;
  typename detail::lanes<E, S>::genotypes r_, p_;
  detail::nearest_border<S> border_;
  std::vector<std::size_t> taken_;
  std::vector<std::uint8_t> finished_;
  bool trying_ = false;
  std::size_t moved_ = 0;
};

}  // namespace pareidolia
