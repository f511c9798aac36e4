// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/pasting.hpp>
#include <pareidolia/encodings/patch.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace pareidolia {

/// Where copies of one patch may come: rows x columns places, `stride` pixels apart.
struct place_grid {
  std::uint32_t source = 0;
  std::int32_t height = 0, width = 0;  ///< pixels that a copy covers
  std::int32_t top = 0, left = 0;      ///< of the first place
  std::int32_t stride = 1;
  std::size_t rows = 1, columns = 1;
  std::size_t first = 0;  ///< number of the candidate at row 0, column 0; that at row y, column x has y * columns + x more

  [[nodiscard]] std::size_t places() const { return rows * columns; }
  /// Whether the places and sizes are the same.
  [[nodiscard]] bool covers_as(place_grid const& g) const {
    auto const geometry = [](place_grid const& p) { return std::tie(p.height, p.width, p.top, p.left, p.stride, p.rows, p.columns); };
    return geometry(*this) == geometry(g);
  }
};

/// One round of a search by placements, which adds one copy to a list: its candidates, each a patch at a place of its grid, and what was
/// learned of them. Candidates are numbered grid by grid, and keep their numbers until the list is begun anew.
class placement_round {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// A candidate that was looked at.
  struct look {
    std::size_t candidate;
    double gain;  ///< by how much it would raise the value of the list
  };

  placement_round(patch const& encoding, image_shape const& canvas, std::vector<place_grid> grids, std::size_t together,
                  std::size_t queries, float scale, float opacity)
      : room_(encoding.vacancy(canvas)), grids_(std::move(grids)), together_(together), left_(queries), scale_(scale), opacity_(opacity) {}

  [[nodiscard]] std::span<place_grid const> grids() const { return grids_; }
  [[nodiscard]] std::size_t candidates() const { return grids_.back().first + grids_.back().places(); }
  [[nodiscard]] std::size_t together() const { return together_; }      ///< candidates that are looked at together
  [[nodiscard]] std::size_t left() const { return left_; }              ///< queries
  [[nodiscard]] std::size_t pasted() const { return pasted_; }          ///< copies in the list
  [[nodiscard]] std::span<look const> looks() const { return looks_; }  ///< of this round, in order of asking

  [[nodiscard]] place_grid const& grid(std::size_t candidate) const {
    auto const after = std::upper_bound(grids_.begin(), grids_.end(), candidate, [](std::size_t c, auto const& g) { return c < g.first; });
    return *(after - 1);
  }
  [[nodiscard]] placement at(std::size_t candidate) const {
    auto const& g = grid(candidate);
    std::size_t const place = candidate - g.first;
    return {g.source, g.top + static_cast<std::int32_t>(place / g.columns) * g.stride,
            g.left + static_cast<std::int32_t>(place % g.columns) * g.stride, scale_, opacity_};
  }

  /// Whether the encoding would show it in the list as it is. What does not fit will not in later rounds.
  [[nodiscard]] bool fits(std::size_t candidate) const { return room_.takes(where(candidate)); }

  /// All that fit, in order.
  [[nodiscard]] std::vector<std::size_t> all() const {
    std::vector<std::size_t> result, free;
    for (std::size_t k = 0; k < grids_.size(); ++k) {
      auto const& g = grids_[k];
      if (k == 0 || !g.covers_as(grids_[k - 1])) {  // else what fits is the same
        free.clear();
        for (std::size_t place = 0; place < g.places(); ++place)
          if (fits(g.first + place)) free.push_back(place);
      }
      for (std::size_t place : free) result.push_back(g.first + place);
    }
    return result;
  }

  /// Up to `count` different ones that fit, each equally likely.
  [[nodiscard]] std::vector<std::size_t> draw(std::size_t count, random_stream& random) const {
    std::vector<std::size_t> result;
    // Trials are cheaper than a list of all while there are many that fit.
    auto const number = static_cast<std::uint32_t>(candidates());
    for (std::size_t trial = 0; 2 * count <= number && trial < 16 + 4 * count && result.size() < count; ++trial) {
      std::size_t const c = random.below(number);
      if (fits(c) && std::find(result.begin(), result.end(), c) == result.end()) result.push_back(c);
    }
    if (result.size() == count) return result;
    result = all();
    for (std::size_t k = 0; k < std::min(count, result.size()); ++k)
      std::swap(result[k], result[k + random.below(static_cast<std::uint32_t>(result.size() - k))]);
    result.resize(std::min(count, result.size()));
    return result;
  }

  /// Of those that were looked at the one that gains most, the first of equal ones.
  [[nodiscard]] look best() const {
    look most{none, -std::numeric_limits<double>::infinity()};
    for (look const& one : looks_)
      if (one.gain > most.gain) most = one;
    return most;
  }
  /// The same, or `none` where nothing would raise the value.
  [[nodiscard]] std::size_t best_that_gains() const { return best().gain > 0 ? best().candidate : none; }

  void learn(look const& one) { looks_.push_back(one); }
  void spend_query() { --left_; }
  /// Ends the round: the list has this candidate as well.
  void paste(std::size_t candidate) {
    room_.take(where(candidate));
    ++pasted_;
    looks_.clear();
  }

 private:
  [[nodiscard]] detail::pasted where(std::size_t candidate) const {
    auto const p = at(candidate);
    auto const& g = grid(candidate);
    return {{}, p.top, p.left, g.height, g.width, p.opacity};
  }

  detail::vacancy room_;
  std::vector<place_grid> grids_;
  std::vector<look> looks_;
  std::size_t together_, left_, pasted_ = 0;
  float scale_, opacity_;
};

/// How a search by placements (deepception, universal_deepception) finds the next copy to paste.
///
/// `s.ask(m, round, random)` names candidates that fit, to be looked at next, or none: then `s.choose(m, round, random)` names the one that
/// is pasted, or placement_round::none: then the list is begun anew, with other patches. Candidates are looked at `round.together()` at a
/// time, in order, at one query each; one that is pasted without a look costs a query as well. `memory` is what a strategy keeps from round
/// to round; each list begins with a new one.
///
///     struct first_that_gains {  // the first of 100 random candidates that raises the value
///       struct memory {};
///       std::vector<std::size_t> ask(memory&, placement_round const& round, random_stream& random) const {
///         if (round.best().gain > 0 || round.looks().size() >= 100) return {};
///         return round.draw(1, random);
///       }
///       std::size_t choose(memory&, placement_round const& round, random_stream&) const { return round.best_that_gains(); }
///     };
template <class T>
concept PlacementStrategy = std::default_initializable<typename T::memory> &&
    requires(T const& s, typename T::memory& m, placement_round const& round, random_stream& random) {
  { s.ask(m, round, random) } -> std::same_as<std::vector<std::size_t>>;
  { s.choose(m, round, random) } -> std::same_as<std::size_t>;
};

/// Looks at every candidate in each round and pastes the best. Queries of a round: all that fit; for budgets of many rounds, since one that
/// ends in the first has seen the first donors alone.
struct exhaustive {
  struct memory {};

  [[nodiscard]] std::vector<std::size_t> ask(memory&, placement_round const& round, random_stream&) const {
    return round.looks().empty() ? round.all() : std::vector<std::size_t>{};
  }
  [[nodiscard]] std::size_t choose(memory&, placement_round const& round, random_stream&) const { return round.best_that_gains(); }
};

/// Looks at `count` random candidates in each round and pastes the best. Queries of a round: count.
struct sampled {
  std::size_t count = 32;

  template <class A>
  void settings(A& a) const {
    a.setting("sampled.count", count);
  }

  struct memory {};

  [[nodiscard]] std::vector<std::size_t> ask(memory&, placement_round const& round, random_stream& random) const {
    if (count == 0) detail::fail("sampled: count is 0; give at least 1");
    return round.looks().empty() ? round.draw(count, random) : std::vector<std::size_t>{};
  }
  [[nodiscard]] std::size_t choose(memory&, placement_round const& round, random_stream&) const { return round.best_that_gains(); }
};

/// Looks at every 2^levels-th place of the grids in both directions, then at the eight neighbours of the best at half the step, and so on
/// down to neighbours on the grid. Queries of a round: those of `exhaustive` over 4^levels, and 8 for each level.
struct coarse_to_fine {
  std::size_t levels = 2;

  template <class A>
  void settings(A& a) const {
    a.setting("coarse_to_fine.levels", levels);
  }

  struct memory {
    std::size_t step = 1;  ///< places between those that were looked at last
  };

  [[nodiscard]] std::vector<std::size_t> ask(memory& m, placement_round const& round, random_stream&) const {
    if (levels > 16) detail::fail("coarse_to_fine: levels is ", levels, "; give at most 16");
    std::vector<std::size_t> next;
    bool const begins = round.looks().empty();
    if (begins) {
      m.step = std::size_t{1} << levels;
      next = spread(round, m.step);
    }
    for (; next.empty() && m.step > 1;) {
      m.step /= 2;
      next = begins ? spread(round, m.step) : around(round, m.step);
    }
    return next;
  }
  [[nodiscard]] std::size_t choose(memory&, placement_round const& round, random_stream&) const { return round.best_that_gains(); }

 private:
  [[nodiscard]] static std::vector<std::size_t> spread(placement_round const& round, std::size_t step) {
    std::vector<std::size_t> result;
    for (auto const& g : round.grids())
      for (std::size_t y = (g.rows - 1) % step / 2; y < g.rows; y += step)
        for (std::size_t x = (g.columns - 1) % step / 2; x < g.columns; x += step)
          if (std::size_t const c = g.first + y * g.columns + x; round.fits(c)) result.push_back(c);
    return result;
  }

  [[nodiscard]] static std::vector<std::size_t> around(placement_round const& round, std::size_t step) {
    std::vector<std::size_t> result;
    std::size_t const best = round.best().candidate;
    auto const& g = round.grid(best);
    std::size_t const y = (best - g.first) / g.columns, x = (best - g.first) % g.columns;
    for (std::size_t v : {y - step, y, y + step})  // below zero is beyond the last
      for (std::size_t h : {x - step, x, x + step})
        if (std::size_t const c = g.first + v * g.columns + h; v < g.rows && h < g.columns && c != best && round.fits(c))
          result.push_back(c);
    return result;
  }
};

/// Looks again at what gained most when it was seen last, until the best of what it has seen in the round gains at least as much as the
/// next did (Minoux, Accelerated greedy algorithms, 1978): where gains only diminish as copies are added, that is the best of all. The
/// first round looks at everything, and so does one in which nothing gains. Queries of a later round: at least `together`.
///
/// Everything: a random `pool` of the candidates, drawn when a list is begun, at most as many as half of the queries that are left, so that
/// they are not all spent on the first copy.
struct lazy_greedy {
  std::size_t pool = 256;  ///< 0: all, whatever is left; then this is Minoux's

  template <class A>
  void settings(A& a) const {
    a.setting("lazy_greedy.pool", pool);
  }

  /// What a candidate gained when it was seen last: a bound, in a heap with the largest in front, the first of equal ones.
  struct memory {
    std::vector<placement_round::look> bounds;
    bool begun = false;
  };

  [[nodiscard]] std::vector<std::size_t> ask(memory& m, placement_round const& round, random_stream& random) const {
    if (!m.begun) begin(m, round, random);
    double const best = round.best().gain;
    std::vector<std::size_t> next;
    while (next.size() < round.together() && !m.bounds.empty() && !(best > 0 && best >= m.bounds.front().gain)) {
      std::pop_heap(m.bounds.begin(), m.bounds.end(), behind);
      if (round.fits(m.bounds.back().candidate)) next.push_back(m.bounds.back().candidate);
      m.bounds.pop_back();
    }
    return next;
  }

  [[nodiscard]] std::size_t choose(memory& m, placement_round const& round, random_stream&) const {
    for (auto const& seen : round.looks()) {
      m.bounds.push_back(seen);
      std::push_heap(m.bounds.begin(), m.bounds.end(), behind);
    }
    return round.best_that_gains();
  }

 private:
  [[nodiscard]] static bool behind(placement_round::look const& a, placement_round::look const& b) {
    return std::pair{a.gain, b.candidate} < std::pair{b.gain, a.candidate};
  }
  void begin(memory& m, placement_round const& round, random_stream& random) const {
    auto known = pool == 0 ? round.all() : round.draw(std::max<std::size_t>(1, std::min(pool, round.left() / 2)), random);
    std::sort(known.begin(), known.end());
    for (std::size_t c : known) m.bounds.push_back({c, std::numeric_limits<double>::infinity()});
    m.begun = true;
  }
};

/// Pastes one random candidate after the other, whatever it does: what the others are to be compared with. Queries of a round: 1.
///
/// With deepception's `donors` = 1 it pastes copies of the strongest donor until no more fit, then those of the next; with as many donors
/// as there are, random patches at random places.
struct blind {
  struct memory {};

  [[nodiscard]] std::vector<std::size_t> ask(memory&, placement_round const&, random_stream&) const { return {}; }
  [[nodiscard]] std::size_t choose(memory&, placement_round const& round, random_stream& random) const {
    auto const one = round.draw(1, random);
    return one.empty() ? placement_round::none : one.front();
  }
};

}  // namespace pareidolia
