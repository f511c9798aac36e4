// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/generation.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// A genetic algorithm with one goal: for each canvas a population of its own, which climbs the value of the class that its label names.
///
///   draw `population` genotypes and evaluate them
///   each generation:
///     the `elite` best stay as they are (De Jong 1975), and are not evaluated again
///     the others are replaced by children, made by vary() of parents from tournaments: the best of `tournament` that are drawn uniformly,
///     with replacement (Goldberg and Deb 1991)
///   until the best value is `goal` or more, or after `generations`.
///
/// Canvases are searched side by side, to fill the batch; what becomes of one does not depend on the others, nor on the batch. One whose
/// goal is reached is left out of later generations. So an image for each of several classes is
///
///     attack const aim{cppn{}, class_probability{}, genetic{.generations = 500, .goal = .99f}};
///     run(aim, net, repeated(blank(net.input()), {281, 543, 985}), rng{42})
///
/// best() has the best genotype that each canvas has had; the first of equal ones. An encoding with a schedule is asked for its state at
/// each generation. Everything random belongs to generation and canvas, so a run is the prefix of a longer one.
///
/// Figures, after each generation: canvases that have "reached" the goal; "median", "mean", "max" and "min" of the best values; and the
/// mean value of all genotypes ("population"), which comes close to the best ones where a search is stuck.
///
/// Cost for each canvas: population + generations (population - elite) images. Memory: population (canvases + 2) genotypes and a batch.
/// Errors: a population without children, a tournament of none, a canvas for which every value of the random generation is NaN.
struct genetic {
  std::size_t population = 200;   ///< genotypes of each canvas
  std::size_t generations = 200;  ///< after the random one

  /// 1: parents are drawn whatever their value; more: greedier. For ten digits of LeNet at 99 % by pixels, 2, 4, 8, 16 took 28, 22, 18 and
  /// 16 thousand images; by cppn 3.4, 2.6, 2.2 and 2.8 thousand (population 60).
  std::size_t tournament = 8;

  std::size_t elite = 2;  ///< less than `population`; 0: only the answer remembers the best
  float goal = std::numeric_limits<float>::infinity();
  std::size_t batch = 64;  ///< images of a step, at most

  template <class E, space S>
  class search;

  template <class E, space S>
  requires EvolvableEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (elite >= population)
      detail::fail("genetic: elite is ", elite, " of a population of ", population, "; leave at least 1 to be replaced by children");
    if (tournament == 0) detail::fail("genetic: tournament is 0; give at least 1, or 2 for a choice");
    if (batch == 0) detail::fail("genetic: batch is 0; give at least 1");
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running genetic.
template <class E, space S>
class genetic::search {
 public:
  using population = population_t<E, S>;

  search(genetic const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        encoding_(encoding),
        random_(random),
        alive_(encoding, canvas, policy.population, policy.batch),
        parents_(encoding.buffer(policy.population - policy.elite, canvas)),
        children_(encoding.buffer(policy.population - policy.elite, canvas)),
        order_(policy.population) {
    population drawn(encoding.buffer(policy.population, canvas));
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::vector<std::size_t> everyone;
    for (std::size_t c = 0; c < alive_.canvases(); ++c) {
      scheduled().draw(drawn, random_.fork(0).fork(c));
      auto const to = places(c, order_);
      alive_.all().assign(to, drawn, order_);
      everyone.insert(everyone.end(), to.begin(), to.end());
    }
    alive_.look_at(std::move(everyone));
  }

  [[nodiscard]] population const& ask() const { return alive_.asked(); }
  [[nodiscard]] std::span<std::size_t const> canvases() const { return alive_.shown_on(); }
  [[nodiscard]] population const& best() const { return alive_.best(); }
  [[nodiscard]] bool done() const { return alive_.complete(); }

  /// step is the generation that was completed last.
  [[nodiscard]] standing where() const { return {generation_ == 0 ? 0 : generation_ - 1, policy_.generations, figures_}; }

  void tell(evaluation<S> const& e) {
    alive_.learn(e.values);
    if (!alive_.complete()) return;
    summarise();
    ++generation_;
    breed();
  }

  template <class A>
  void state(A& a) {
    a.setting("genetic.population", policy_.population);
    a.setting("genetic.tournament", policy_.tournament);
    a.setting("genetic.elite", policy_.elite);
    a("generation", generation_);
    a("alive", alive_);
    column(a, "figures", figures_, &figure::value);
    if constexpr (A::reading)
      if (done()) breed();
  }

 private:
  // Where genotypes of a canvas are.
  [[nodiscard]] std::vector<std::size_t> places(std::size_t canvas, std::span<std::size_t const> which) const {
    std::vector<std::size_t> result;
    for (std::size_t k : which) result.push_back(alive_.place(canvas, k));
    return result;
  }

  // The generation to be looked at next; nothing where the search is over.
  void breed() {
    if (generation_ > policy_.generations) return;
    std::vector<std::size_t> born;
    for (std::size_t c = 0; c < alive_.canvases(); ++c) {
      if (alive_.best_values()[c] >= policy_.goal) continue;
      auto const to = breed(c);
      born.insert(born.end(), to.begin(), to.end());
    }
    alive_.look_at(std::move(born));
  }

  // Children of a canvas in place of all but its elite; where they are.
  std::vector<std::size_t> breed(std::size_t canvas) {
    rng const random = random_.fork(generation_).fork(canvas);
    auto const ranked = alive_.ranked(canvas);
    auto selection = random.fork(0).stream(0);
    std::vector<std::size_t> chosen;
    for (std::size_t k = policy_.elite; k < policy_.population; ++k) {
      auto best = static_cast<std::uint32_t>(policy_.population);
      for (std::size_t round = 0; round < policy_.tournament; ++round)
        best = std::min(best, selection.below(static_cast<std::uint32_t>(policy_.population)));
      chosen.push_back(ranked[best]);
    }
    auto const here = std::span<std::size_t const>(order_).first(chosen.size());
    parents_.assign(here, alive_.all(), places(canvas, chosen));
    scheduled().vary(parents_, children_, random.fork(1));
    auto to = places(canvas, std::span<std::size_t const>(ranked).subspan(policy_.elite));
    std::sort(to.begin(), to.end());
    alive_.all().assign(to, children_, here);
    return to;
  }

  // The encoding as this generation uses it.
  [[nodiscard]] decltype(auto) scheduled() const {
    if constexpr (ScheduledEncoding<E, S>)
      return encoding_.at(generation_);
    else
      return (encoding_);
  }

  void summarise() {
    alive_.check("genetic");
    auto const values = alive_.values();
    auto const [reached, median, mean, max, min] = alive_.summary(policy_.goal);
    double const all = std::accumulate(values.begin(), values.end(), 0.) / static_cast<double>(values.size());
    figures_ = {{{"reached", reached}, {"median", median}, {"mean", mean}, {"max", max}, {"min", min}, {"population", all}}};
  }

  genetic policy_;
  E encoding_;
  rng random_;
  detail::generation<E, S> alive_;
  population parents_, children_;   // of one canvas
  std::vector<std::size_t> order_;  // 0, 1, 2, ...
  std::size_t generation_ = 0;      // that is looked at
  std::array<figure, 6> figures_{{{"reached", 0}, {"median", 0}, {"mean", 0}, {"max", 0}, {"min", 0}, {"population", 0}}};
};

}  // namespace pareidolia
