// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/lanes.hpp>
#include <pareidolia/detail/projected_lbfgs.hpp>
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

/// Box-constrained L-BFGS, image by image, and with it the attack of Szegedy et al. (ICLR 2014): the genotype p that minimises
///
///   c ||p||_2^2 + log(1 + exp(-v(p)))
///
/// for the largest c at which it still succeeds. With the objective v = `towards{margin{}}` the second term is the cross entropy of the
/// class to reach against its strongest rival; with `margin{}` it is that of leaving a class. The paper writes c |r|; the square has a
/// gradient at 0.
///
///     attack const szegedy{perturbation{l2{}}, towards{margin{}}, lbfgs{}};
///
/// c grows 10 times until the minimiser fails (or shrinks until it succeeds, 12 times at most), then the interval is halved on a
/// logarithmic scale; each search starts at the answer so far, the shortest success that any of them has met. An image for which there is
/// none stays its canvas.
///
/// With `distortion` = 0 it maximises v itself, once, over what the encoding permits; the answer is the p of largest v.
///
/// The set that is permitted must be a box, as that of a perturbation without radius or of linf: bounds are kept by projection
/// (detail/projected_lbfgs.hpp). Each image has its own pairs, line search and c. Cost: one forward and backward for each trial, so at most
/// steps + 1 for each c; one forward and backward for a canvas that succeeds. Memory: 2 memory + 8 vectors of the genotypes' length for
/// each image of the batch. Errors: no steps or no memory; a distortion or a tolerance that is negative or not a number.
struct lbfgs {
  float distortion = 1;        ///< the first c; 0: maximise v
  std::size_t bisections = 8;  ///< of c
  std::size_t steps = 40;      ///< trials of each search, at most
  std::size_t memory = 5;      ///< pairs that make up the curvature
  float tolerance = 1e-4f;     ///< a search ends with a step that gains no more than that, beside the value or 1

  template <class A>
  void settings(A& a) const {
    a.setting("lbfgs.distortion", distortion);
    a.setting("lbfgs.bisections", bisections);
    a.setting("lbfgs.steps", steps);
    a.setting("lbfgs.memory", memory);
    a.setting("lbfgs.tolerance", tolerance);
  }

  template <class E, space S>
  class search;

  template <class E, space S>
  requires ConstrainedEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (steps == 0) detail::fail("lbfgs: steps is 0; give at least 1");
    if (memory == 0) detail::fail("lbfgs: memory is 0; give at least 1 pair");
    if (!(distortion >= 0)) detail::fail("lbfgs: distortion is ", distortion, "; give the first c, or 0 to maximise the objective");
    if (!(tolerance >= 0)) detail::fail("lbfgs: tolerance is ", tolerance, "; give 0 or more");
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running lbfgs, image by image.
template <class E, space S>
class lbfgs::search {
 public:
  using population = population_t<E, S>;

  search(lbfgs const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        lanes_(encoding, canvas, random),
        p_(lanes_.make()),
        best_(lanes_.make()),
        gradient_(lanes_.make_rows(p_)),
        descent_(lanes_, p_, policy.memory),
        state_(lanes_.size()),
        finished_(lanes_.size()) {
    for (auto& s : state_) s.c = double{policy_.distortion};
  }

  [[nodiscard]] population const& ask() const { return *p_; }
  [[nodiscard]] population const& best() const { return *best_; }
  [[nodiscard]] std::span<std::uint8_t const> finished() const { return finished_; }
  [[nodiscard]] bool done() const { return std::find(finished_.begin(), finished_.end(), std::uint8_t{0}) == finished_.end(); }
  [[nodiscard]] standing where() const { return {told_, 0, {}}; }

  void tell(evaluation<S> const& e, population const& dp) {
    ++told_;
    auto const f = look(e, dp);
    if (done()) return;
    auto const progress = descent_.tell(f, gradient_.view(), policy_.tolerance, lanes_, *p_);
    std::vector<std::size_t> again;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      auto& s = state_[i];
      if (progress[i].accepted) s.success = e.success(i);
      if (!progress[i].ended && ++s.taken <= policy_.steps) continue;
      if (policy_.distortion == 0 || !next(s))
        finished_[i] = 1;
      else
        again.push_back(i);
      descent_.restart(i);
    }
    p_->assign(again, *best_, again);
  }

  void replace(turnover const& t, const_image_view<S> canvas) {
    descent_.replace(t);
    for (std::size_t i : lanes_.replace(t, canvas, p_, best_, gradient_, state_, finished_)) state_[i].c = double{policy_.distortion};
  }

 private:
  static constexpr double none = std::numeric_limits<double>::infinity();

  struct state {
    double c = 0, low = 0, high = none;  // which succeeded, which failed
    std::size_t taken = 0;               // trials with this c
    std::size_t decades = 0, halved = 0;
    bool success = false;  // of the minimiser so far
    double least = none;   // norm of the answer, or -v
  };

  // What is minimised: its values, and its gradients in gradient_. Keeps the answer.
  std::vector<double> look(evaluation<S> const& e, population const& dp) {
    auto const values = detail::on_host(e.values);
    std::vector<double> norms(state_.size()), f;
    std::vector<float> of_value, of_norm;
    std::vector<std::size_t> better;
    norm2_rows(p_->rows(), norms);
    bool const plain = policy_.distortion == 0;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      auto& s = state_[i];
      double const v = double{values[i]}, decay = std::exp(-std::abs(v));
      f.push_back(plain ? -v : s.c * norms[i] * norms[i] + std::log1p(decay) + std::max(-v, 0.));
      of_value.push_back(plain ? -1.f : static_cast<float>(-(v < 0 ? 1. : decay) / (1 + decay)));
      of_norm.push_back(static_cast<float>(2 * s.c));
      double const cost = plain ? -v : norms[i];
      if (finished_[i] || (!plain && !e.success(i)) || !(cost < s.least)) continue;
      s.least = cost;
      better.push_back(i);
      finished_[i] = !plain && cost == 0;
    }
    best_->assign(better, *p_, better);
    auto const g = gradient_.view();
    copy(dp.rows(), g);
    scale_rows(of_value, g);
    axpy_rows(of_norm, p_->rows(), g);
    return f;
  }

  // The next c, after a search that ended with or without success; false if there is none.
  [[nodiscard]] bool next(state& s) const {
    constexpr std::size_t most_decades = 12;
    (s.success ? s.low : s.high) = s.c;
    if (s.low == 0 || s.high == none) {
      if (s.decades++ == most_decades) return false;
      s.c *= s.low == 0 ? .1 : 10;
    } else {
      if (s.halved++ == policy_.bisections) return false;
      s.c = std::sqrt(s.low * s.high);
    }
    s.taken = 0;
    return true;
  }

  lbfgs policy_;
  detail::lanes<E, S> lanes_;
  typename detail::lanes<E, S>::genotypes p_, best_;
  detail::row_array<S> gradient_;
  detail::projected_lbfgs<E, S> descent_;
  std::vector<state> state_;
  std::vector<std::uint8_t> finished_;
  std::size_t told_ = 0;
};

}  // namespace pareidolia
