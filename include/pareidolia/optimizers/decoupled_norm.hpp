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
#include <numbers>
#include <span>
#include <vector>

namespace pareidolia {

/// Decoupled direction and norm (Rony et al., CVPR 2019): the smallest 2-norm of a genotype that succeeds, where gradients turn the
/// genotype and successes set its length.
///
///   q = p_k + a_k g / ||g||_2,  g = grad v(p_k);  s_{k+1} = s_k (1 - c_k) if p_k succeeds, else s_k (1 + c_k);
///   p_0 = 0,  p_{k+1} = Proj(s_{k+1} q / ||q||_2)
///
/// a_k falls from `rate` to `last_rate` and c_k from `change` to `last_change`, both as half a cosine. The answer is the shortest success,
/// or the last genotype if there was none.
///
/// In the paper c_k stays 0.05, which leaves the norm uncertain by as much (Pintor et al., NeurIPS 2021, let it fall too), and s_1 and a_0
/// are 1. Here they are 3: what starts far out comes back to a nearer border. Which border that is depends on the objective's gradient far
/// from it: the cross entropy, which leans towards all classes, finds nearer ones than the margin.
///
///     attack const least{perturbation{l2{}}, cross_entropy{}, decoupled_norm{}};
///
/// An image is done after `steps` steps, or at once if its canvas succeeds. Where the gradient is 0 the direction stays. Cost for an image:
/// steps + 1 forwards and steps backwards (one more where images of a batch are at different steps). Memory: 3 genotypes for each image of
/// the batch. Errors: no steps; a rate or a radius that is not above 0; a change that is not in (0, 1).
struct decoupled_norm {
  std::size_t steps = 100;    ///< of each image
  float rate = 3;             ///< length of the first step along the gradient, a_0
  float last_rate = .001f;    ///< of the last one
  float radius = 3;           ///< norm of the first perturbation, s_1
  float change = .05f;        ///< share by which the norm changes at first, c_0
  float last_change = .001f;  ///< at last

  template <class A>
  void settings(A& a) const {
    a.setting("decoupled_norm.steps", steps);
    a.setting("decoupled_norm.rate", rate);
    a.setting("decoupled_norm.last_rate", last_rate);
    a.setting("decoupled_norm.radius", radius);
    a.setting("decoupled_norm.change", change);
    a.setting("decoupled_norm.last_change", last_change);
  }

  template <class E, space S>
  class search;

  template <class E, space S>
  requires ConstrainedEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (steps == 0) detail::fail("decoupled_norm: steps is 0; give at least 1");
    if (!(rate > 0) || !(last_rate > 0)) detail::fail("decoupled_norm: the rates are ", rate, " and ", last_rate, "; give lengths above 0");
    if (!(radius > 0)) detail::fail("decoupled_norm: radius is ", radius, "; give a norm above 0");
    if (!(change > 0 && change < 1 && last_change > 0 && last_change < 1))
      detail::fail("decoupled_norm: the norm is to change by shares of ", change, " and ", last_change, "; give shares between 0 and 1");
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running decoupled_norm, image by image.
template <class E, space S>
class decoupled_norm::search {
 public:
  using population = population_t<E, S>;

  search(decoupled_norm const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        lanes_(encoding, canvas, random),
        p_(lanes_.make()),
        best_(lanes_.make()),
        state_(lanes_.size()),
        finished_(lanes_.size()) {}

  [[nodiscard]] population const& ask() const { return *p_; }
  [[nodiscard]] population const& best() const { return *best_; }
  [[nodiscard]] std::span<std::uint8_t const> finished() const { return finished_; }
  [[nodiscard]] bool done() const { return std::find(finished_.begin(), finished_.end(), std::uint8_t{0}) == finished_.end(); }
  [[nodiscard]] standing where() const { return {told_, policy_.steps + 1, {}}; }
  [[nodiscard]] bool wants_gradients() const {
    for (std::size_t i = 0; i < state_.size(); ++i)
      if (!finished_[i] && state_[i].taken < policy_.steps) return true;
    return false;
  }

  void tell(evaluation<S> const& e) { judge(e); }

  void tell(evaluation<S> const& e, population const& dp) {
    judge(e);
    if (done()) return;
    turn(dp);
    set_norms();
    lanes_.encoding().project(*p_, lanes_.canvas());
    for (auto& s : state_) ++s.taken;
  }

  void replace(turnover const& t, const_image_view<S> canvas) { lanes_.replace(t, canvas, p_, best_, state_, finished_); }

 private:
  struct state {
    std::size_t taken = 0;
    double scale = 1;  // s_k / s_1
    double shortest = std::numeric_limits<double>::infinity();
    bool success = false;
  };

  [[nodiscard]] double annealed(float first, float last, std::size_t i) const {
    double const progress = static_cast<double>(state_[i].taken) / static_cast<double>(policy_.steps);
    return last + .5 * (double{first} - double{last}) * (1 + std::cos(std::numbers::pi * progress));
  }

  // q = p + a g / ||g||
  void turn(population const& dp) {
    std::vector<double> norms(state_.size());
    std::vector<float> lengths;
    norm2_rows(dp.rows(), norms);
    for (std::size_t i = 0; i < norms.size(); ++i)
      lengths.push_back(finished_[i] || norms[i] == 0 ? 0.f : static_cast<float>(annealed(policy_.rate, policy_.last_rate, i) / norms[i]));
    axpy_rows(lengths, dp.rows(), p_->rows());
  }

  // s q / ||q||
  void set_norms() {
    std::vector<double> norms(state_.size());
    std::vector<float> factors;
    norm2_rows(p_->rows(), norms);
    for (std::size_t i = 0; i < norms.size(); ++i) {
      auto& s = state_[i];
      double const change = annealed(policy_.change, policy_.last_change, i);
      if (s.taken > 0) s.scale = std::min(s.scale * (s.success ? 1 - change : 1 + change), 1e9);
      factors.push_back(finished_[i] || norms[i] == 0 ? 1.f : static_cast<float>(policy_.radius * s.scale / norms[i]));
    }
    scale_rows(factors, p_->rows());
  }

  // Keeps what was evaluated where it succeeds and is shorter than what there was, and says who is done.
  void judge(evaluation<S> const& e) {
    std::vector<double> norms(state_.size());
    norm2_rows(p_->rows(), norms);
    std::vector<std::size_t> better;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      if (finished_[i]) continue;
      auto& s = state_[i];
      s.success = e.success(i);
      bool const none = !std::isfinite(s.shortest);
      finished_[i] = s.taken == policy_.steps || (s.taken == 0 && s.success);
      if (s.success ? norms[i] < s.shortest : none && finished_[i]) better.push_back(i);
      if (s.success) s.shortest = std::min(s.shortest, norms[i]);
    }
    best_->assign(better, *p_, better);
    ++told_;
  }

  decoupled_norm policy_;
  detail::lanes<E, S> lanes_;
  typename detail::lanes<E, S>::genotypes p_, best_;
  std::vector<state> state_;
  std::vector<std::uint8_t> finished_;
  std::size_t told_ = 0;
};

}  // namespace pareidolia
