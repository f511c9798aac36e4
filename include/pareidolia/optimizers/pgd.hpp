// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/lanes.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace pareidolia {

/// Projected gradient descent (Madry et al., ICLR 2018), climbing the objective v inside the encoding's ball and box:
///
///   p_0 = 0, or random in the ball;  p_{t+1} = Proj(p_t + rate d_t),  d_t = argmax over ||d|| = 1 of <grad v(p_t), d>
///
/// so d is the sign of the gradient for linf, the gradient over its length for l2, and a sparse step for l1. Without a random start it is
/// the basic iterative method (Kurakin et al. 2017); with one step besides, the fast gradient sign method: `fgsm`.
///
/// An image is done when it is what the attack wants (`stop_early`) or after `steps` steps. Its answer is its first success, else the
/// genotype of largest value seen, the last one included.
///
/// Cost for an image: at most steps + 1 forwards and steps backwards (one backward more where images of a batch are at different steps).
/// Memory: 3 genotypes for each image of the batch. Errors: no steps; a rate that is negative or not a number; no rate and a ball that is
/// infinite.
struct pgd {
  float rate = 0;            ///< length of a step in the encoding's norm; 0: 2.5 radius / steps
  std::size_t steps = 40;    ///< at most
  bool random_start = true;  ///< uniform in the ball
  bool stop_early = true;    ///< at the first success; otherwise the answer is the success of largest value

  template <class A>
  void settings(A& a) const {
    a.setting("pgd.rate", rate);
    a.setting("pgd.steps", steps);
    a.setting("pgd.random_start", random_start);
    a.setting("pgd.stop_early", stop_early);
  }

  template <class E, space S>
  class search;

  template <class E, space S>
  requires NormedEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (steps == 0) detail::fail("pgd: steps is 0; give at least 1");
    if (!(rate >= 0)) detail::fail("pgd: rate is ", rate, "; give a length of steps, or 0 for 2.5 radius / steps");
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running pgd, image by image.
template <class E, space S>
class pgd::search {
 public:
  using population = population_t<E, S>;

  search(pgd const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        lanes_(encoding, canvas, random),
        p_(lanes_.make()),
        best_(lanes_.make()),
        direction_(lanes_.make_rows(p_)),
        state_(lanes_.size()),
        finished_(lanes_.size()) {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < lanes_.size(); ++i) all.push_back(i);
    begin(all);
  }

  [[nodiscard]] population const& ask() const { return *p_; }
  [[nodiscard]] population const& best() const { return *best_; }
  [[nodiscard]] std::span<std::uint8_t const> finished() const { return finished_; }
  [[nodiscard]] bool done() const { return std::find(finished_.begin(), finished_.end(), std::uint8_t{0}) == finished_.end(); }
  [[nodiscard]] standing where() const { return {told_, policy_.steps + 1, {}}; }

  /// False when every image has taken its last step and is only to be looked at.
  [[nodiscard]] bool wants_gradients() const {
    for (std::size_t i = 0; i < state_.size(); ++i)
      if (!finished_[i] && state_[i].taken < policy_.steps) return true;
    return false;
  }

  void tell(evaluation<S> const& e) { judge(e); }

  void tell(evaluation<S> const& e, population const& dp) {
    judge(e);
    if (done()) return;
    auto const d = direction_.view();
    copy(dp.rows(), d);
    lanes_.encoding().steepest(*p_, lanes_.canvas(), d);
    std::vector<float> lengths;
    for (std::size_t i = 0; i < state_.size(); ++i) lengths.push_back(finished_[i] ? 0.f : length_of_step(i));
    axpy_rows(lengths, d, p_->rows());
    lanes_.encoding().project(*p_, lanes_.canvas());
    for (auto& s : state_) ++s.taken;
  }

  void replace(turnover const& t, const_image_view<S> canvas) {
    begin(lanes_.replace(t, canvas, p_, best_, direction_, state_, finished_));
  }

 private:
  struct state {
    std::size_t taken = 0;
    float value = -std::numeric_limits<float>::infinity();
    bool success = false;
  };

  void begin(std::vector<std::size_t> const& rows) {
    if (!policy_.random_start) return;
    lanes_.scatter(*p_, rows, lanes_.random());
    lanes_.encoding().project(*p_, lanes_.canvas());
  }

  [[nodiscard]] float length_of_step(std::size_t i) const {
    if (policy_.rate > 0) return policy_.rate;
    if constexpr (LimitedPopulation<population>)
      if (float const radius = p_->limits()[i]; std::isfinite(radius)) return 2.5f * radius / static_cast<float>(policy_.steps);
    detail::fail("pgd: a ball without a radius gives steps no length; give the encoding a radius or pgd a rate");
  }

  // Keeps what was evaluated where it is better than what there was, and says who is done.
  void judge(evaluation<S> const& e) {
    auto const values = detail::on_host(e.values);
    std::vector<std::size_t> better;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      if (finished_[i]) continue;
      auto& s = state_[i];
      bool const success = e.success(i);
      if (success > s.success || (success == s.success && values[i] > s.value)) {
        s.value = values[i];
        s.success = success;
        better.push_back(i);
      }
      finished_[i] = s.taken == policy_.steps || (policy_.stop_early && success);
    }
    best_->assign(better, *p_, better);
    ++told_;
  }

  pgd policy_;
  detail::lanes<E, S> lanes_;
  typename detail::lanes<E, S>::genotypes p_, best_;
  detail::row_array<S> direction_;
  std::vector<state> state_;
  std::vector<std::uint8_t> finished_;
  std::size_t told_ = 0;
};

/// The fast gradient sign method (Goodfellow et al., ICLR 2015), x + radius sign(grad v) for linf, and its likes for the other norms: one
/// step of pgd from the canvas to the edge of the ball. Errors: a ball without a radius.
struct fgsm {
  template <class E, space S>
  requires NormedEncoding<E, S>
  [[nodiscard]] pgd::search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    return pgd{.steps = 1, .random_start = false}.start(encoding, canvas, random);
  }
};

}  // namespace pareidolia
