// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/lanes.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

// What optimizers made of another one have in common.

namespace pareidolia::detail {

/// The verbs of a search that one around it leaves to it, which are those it has.
template <class Inner, class E, space S>
class forwarding {
 public:
  using population = population_t<E, S>;

  [[nodiscard]] population const& ask() const { return inner_.ask(); }
  [[nodiscard]] bool wants_gradients() const requires SparingSearch<Inner, E, S> { return inner_.wants_gradients(); }
  [[nodiscard]] std::size_t backwards(evaluation<S> const& e) requires JacobianSearch<Inner, E, S> { return inner_.backwards(e); }
  void seed(std::size_t k, score_view<S> dy) requires JacobianSearch<Inner, E, S> { inner_.seed(k, dy); }
  void learn(std::size_t k, population const& dp) requires JacobianSearch<Inner, E, S> { inner_.learn(k, dp); }

 protected:
  explicit forwarding(Inner inner) : inner_(std::move(inner)) {}

  Inner inner_;
};

/// What is known of an image that is attempted several times.
struct trial {
  std::size_t attempt = 0;  ///< which one goes on, from 0
  float given = std::numeric_limits<float>::infinity(), low = 0, high = std::numeric_limits<float>::infinity();  ///< radii
  bool success = false;                                                                                          ///< of the answer
  float value = -std::numeric_limits<float>::infinity();
};

/// How an attempt ended: whether anything that was asked for in it was a success, and the largest value among the successes, if there were
/// any, or of all.
struct ending {
  bool success = false;
  float value = -std::numeric_limits<float>::infinity();
};

/// A search image by image that lets another one attempt each image several times. Plan, a value, says
///   plan.radius(trial)         the radius of an attempt,
///   plan.better(trial, ending) whether the answer of the attempt that ended is that of the image so far,
///   plan.again(trial&, ending) whether there is one more attempt, and makes `trial` know what came of the last.
/// Attempt k > 0 of the image with number id is that of an image numbered by a hash of (id, k) to the search inside: it draws anew.
template <class Plan, class Inner, class E, space S>
class attempts : public forwarding<Inner, E, S> {
 public:
  using population = population_t<E, S>;

  attempts(Plan plan, Inner inner, E const& encoding, const_image_view<S> canvas, rng const& random)
      : forwarding<Inner, E, S>(std::move(inner)),
        plan_(std::move(plan)),
        lanes_(encoding, canvas, random),
        best_(lanes_.make()),
        trials_(lanes_.size()),
        endings_(lanes_.size()),
        finished_(lanes_.size()) {
    std::vector<std::size_t> from(lanes_.size(), turnover::none);
    begin(from);
  }

  [[nodiscard]] population const& best() const { return *best_; }
  [[nodiscard]] std::span<std::uint8_t const> finished() const { return finished_; }
  [[nodiscard]] bool done() const { return std::find(finished_.begin(), finished_.end(), 0) == finished_.end(); }
  [[nodiscard]] standing where() const { return {told_, 0, {}}; }

  void tell(evaluation<S> const& e) requires requires(Inner& inner) { inner.tell(e); }
  {
    note(e);
    inner_.tell(e);
    settle();
  }
  void tell(evaluation<S> const& e, population const& dp) requires GradientSearch<Inner, E, S> {
    note(e);
    inner_.tell(e, dp);
    settle();
  }

  void replace(turnover const& t, const_image_view<S> canvas) {
    lanes_.replace(t, canvas, best_, trials_, endings_, finished_);
    begin(t.from);
  }

 private:
  using forwarding<Inner, E, S>::inner_;

  // The batch that `from` says, to the search inside; new images begin their first attempt.
  void begin(std::span<std::size_t const> from) {
    for (std::size_t i = 0; i < from.size(); ++i)
      if (from[i] == turnover::none)
        if constexpr (LimitedPopulation<population>) trials_[i].given = best_->limits()[i];
    seat(from);
  }

  void seat(std::span<std::size_t const> from) {
    std::vector<std::uint64_t> ids;
    std::vector<float> limits;
    for (std::size_t i = 0; i < from.size(); ++i) {
      std::uint64_t const id = lanes_.ids()[i];
      ids.push_back(trials_[i].attempt == 0 ? id : rng(id).fork(trials_[i].attempt).key());
      if constexpr (LimitedPopulation<population>) limits.push_back(plan_.radius(trials_[i]));
    }
    inner_.replace(turnover{from, ids, limits}, lanes_.canvas());
  }

  void note(evaluation<S> const& e) {
    auto const values = on_host(e.values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      ending const now{e.success(i), values[i]};
      auto& so_far = endings_[i];
      if (std::pair{now.success, now.value} > std::pair{so_far.success, so_far.value}) so_far = now;
    }
    ++told_;
  }

  // Keeps the answers of attempts that ended, and begins others.
  void settle() {
    auto const ended = inner_.finished();
    std::vector<std::size_t> kept, from;
    bool again = false;
    for (std::size_t i = 0; i < finished_.size(); ++i) {
      from.push_back(i);
      if (finished_[i]) continue;
      auto& t = trials_[i];
      if (ended[i] == 0) {
        if (t.attempt == 0) kept.push_back(i);  // so that there is an answer at any time
        continue;
      }
      if (t.attempt == 0 || plan_.better(t, endings_[i])) {
        kept.push_back(i);
        t.success = endings_[i].success;
        t.value = endings_[i].value;
      }
      if (plan_.again(t, endings_[i])) {
        ++t.attempt;
        from[i] = turnover::none;
        again = true;
      } else {
        finished_[i] = 1;
      }
      endings_[i] = {};
    }
    best_->assign(kept, inner_.best(), kept);
    if (again) seat(from);
  }

  Plan plan_;
  detail::lanes<E, S> lanes_;
  typename detail::lanes<E, S>::genotypes best_;
  std::vector<trial> trials_;
  std::vector<ending> endings_;
  std::vector<std::uint8_t> finished_;
  std::size_t told_ = 0;
};

}  // namespace pareidolia::detail
