// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
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
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// Auto-PGD (Croce and Hein, ICML 2020): projected gradient ascent with a momentum, whose steps begin as long as the ball is wide and are
/// halved where they no longer help, so that there is no length to choose. Steps d as in pgd:
///
///   z = Proj(p_t + rate d_t),  p_{t+1} = Proj(p_t + share (z - p_t) + (1 - share) (p_t - p_{t-1})),  share = 1 in the first step
///
/// At checkpoints, which come at .22, .41, .57, .70 ... of the steps, the rate of an image is halved, and it goes on from its best place
/// and with the gradient there, if v rose in fewer than .75 of the steps since the last checkpoint, or if the rate was not halved there
/// and the best v has not grown since.
///
/// An image is done when it is what the attack wants (`stop_early`) or after `steps` steps. Its answer is its first success, else the
/// genotype of largest value; without stop_early the success of largest value.
///
/// Cost for an image: at most steps + 1 forwards and steps backwards, as pgd. Memory: 7 genotypes for each image of the batch.
/// Errors: no steps; a share out of (0, 1]; a ball without a radius.
struct apgd {
  std::size_t steps = 100;   ///< at most
  float share = .75f;        ///< of the new direction, in (0, 1]; the rest is that of the last step
  bool random_start = true;  ///< uniform in the ball
  bool stop_early = true;    ///< at the first success

  template <class A>
  void settings(A& a) const {
    a.setting("apgd.steps", steps);
    a.setting("apgd.share", share);
    a.setting("apgd.random_start", random_start);
    a.setting("apgd.stop_early", stop_early);
  }

  template <class E, space S>
  class search;

  template <class E, space S>
  requires NormedEncoding<E, S> && LimitedPopulation<population_t<E, S>>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (steps == 0) detail::fail("apgd: steps is 0; give at least 1");
    if (!(share > 0 && share <= 1)) detail::fail("apgd: share is ", share, "; give more than 0, and 1 for no momentum");
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running apgd, image by image.
template <class E, space S>
class apgd::search {
 public:
  using population = population_t<E, S>;

  search(apgd const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        checkpoints_(checkpoints_of(policy.steps)),
        lanes_(encoding, canvas, random),
        p_(lanes_.make()),
        last_(lanes_.make()),
        z_(lanes_.make()),
        top_(lanes_.make()),
        best_(lanes_.make()),
        slope_(lanes_.make_rows(p_)),
        direction_(lanes_.make_rows(p_)),
        state_(lanes_.size()),
        finished_(lanes_.size()) {
    std::vector<std::size_t> all(lanes_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    begin(all);
  }

  [[nodiscard]] population const& ask() const { return *p_; }
  [[nodiscard]] population const& best() const { return *best_; }
  [[nodiscard]] std::span<std::uint8_t const> finished() const { return finished_; }
  [[nodiscard]] bool done() const { return std::find(finished_.begin(), finished_.end(), 0) == finished_.end(); }
  [[nodiscard]] standing where() const { return {told_, policy_.steps + 1, {}}; }

  /// False when every image has taken its last step and is only to be looked at.
  [[nodiscard]] bool wants_gradients() const {
    for (std::size_t i = 0; i < state_.size(); ++i)
      if (!finished_[i] && state_[i].taken < policy_.steps) return true;
    return false;
  }

  void tell(evaluation<S> const& e) { judge(detail::on_host(e.values), e); }

  void tell(evaluation<S> const& e, population const& dp) {
    auto const values = detail::on_host(e.values);
    judge(values, e);
    if (done()) return;
    copy(dp.rows(), direction_.view());
    remember(values, dp.rows());
    go_back();
    move();
  }

  void replace(turnover const& t, const_image_view<S> canvas) {
    begin(lanes_.replace(t, canvas, p_, last_, z_, top_, best_, slope_, direction_, state_, finished_));
  }

 private:
  static constexpr float lowest = -std::numeric_limits<float>::infinity();
  struct state {
    std::size_t taken = 0, rises = 0, checkpoint = 0;
    float rate = 0;
    float value = lowest, top = lowest;  // of the last place and of the best
    float top_before = lowest;           // at the last checkpoint
    bool halved = true;                  // there
    float answer = lowest;
    bool success = false;
  };

  // The steps w_j = ceil(q_j steps) before which rates are looked at: q_0 = 0, q_1 = .22, q_{j+1} = q_j + max(q_j - q_{j-1} - .03, .06).
  static std::vector<std::size_t> checkpoints_of(std::size_t steps) {
    std::vector<std::size_t> result;
    double q = .22, before = 0;
    while (q < 1) {
      result.push_back(static_cast<std::size_t>(std::ceil(q * static_cast<double>(steps) - 1e-9)));
      double const next = q + std::max(q - before - .03, .06);
      before = std::exchange(q, next);
    }
    return result;
  }

  void begin(std::vector<std::size_t> const& rows) {
    for (std::size_t i : rows) {
      state_[i].rate = 2 * p_->limits()[i];
      if (!std::isfinite(state_[i].rate)) detail::fail("apgd: a ball without a radius gives steps no length; give the encoding a radius");
    }
    if (!policy_.random_start) return;
    lanes_.scatter(*p_, rows, lanes_.random());
    lanes_.encoding().project(*p_, lanes_.canvas());
  }

  // Keeps what was evaluated where it is a better answer than what there was, and says who is done.
  void judge(std::vector<float> const& values, evaluation<S> const& e) {
    std::vector<std::size_t> better;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      if (finished_[i]) continue;
      auto& s = state_[i];
      bool const success = e.success(i);
      if (std::pair{success, values[i]} > std::pair{s.success, s.answer}) {
        s.answer = values[i];
        s.success = success;
        better.push_back(i);
      }
      finished_[i] = s.taken == policy_.steps || (policy_.stop_early && success);
    }
    best_->assign(better, *p_, better);
    ++told_;
  }

  // The best place of each image and the gradient there.
  void remember(std::vector<float> const& values, view<float const, 2, S> g) {
    std::vector<std::size_t> better;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      auto& s = state_[i];
      s.rises += s.taken > 0 && values[i] > s.value;
      s.value = values[i];
      if (s.value > s.top) {
        s.top = s.value;
        better.push_back(i);
      }
    }
    top_->assign(better, *p_, better);
    copy_rows(g, better, slope_.view(), better);
  }

  // At a checkpoint: images whose steps are too long go back to their best place, to go on with shorter ones.
  void go_back() {
    std::vector<std::size_t> back;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      auto& s = state_[i];
      std::size_t const j = s.checkpoint;
      if (finished_[i] || j == checkpoints_.size() || s.taken < checkpoints_[j]) continue;
      std::size_t const since = checkpoints_[j] - (j == 0 ? 0 : checkpoints_[j - 1]);
      bool const swings = static_cast<double>(s.rises) < .75 * static_cast<double>(since);
      bool const stuck = !s.halved && s.top <= s.top_before;
      s.halved = swings || stuck;
      if (s.halved) {
        s.rate /= 2;
        back.push_back(i);
      }
      s.top_before = s.top;
      s.rises = 0;
      ++s.checkpoint;
    }
    last_->assign(back, *p_, back);
    p_->assign(back, *top_, back);
    copy_rows(view<float const, 2, S>(slope_.view()), back, direction_.view(), back);
  }

  void move() {
    auto const d = direction_.view();
    auto const& encoding = lanes_.encoding();
    encoding.steepest(*p_, lanes_.canvas(), d);
    std::vector<float> rate, of_z, of_p, of_last;
    for (auto& s : state_) {
      float const share = s.taken == 0 ? 1 : policy_.share;
      rate.push_back(s.rate);
      of_z.push_back(share);
      of_p.push_back(2 - 2 * share);
      of_last.push_back(share - 1);
      ++s.taken;
    }
    copy(view<float const, 2, S>(p_->rows()), z_->rows());
    axpy_rows(rate, d, z_->rows());
    encoding.project(*z_, lanes_.canvas());
    scale_rows(of_last, last_->rows());  // p + share (z - p) + (1 - share) (p - last), in the place of `last`
    axpy_rows(of_p, p_->rows(), last_->rows());
    axpy_rows(of_z, z_->rows(), last_->rows());
    std::swap(p_, last_);
    encoding.project(*p_, lanes_.canvas());
  }

  apgd policy_;
  std::vector<std::size_t> checkpoints_;
  detail::lanes<E, S> lanes_;
  typename detail::lanes<E, S>::genotypes p_, last_, z_, top_, best_;
  detail::row_array<S> slope_, direction_;
  std::vector<state> state_;
  std::vector<std::uint8_t> finished_;
  std::size_t told_ = 0;
};

}  // namespace pareidolia
