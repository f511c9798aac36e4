// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/lanes.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

namespace pareidolia::detail {

/// Genotypes, as many for each canvas, that are looked at a batch at a time; and the best that each canvas has had.
///
/// Genotype k of canvas c is at k * canvases + c, where an encoding expects it. A value that is not a number counts as the least.
template <class E, space S>
class generation {
 public:
  using population = population_t<E, S>;

  generation(E const& encoding, const_image_view<S> canvas, std::size_t each, std::size_t batch)
      : encoding_(encoding),
        canvas_(canvas),
        each_(each),
        batch_(batch),
        all_(make(each * canvas.shape[0])),
        best_(make(canvas.shape[0])),
        asked_(make(std::min(batch, each * canvas.shape[0]))),
        values_(each * canvas.shape[0], nothing),
        best_values_(canvas.shape[0], nothing) {}

  [[nodiscard]] std::size_t canvases() const { return best_values_.size(); }
  [[nodiscard]] std::size_t each() const { return each_; }
  [[nodiscard]] std::size_t place(std::size_t canvas, std::size_t k) const { return k * canvases() + canvas; }
  [[nodiscard]] population& all() { return *all_; }
  [[nodiscard]] population const& all() const { return *all_; }
  [[nodiscard]] std::span<float const> values() const { return values_; }

  /// The best genotype of each canvas, and its value.
  [[nodiscard]] population const& best() const { return *best_; }
  [[nodiscard]] std::span<float const> best_values() const { return best_values_; }

  /// What is looked at now, and on which canvases.
  [[nodiscard]] population const& asked() const { return *asked_; }
  [[nodiscard]] std::span<std::size_t const> shown_on() const { return shown_on_; }

  /// Makes `places` those that are to be looked at, in this order.
  void look_at(std::vector<std::size_t> places) {
    waiting_ = std::move(places);
    answered_ = 0;
    ask();
  }
  [[nodiscard]] bool complete() const { return answered_ == waiting_.size(); }
  [[nodiscard]] std::span<std::size_t const> looked_at() const { return waiting_; }

  /// The genotypes of a canvas, best first, the first of equal ones first.
  [[nodiscard]] std::vector<std::size_t> ranked(std::size_t canvas) const {
    std::vector<std::size_t> order(each_);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return values_[place(canvas, a)] > values_[place(canvas, b)]; });
    return order;
  }

  /// Errors: a canvas without any value.
  void check(std::string_view who) const {
    for (std::size_t c = 0; c < canvases(); ++c)
      if (best_values_[c] == nothing)
        fail(who, ": no image of canvas ", c, " has a value in generation 0; check that the objective gives numbers");
  }

  /// Of the best values: how many are `goal` or more, median, mean, largest and smallest.
  [[nodiscard]] std::array<double, 5> summary(float goal) const {
    auto best = best_values_;
    std::sort(best.begin(), best.end());
    std::size_t const n = best.size();
    auto const reached = std::count_if(best.begin(), best.end(), [&](float v) { return v >= goal; });
    return {static_cast<double>(reached), (double{best[(n - 1) / 2]} + double{best[n / 2]}) / 2,
            std::accumulate(best.begin(), best.end(), 0.) / static_cast<double>(n), double{best.back()}, double{best.front()}};
  }

  /// The values of what was asked for.
  void learn(const_value_view<S> values) {
    auto const found = on_host(values);
    std::vector<std::size_t> better, from;
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::size_t const place = waiting_[answered_ + i], canvas = shown_on_[i];
      values_[place] = std::isnan(found[i]) ? nothing : found[i];
      if (!(values_[place] > best_values_[canvas])) continue;
      best_values_[canvas] = values_[place];
      if (better.empty() || better.back() != canvas) better.push_back(canvas), from.push_back(i);
      from.back() = i;
    }
    for (std::size_t k = 0; k < better.size(); ++k)
      best_->assign(std::span(better).subspan(k, 1), *asked_, std::span<std::size_t const>(from).subspan(k, 1));
    answered_ += found.size();
    if (!complete()) ask();
  }

  template <class A>
  void state(A& a) {
    a("genotypes", *all_);
    a("values", values_);
    a("best", *best_);
    a("best values", best_values_);
    a("waiting", waiting_);
    a("answered", answered_);
    if constexpr (A::reading)
      if (!complete()) ask();
  }

  static constexpr float nothing = -std::numeric_limits<float>::infinity();

 private:
  using genotypes = std::unique_ptr<population>;

  [[nodiscard]] genotypes make(std::size_t n) const { return genotypes(new population(encoding_.buffer(n, canvas_))); }

  void ask() {
    std::size_t const count = std::min(batch_, waiting_.size() - answered_);
    if (static_cast<std::size_t>(asked_->size()) != count) asked_ = make(count);
    auto const from = std::span<std::size_t const>(waiting_).subspan(answered_, count);
    std::vector<std::size_t> to(count);
    std::iota(to.begin(), to.end(), std::size_t{0});
    asked_->assign(to, *all_, from);
    shown_on_.clear();
    for (std::size_t place : from) shown_on_.push_back(place % canvases());
  }

  E encoding_;
  const_image_view<S> canvas_;
  std::size_t each_, batch_;
  genotypes all_, best_, asked_;
  std::vector<float> values_, best_values_;
  std::vector<std::size_t> waiting_;  // places of all_
  std::vector<std::size_t> shown_on_;
  std::size_t answered_ = 0;  // of those that wait
};

}  // namespace pareidolia::detail
