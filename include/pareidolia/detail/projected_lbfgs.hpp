// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/lanes.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia::detail {

/// Minimises one function F for each image of a batch over the genotypes that are permitted, a box: x_{k+1} = Proj(x_k - t H grad F).
///
/// The two-metric projection of Bertsekas (SIAM J. Control Optim. 1982) with the H of L-BFGS: values that a step against the gradient does
/// not move, since they are at a bound, are held, and H is that of the others. t is 1 at first (while H is not known, such that the step is
/// no longer than 1), then where a parabola has its minimum, until F(x_{k+1}) <= F(x_k) + 1e-4 <grad F(x_k), x_{k+1} - x_k>.
///
/// Each image is told one value and gradient at a time, and is at a line search of its own.
template <class E, space S>
class projected_lbfgs {
 public:
  using population = population_t<E, S>;

  struct progress {
    bool accepted = false;  ///< the trial is the new x
    bool ended = false;     ///< no step lowers F by more than the tolerance
  };

  projected_lbfgs(lanes<E, S> const& images, typename lanes<E, S>::genotypes const& like, std::size_t memory)
      : memory_(memory),
        x_(images.make_rows(like)),
        gradient_(images.make_rows(like)),
        step_(images.make_rows(like)),
        next_step_(images.make_rows(like)),
        s_(images.size(), memory * like->rows().shape[1]),
        y_(images.size(), memory * like->rows().shape[1]),
        state_(images.size()) {}

  /// What is told next of this image is where it starts.
  void restart(std::size_t i) { state_[i] = {}; }

  /// The trials p have the values f and the gradients g; writes the next trials to p, x itself for images that have ended. A step that
  /// lowers F by no more than tolerance max(1, |F|) is the last one.
  std::vector<progress> tell(std::span<double const> f, view<float const, 2, S> g, float tolerance, lanes<E, S> const& images,
                             population& p) {
    auto const result = judge(f, tolerance, p);
    std::vector<std::size_t> accepted;
    for (std::size_t i = 0; i < result.size(); ++i)
      if (result[i].accepted) accepted.push_back(i);
    remember(accepted, g, p);
    turn(images, p);
    move(result, images, p);
    return result;
  }

  void replace(turnover const& t) {
    moves const m(t);
    for (auto* rows : {&x_, &gradient_, &step_, &next_step_, &s_, &y_}) rows->replace(t, m);
    detail::replace(state_, t, m);
  }

 private:
  struct state {
    bool begun = false;              // x is known
    bool turning = false;            // a new direction is due
    double f = 0;                    // F(x)
    double t = 1;                    // of the trial
    std::size_t rejected = 0;        // trials from x
    std::vector<std::size_t> pairs;  // which of the image's places hold s and y, oldest first
  };

  static constexpr std::size_t most_rejected = 20;

  std::vector<progress> judge(std::span<double const> f, float tolerance, population const& p) {
    std::vector<double> from(state_.size()), to(state_.size());
    dot_rows(gradient_.view(), x_.view(), from);
    dot_rows(gradient_.view(), p.rows(), to);
    std::vector<progress> result(state_.size());
    for (std::size_t i = 0; i < state_.size(); ++i) {
      auto& s = state_[i];
      double const slope = to[i] - from[i];  // <grad F(x), trial - x>
      if (!s.begun || (slope < 0 && f[i] <= s.f + 1e-4 * slope)) {
        result[i] = {true, s.begun && s.f - f[i] <= double{tolerance} * std::max(1., std::abs(f[i]))};
        s.f = f[i];
        continue;
      }
      double const bend = f[i] - s.f - slope;
      s.t *= slope < 0 && bend > 0 ? std::clamp(-slope / (2 * bend), .1, .5) : .5;
      if (++s.rejected <= most_rejected && slope != 0) continue;
      if (s.pairs.empty()) {
        result[i].ended = true;
      } else {
        s.pairs.clear();
        s.turning = true;
      }
    }
    return result;
  }

  // The accepted trials become x, and what was learnt on the way joins the pairs.
  void remember(std::vector<std::size_t> const& accepted, view<float const, 2, S> g, population const& p) {
    std::vector<std::size_t> from, to;
    for (std::size_t i : accepted) {
      auto& s = state_[i];
      s.turning = true;
      if (!std::exchange(s.begun, true)) continue;
      if (s.pairs.size() < memory_)
        s.pairs.push_back(s.pairs.size());
      else
        std::rotate(s.pairs.begin(), s.pairs.begin() + 1, s.pairs.end());
      from.push_back(i);
      to.push_back(i * memory_ + s.pairs.back());
    }
    subtract_rows(p.rows(), x_.view(), from, places(s_), to);
    subtract_rows(g, gradient_.view(), from, places(y_), to);
    copy_rows(p.rows(), accepted, x_.view(), accepted);
    copy_rows(g, accepted, gradient_.view(), accepted);
  }

  // New directions from x, where they are due. p is used to try which values are held.
  void turn(lanes<E, S> const& images, population& p) {
    std::vector<std::size_t> turning;
    std::vector<std::vector<std::size_t>> pairs(state_.size());
    for (std::size_t i = 0; i < state_.size(); ++i) {
      if (!state_[i].turning) continue;
      turning.push_back(i);
      for (std::size_t place : state_[i].pairs) pairs[i].push_back(i * memory_ + place);
    }
    if (turning.empty()) return;
    std::vector<double> norms(state_.size());
    std::vector<float> unit, opposite(state_.size(), -1.f);
    norm2_rows(gradient_.view(), norms);
    for (double n : norms) unit.push_back(n > 0 ? static_cast<float>(-1 / n) : 0.f);
    auto const d = next_step_.view();
    copy(view<float const, 2, S>(x_.view()), p.rows());
    axpy_rows(unit, gradient_.view(), p.rows());
    images.encoding().project(p, images.canvas());
    copy(view<float const, 2, S>(gradient_.view()), d);
    scale_rows(opposite, d);
    zero_where_equal(x_.view(), p.rows(), d);
    two_loop_rows(places(s_), places(y_), pairs, d);
    copy_rows(d, turning, step_.view(), turning);
    norm2_rows(d, norms);
    for (std::size_t i : turning) {
      auto& s = state_[i];
      s.turning = false;
      s.rejected = 0;
      s.t = s.pairs.empty() ? 1 / std::max(1., norms[i]) : 1;
    }
  }

  void move(std::vector<progress> const& result, lanes<E, S> const& images, population& p) {
    std::vector<float> lengths;
    for (std::size_t i = 0; i < state_.size(); ++i) lengths.push_back(result[i].ended ? 0.f : static_cast<float>(state_[i].t));
    copy(view<float const, 2, S>(x_.view()), p.rows());
    axpy_rows(lengths, step_.view(), p.rows());
    images.encoding().project(p, images.canvas());
  }

  // One row for each place of each image.
  [[nodiscard]] view<float, 2, S> places(row_array<S>& rows) const {
    auto const all = rows.view();
    return {all.data, {all.shape[0] * memory_, all.shape[1] / memory_}};
  }

  std::size_t memory_;
  row_array<S> x_, gradient_, step_, next_step_;
  row_array<S> s_, y_;  // (images, memory * length)
  std::vector<state> state_;
};

}  // namespace pareidolia::detail
