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
#include <span>
#include <vector>

namespace pareidolia {

/// The L2 attack of Carlini and Wagner (S&P 2017): the shortest genotype p that succeeds with confidence kappa, by
///
///   max  c min(v(p), kappa) - ||p||_2^2
///
/// with Adam from p = 0, for several c: one that fails is multiplied by 10 until one succeeds, then the interval between the largest
/// failure and the smallest success is halved. v is to be positive where the attack succeeds:
///
///     attack const least{perturbation{l2{}}, margin{}, carlini_wagner{}};            // or towards{margin{}}
///
/// Each image has its c, its moments and its place in the search. The answer is the shortest success of all, or the last genotype if there
/// was none. Where the paper replaces pixels by tanh(w), here the encoding projects after each step: pixels at 0 or 1, as most of a digit
/// are, have no gradient with respect to w.
///
/// A search for one c ends after `steps` steps, or when a tenth of them have raised what is maximised by less than 0.01 % (the authors'
/// rule). Cost for an image: at most searches (steps + 1) forwards and as many backwards; one forward if its canvas succeeds. Memory: 6
/// vectors of the genotypes' length for each image of the batch. Errors: no steps or searches; a rate or a constant that is not above 0; a
/// confidence below 0.
struct carlini_wagner {
  float confidence = 0;      ///< kappa, in units of v
  float rate = .01f;         ///< of Adam
  std::size_t steps = 300;   ///< for each c; 10,000 in the paper
  std::size_t searches = 6;  ///< values of c; 9 in the paper
  float constant = .1f;      ///< the first c; 1e-3 in the paper

  template <class A>
  void settings(A& a) const {
    a.setting("carlini_wagner.confidence", confidence);
    a.setting("carlini_wagner.rate", rate);
    a.setting("carlini_wagner.steps", steps);
    a.setting("carlini_wagner.searches", searches);
    a.setting("carlini_wagner.constant", constant);
  }

  template <class E, space S>
  class search;

  template <class E, space S>
  requires ConstrainedEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (steps == 0) detail::fail("carlini_wagner: steps is 0; give at least 1");
    if (searches == 0) detail::fail("carlini_wagner: searches is 0; give at least 1");
    if (!(rate > 0)) detail::fail("carlini_wagner: rate is ", rate, "; give a number above 0");
    if (!(constant > 0)) detail::fail("carlini_wagner: constant is ", constant, "; give a number above 0");
    if (!(confidence >= 0)) detail::fail("carlini_wagner: confidence is ", confidence, "; give 0 or more");
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running carlini_wagner, image by image.
template <class E, space S>
class carlini_wagner::search {
 public:
  using population = population_t<E, S>;

  search(carlini_wagner const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        lanes_(encoding, canvas, random),
        p_(lanes_.make()),
        best_(lanes_.make()),
        gradient_(lanes_.make_rows(p_)),
        mean_(lanes_.make_rows(p_)),
        square_(lanes_.make_rows(p_)),
        state_(lanes_.size()),
        finished_(lanes_.size()) {
    for (auto& s : state_) s.constant = policy_.constant;
  }

  [[nodiscard]] population const& ask() const { return *p_; }
  [[nodiscard]] population const& best() const { return *best_; }
  [[nodiscard]] std::span<std::uint8_t const> finished() const { return finished_; }
  [[nodiscard]] bool done() const { return std::find(finished_.begin(), finished_.end(), std::uint8_t{0}) == finished_.end(); }
  [[nodiscard]] standing where() const { return {told_, policy_.searches * (policy_.steps + 1), {}}; }

  void tell(evaluation<S> const& e, population const& dp) {
    auto const values = detail::on_host(e.values);
    judge(e, values);
    if (done()) return;
    climb(dp);
    begin_again();
  }

  void replace(turnover const& t, const_image_view<S> canvas) {
    for (std::size_t i : lanes_.replace(t, canvas, p_, best_, gradient_, mean_, square_, state_, finished_))
      state_[i].constant = policy_.constant;
  }

 private:
  static constexpr double none = std::numeric_limits<double>::infinity();

  struct state {
    std::size_t taken = 0, searched = 0;
    double constant = 0, low = 0, high = none;
    double gained = -none;   // what is maximised, when it was last looked at
    double shortest = none;  // success
    bool there = false;      // where it is now
    bool reached = false;    // somewhere with this c
    bool ending = false;     // the search with this c
  };

  // Keeps what was evaluated where it is a shorter success than what there was, and says whose search is over.
  void judge(evaluation<S> const& e, std::span<float const> values) {
    std::vector<double> norms(state_.size());
    norm2_rows(p_->rows(), norms);
    std::vector<std::size_t> better;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      if (finished_[i]) continue;
      auto& s = state_[i];
      s.there = e.success(i) && values[i] >= policy_.confidence;
      if (s.there) {
        s.reached = true;
        if (norms[i] < s.shortest) better.push_back(i);
        s.shortest = std::min(s.shortest, norms[i]);
      }
      double const gain = s.constant * std::min(double{values[i]}, double{policy_.confidence}) - norms[i] * norms[i];
      s.ending = s.taken == policy_.steps || no_better(s, gain);
      finished_[i] = s.shortest == 0 || (s.ending && s.searched + 1 == policy_.searches);
      if (finished_[i] && s.shortest == none) better.push_back(i);
    }
    best_->assign(better, *p_, better);
    ++told_;
  }

  [[nodiscard]] bool no_better(state& s, double gain) const {
    if (s.taken % std::max<std::size_t>(1, policy_.steps / 10) != 0) return false;
    bool const stalls = gain <= s.gained + 1e-4 * std::abs(s.gained);
    s.gained = gain;
    return stalls && s.taken > 0;
  }

  // A step of Adam along c [not there] grad v - 2 p.
  void climb(population const& dp) {
    std::vector<float> weights, shrink, rates, unbias;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      auto& s = state_[i];
      double const t = static_cast<double>(++s.taken);
      weights.push_back(s.there ? 0.f : static_cast<float>(s.constant));
      shrink.push_back(-2);
      rates.push_back(finished_[i] ? 0.f : static_cast<float>(double{policy_.rate} / (1 - std::pow(.9, t))));
      unbias.push_back(static_cast<float>(1 / (1 - std::pow(.999, t))));
    }
    auto const g = gradient_.view();
    copy(dp.rows(), g);
    scale_rows(weights, g);
    axpy_rows(shrink, p_->rows(), g);
    adam_rows(rates, unbias, g, mean_.view(), square_.view(), p_->rows());
    lanes_.encoding().project(*p_, lanes_.canvas());
  }

  // The next c where a search is over, from p = 0.
  void begin_again() {
    std::vector<float> keep(state_.size(), 1.f);
    for (std::size_t i = 0; i < state_.size(); ++i) {
      auto& s = state_[i];
      if (finished_[i] || !s.ending) continue;
      (s.reached ? s.high : s.low) = s.constant;
      s.constant = s.high < none ? (s.low + s.high) / 2 : 10 * s.constant;
      s = {.taken = 0, .searched = s.searched + 1, .constant = s.constant, .low = s.low, .high = s.high, .shortest = s.shortest};
      keep[i] = 0;
    }
    if (std::find(keep.begin(), keep.end(), 0.f) == keep.end()) return;
    for (auto rows : {p_->rows(), mean_.view(), square_.view()}) scale_rows(keep, rows);
  }

  carlini_wagner policy_;
  detail::lanes<E, S> lanes_;
  typename detail::lanes<E, S>::genotypes p_, best_;
  detail::row_array<S> gradient_, mean_, square_;
  std::vector<state> state_;
  std::vector<std::uint8_t> finished_;
  std::size_t told_ = 0;
};

}  // namespace pareidolia
