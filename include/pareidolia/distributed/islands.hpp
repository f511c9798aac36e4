// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/birth.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/state_message.hpp>
#include <pareidolia/distributed/communicator.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// A search over classes whose champions can visit another one's archive: `c.elites()` says what the genotypes of `c.best()` are worth, and
/// `s.welcome(guests, elites)` offers it the champions of another archive, one for each class.
template <class T, class E, space S>
concept MigratingSearch = ClasswiseSearch<T, E, S> && Stateful<T> &&
    requires(T& s, T const& c, population_t<E, S> const& guests, std::span<elite const> theirs) {
  { c.elites() } -> std::convertible_to<std::span<elite const>>;
  { c.births() } -> std::convertible_to<std::vector<birth>>;
  { s.welcome(guests, theirs) } -> std::same_as<void>;
};

/// Evolutions side by side on the ranks of a communicator, which show each other their champions now and then.
///
///     mpi_session const mpi;
///     attack const dream{cppn{}, class_probability{}, islands{map_elites{.generations = 5000}, mpi.world(), 4}};
///     outcome const found = run(dream, net, blank(net.input()), rng{42});  // on every rank, with the same arguments
///
/// Island k evolves as `optimizer` would, with the randomness random.fork(k), on rank floor(k / (count / ranks)). After every `every`
/// steps, each island is offered the best champion of each class that any island has. The answer, on every rank, is the best champion of
/// each class; births are those of all islands by generation, with ids that tell the island in their upper 16 bits. Where the last one of a
/// class is not the best, since another island had that before, the best follows once more, as of the last generation: so each class ends
/// with the champion that is the answer. (Which of them switched goals says less than in one evolution: a champion may come after one of
/// another island.)
/// The images and their values do not depend on how many ranks share the islands, so a run may be taken up by fewer ranks than it was kept
/// by. Steps and figures are those of a rank's first island; forwards are those of the rank.
///
/// Each rank renders and evaluates its own children, at_root{} and agreed{} keep the ranks together, and the model is each rank's own, not
/// `sharded`. Cost: as the optimizer's, for count / ranks islands in one batch; each exchange moves the champions of all classes to every
/// rank, and breeds the next generation again. Memory: twice the champions while that lasts.
/// Errors: a count that is no multiple of the number of ranks, `every` is 0; what the optimizer refuses.
template <class O>
struct islands {
  O optimizer;
  communicator ranks;
  std::size_t count = 0;   ///< of islands; 0: one on each rank
  std::size_t every = 10;  ///< steps from one exchange to the next

  template <class E, space S>
  requires MigratingSearch<search_t<O, E, S>, E, S>
  class search;

  template <class E, space S>
  requires ClasswiseOptimizer<O, E, S> && MigratingSearch<search_t<O, E, S>, E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    std::size_t const all = count == 0 ? ranks.size() : count;
    if (all % ranks.size() != 0)
      detail::fail("islands: ", all, " islands cannot be shared evenly by ", ranks.size(), " ranks; give a multiple of ", ranks.size());
    if (every == 0) detail::fail("islands: every is 0; give at least 1 step");
    return search<E, S>(*this, all, encoding, canvas, random);
  }
};
template <class O>
islands(O, communicator) -> islands<O>;
template <class O>
islands(O, communicator, std::size_t) -> islands<O>;
template <class O>
islands(O, communicator, std::size_t, std::size_t) -> islands<O>;

/// Running islands, those of one rank; a ClasswiseSearch. best(), births() and state() are collective, and so is each tell() after which
/// champions are shown.
template <class O>
template <class E, space S>
requires MigratingSearch<search_t<O, E, S>, E, S>
class islands<O>::search {
 public:
  using population = population_t<E, S>;

  search(islands const& policy, std::size_t count, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        encoding_(encoding),
        canvas_(canvas),
        count_(count),
        own_(count / policy.ranks.size()),
        first_(policy.ranks.rank() * own_) {
    for (std::size_t k = first_; k < first_ + own_; ++k)
      here_.emplace_back(new search_t<O, E, S>(policy.optimizer.start(encoding, canvas, random.fork(k))));
    collect();
  }

  [[nodiscard]] population const& ask() const { return own_ == 1 ? here_[0]->ask() : *children_; }
  [[nodiscard]] bool done() const { return here_[0]->done(); }
  [[nodiscard]] standing where() const { return here_[0]->where(); }

  /// The best champion of each class that any island has.
  [[nodiscard]] population const& best() const {
    if (!best_) best_ = champions_of_all().first;
    return *best_;
  }

  /// Every champion that any island has had.
  [[nodiscard]] std::vector<birth> births() const {
    saved_state mine;
    state_writer writer(mine);
    std::vector<birth> all;
    for (std::size_t k = 0; k < own_; ++k)
      for (birth b : here_[k]->births()) {
        b.id = unique(b.id, first_ + k);
        if (b.parent != birth::none) b.parent = unique(b.parent, first_ + k);
        all.push_back(b);
      }
    detail::columns(writer, all);
    all.clear();
    for (saved_state const& theirs : states_of_ranks(mine)) {
      std::vector<birth> some;
      state_reader reader(theirs, source);
      detail::columns(reader, some);
      all.insert(all.end(), some.begin(), some.end());
    }
    std::stable_sort(all.begin(), all.end(), [](birth const& a, birth const& b) { return a.generation < b.generation; });
    std::map<std::uint32_t, std::pair<birth, birth>> ends;  // of each class the best one and the last one
    for (birth const& b : all) {
      auto& [best, last] = ends.try_emplace(b.cell, b, b).first->second;
      if (b.value > best.value) best = b;
      last = b;
    }
    std::uint64_t const now = all.empty() ? 0 : all.back().generation;
    for (auto& [cell, end] : ends)
      if (end.second.value < end.first.value) end.first.generation = now, all.push_back(end.first);
    return all;
  }

  template <class A>
  void state(A& a) {
    a.setting("islands", count_);
    a.setting("islands.every", policy_.every);
    a("told", told_);
    if constexpr (A::reading) {
      for (std::size_t k = 0; k < count_; ++k) {
        auto part = a.part(island(k));
        if (k >= first_ && k < first_ + own_)
          here_[k - first_]->state(part);
        else
          part.skip();
      }
      best_.reset();
      collect();
    } else {
      saved_state mine;
      state_writer writer(mine);
      for (std::size_t k = 0; k < own_; ++k) {
        auto part = writer.part(island(first_ + k));
        here_[k]->state(part);
      }
      for (saved_state const& theirs : states_of_ranks(mine)) a.insert(theirs);
    }
  }

  void tell(classwise_evaluation<S> const& e) {
    std::size_t const children = e.values.shape[0] / own_;
    for (std::size_t k = 0; k < own_; ++k)
      here_[k]->tell(classwise_evaluation<S>{e.scores.rows(k * children, children), e.values.rows(k * children, children)});
    best_.reset();
    if (++told_ % policy_.every == 0 && !done()) exchange();
    collect();
  }

 private:
  static constexpr char const* source = "islands";

  [[nodiscard]] static std::string island(std::size_t k) { return detail::text("island ", k); }

  // An id as all islands know it: those of a search are below 2^48.
  [[nodiscard]] static std::uint64_t unique(std::uint64_t id, std::size_t island) {
    constexpr unsigned bits = 48;
    return id >> bits == 0 ? id | std::uint64_t{island + 1} << bits : id;
  }

  [[nodiscard]] std::vector<saved_state> states_of_ranks(saved_state const& mine) const {
    std::vector<saved_state> all;
    for (auto const& message : policy_.ranks.gather(detail::to_message(mine))) all.push_back(detail::from_message(message));
    return all;
  }

  // What is asked for: the children of the islands one after the other.
  void collect() {
    if (own_ == 1 || done()) return;
    std::size_t const children = here_[0]->ask().size();
    if (!children_) children_.reset(new population(encoding_.buffer(own_ * children, canvas_)));
    std::vector<std::size_t> from(children), to(children);
    std::iota(from.begin(), from.end(), std::size_t{0});
    for (std::size_t k = 0; k < own_; ++k) {
      std::iota(to.begin(), to.end(), k * children);
      children_->assign(to, here_[k]->ask(), from);
    }
  }

  void exchange() {
    auto const [guests, theirs] = champions_of_all();
    for (auto const& island : here_) island->welcome(*guests, theirs);
  }

  // The best champion of each class, the first island's of equal ones: genotypes and what they are worth.
  [[nodiscard]] std::pair<std::unique_ptr<population>, std::vector<elite>> champions_of_all() const {
    saved_state mine;
    state_writer writer(mine);
    std::vector<elite> own;  // of this rank's islands, one after the other
    for (std::size_t k = 0; k < own_; ++k)
      for (elite e : here_[k]->elites()) {
        e.id = unique(e.id, first_ + k);
        own.push_back(e);
      }
    std::size_t const classes = own.size() / own_;
    detail::columns(writer, own);
    std::vector<elite> all, best;
    for (saved_state const& theirs : states_of_ranks(mine)) {
      std::vector<elite> some;
      state_reader reader(theirs, source);
      detail::columns(reader, some);
      all.insert(all.end(), some.begin(), some.end());
    }
    std::vector<std::vector<std::size_t>> classes_of(count_);  // whose best champion is on that island
    for (std::size_t c = 0; c < classes; ++c) {
      std::size_t winner = 0;
      for (std::size_t k = 1; k < count_; ++k)
        if (all[k * classes + c].value > all[winner * classes + c].value) winner = k;
      best.push_back(all[winner * classes + c]);
      classes_of[winner].push_back(c);
    }
    return {genotypes(classes_of, classes), std::move(best)};
  }

  [[nodiscard]] std::unique_ptr<population> genotypes(std::vector<std::vector<std::size_t>> const& classes_of, std::size_t classes) const {
    auto const some = [&](std::size_t n) { return population(encoding_.buffer(n, canvas_)); };
    auto const places = [](std::vector<std::size_t> const& items) {
      std::vector<std::size_t> all(items.size());
      std::iota(all.begin(), all.end(), std::size_t{0});
      return all;
    };
    saved_state mine;
    state_writer writer(mine);
    for (std::size_t k = 0; k < own_; ++k)
      if (auto const& chosen = classes_of[first_ + k]; !chosen.empty()) {
        population sent(some(chosen.size()));
        sent.assign(places(chosen), here_[k]->best(), chosen);
        writer(island(first_ + k), sent);
      }
    std::unique_ptr<population> result(new population(some(classes)));
    auto const states = states_of_ranks(mine);
    for (std::size_t k = 0; k < count_; ++k)
      if (auto const& chosen = classes_of[k]; !chosen.empty()) {
        population received(some(chosen.size()));
        state_reader reader(states[k / own_], source);
        reader(island(k), received);
        result->assign(chosen, received, places(chosen));
      }
    return result;
  }

  islands policy_;
  E encoding_;
  const_image_view<S> canvas_;
  std::size_t count_, own_, first_;  // islands: of all ranks, of this one, and its first
  std::vector<std::unique_ptr<search_t<O, E, S>>> here_;
  std::unique_ptr<population> children_;      // where there are several islands here
  mutable std::unique_ptr<population> best_;  // once it has been asked for
  std::size_t told_ = 0;
};

}  // namespace pareidolia
