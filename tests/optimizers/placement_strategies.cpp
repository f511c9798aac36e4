// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/placement_strategies.hpp>

#include <pareidolia/detail/placing.hpp>

#include <doctest/doctest.h>

#include <support/weighted_places.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
using detail::placing;

constexpr image_shape small{1, 8, 8};
using indices = std::vector<std::size_t>;

// A round of `donors` patches of 2 x 2 on a canvas of `side` pixels.
placement_round round_of(std::size_t donors, std::size_t side = 8, float area = 1, std::size_t stride = 2, bool overlap = false,
                         std::size_t together = 16) {
  weighted_places const board{scrambled_weights(), std::vector<float>(donors, 1)};
  patch const encoding{.sources = board.sources(), .overlap = overlap, .area = area};
  std::vector<place_grid> grids;
  for (std::uint32_t d = 0; d < donors; ++d) {
    grids.push_back(detail::grid_of(encoding, {d, 0, 0, 1, 1}, {1, side, side}, stride, std::nullopt));
    if (d > 0) grids[d].first = grids[d - 1].first + grids[d - 1].places();
  }
  return {encoding, {1, side, side}, std::move(grids), together, 1000, 1, 1};
}

// What a strategy does in one round whose gains are known: the candidates in order of asking, and what it pastes.
template <class S>
std::pair<indices, std::size_t> one_round(S const& strategy, placement_round& round, typename S::memory& m, random_stream& random,
                                          std::function<double(std::size_t)> const& gain) {
  indices asked;
  for (auto next = strategy.ask(m, round, random); !next.empty(); next = strategy.ask(m, round, random))
    for (std::size_t c : next) {
      CHECK(round.fits(c));
      round.learn({c, gain(c)});
      asked.push_back(c);
    }
  return {asked, strategy.choose(m, round, random)};
}
template <class S>
std::pair<indices, std::size_t> one_round(S const& strategy, placement_round& round, std::function<double(std::size_t)> const& gain) {
  typename S::memory m;
  auto random = rng{1}.stream(0);
  return one_round(strategy, round, m, random, gain);
}

// The whole search for a list of 8 copies: what was pasted into the first list, and the queries.
struct greedy_run {
  std::vector<placement> list;
  std::size_t queries = 0;
  double value = 0;

  template <class S>
  greedy_run(S const& strategy, weighted_places const& board, std::size_t together = 16, std::size_t copies = 8,
             std::size_t budget = 100000, std::uint64_t seed = 1)
      : list(copies) {
    patch const encoding{.sources = board.sources(), .copies = copies, .overlap = false};
    placing<S> p(strategy, encoding, small, {budget, board.brightness.size(), 2, together, 1, 1}, rng{seed});
    std::vector<std::uint32_t> donors(board.brightness.size());
    std::iota(donors.begin(), donors.end(), std::uint32_t{0});
    p.allow(donors);
    std::vector<placement> asked(copies);
    while (!p.done()) {
      p.write(0, asked);
      double const v = board.value(asked);
      p.answer(v, v > 0 ? 1 : 0);
    }
    queries = p.queries();
    value = board.value(p.best());
    std::copy(p.best().begin(), p.best().end(), list.begin());
  }
};

// The largest weights first, as the best of a greedy search.
double sum_of_largest(std::vector<float> weights, std::size_t n) {
  std::sort(weights.begin(), weights.end(), std::greater<>{});
  return std::accumulate(weights.begin(), weights.begin() + static_cast<std::ptrdiff_t>(n), 0.);
}

struct first_that_gains {
  struct memory {};
  std::vector<std::size_t> ask(memory&, placement_round const& round, random_stream& random) const {
    if (round.best().gain > 0 || round.looks().size() >= 100) return {};
    return round.draw(1, random);
  }
  std::size_t choose(memory&, placement_round const& round, random_stream&) const { return round.best_that_gains(); }
};
struct without_memory {
  std::vector<std::size_t> ask(int&, placement_round const&, random_stream&) const { return {}; }
  std::size_t choose(int&, placement_round const&, random_stream&) const { return 0; }
};
struct without_ask {
  struct memory {};
  std::size_t choose(memory&, placement_round const&, random_stream&) const { return 0; }
};
struct without_choose {
  struct memory {};
  std::vector<std::size_t> ask(memory&, placement_round const&, random_stream&) const { return {}; }
};

static_assert(PlacementStrategy<exhaustive> && PlacementStrategy<sampled> && PlacementStrategy<coarse_to_fine>);
static_assert(PlacementStrategy<lazy_greedy> && PlacementStrategy<blind> && PlacementStrategy<first_that_gains>);
static_assert(!PlacementStrategy<without_memory> && !PlacementStrategy<without_ask> && !PlacementStrategy<without_choose>);

}  // namespace

TEST_CASE("candidates are numbered grid by grid, and those fit that the encoding shows") {
  for (bool overlap : {false, true})
    for (float area : {.1f, .2f, 1.f}) {
      auto round = round_of(3, 9, area, 1, overlap);
      weighted_places const board{scrambled_weights(), {1, 1, 1}};
      patch const encoding{.sources = board.sources(), .copies = 4, .overlap = overlap, .area = area};
      REQUIRE(round.candidates() == 3 * 64);
      CHECK(round.at(64 + 8 * 3 + 5) == placement{1, 3, 5, 1, 1});
      CHECK(round.grid(127).source == 1);
      CHECK(round.grid(128).source == 2);
      std::vector<placement> list(4);
      for (std::size_t pasted : {70u, 71u, 150u}) {
        std::size_t const already = encoding.shown(list, {1, 9, 9}).size();
        indices fitting;
        for (std::size_t c = 0; c < round.candidates(); ++c) {
          auto longer = list;
          longer[round.pasted()] = round.at(c);
          bool const shown = encoding.shown(longer, {1, 9, 9}).size() == already + 1;
          CHECK(round.fits(c) == shown);
          if (shown) fitting.push_back(c);
        }
        CHECK(round.all() == fitting);
        if (!round.fits(pasted)) break;
        list[round.pasted()] = round.at(pasted);
        round.paste(pasted);
      }
    }
}

TEST_CASE("patches of different sizes have grids of their own") {
  auto images = filled<float, 4>({1, 1, 8, 8});
  std::vector<patch_window> const windows{{0, 0, 0, 2, 2}, {0, 0, 0, 3, 3}, {0, 0, 0, 3, 3}, {0, 0, 0, 2, 4}};
  patch const encoding{.sources = patches(std::move(images), windows), .copies = 2, .overlap = false};
  std::vector<place_grid> grids;
  for (std::uint32_t d = 0; d < 4; ++d) {
    grids.push_back(detail::grid_of(encoding, {d, 0, 0, 1, 1}, small, 1, std::nullopt));
    if (d > 0) grids[d].first = grids[d - 1].first + grids[d - 1].places();
  }
  placement_round round(encoding, small, grids, 16, 1000, 1, 1);
  CHECK(round.candidates() == 49 + 36 + 36 + 35);
  round.paste(49 + 14);
  indices fitting;
  for (std::size_t c = 0; c < round.candidates(); ++c)
    if (encoding.shown(std::vector{round.at(49 + 14), round.at(c)}, small).size() == 2) fitting.push_back(c);
  CHECK(round.all() == fitting);
}

TEST_CASE("random candidates are different ones that fit, each as often as any other") {
  auto round = round_of(2, 8, 1, 1);  // 98 places
  round.paste(0);
  indices counts(round.candidates());
  auto random = rng{5}.stream(0);
  constexpr std::size_t draws = 4000;
  for (std::size_t t = 0; t < draws; ++t) {
    auto const drawn = round.draw(5, random);
    CHECK(drawn.size() == 5);
    CHECK(std::set<std::size_t>(drawn.begin(), drawn.end()).size() == 5);
    for (std::size_t c : drawn) ++counts[c];
  }
  auto const all = round.all();
  double const expected = 5. * draws / static_cast<double>(all.size());
  double square = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (!round.fits(c)) CHECK(counts[c] == 0);
    if (round.fits(c)) square += (static_cast<double>(counts[c]) - expected) * (static_cast<double>(counts[c]) - expected) / expected;
  }
  CHECK(square < 1.6 * static_cast<double>(all.size()));  // chi squared
  // More than there are, and where next to nothing fits.
  CHECK(round.draw(1000, random).size() == all.size());
  auto tight = round_of(2, 8, .13f, 1);  // eight pixels: two copies
  tight.paste(0);
  CHECK(tight.draw(3, random).size() == 3);
  tight.paste(tight.draw(1, random).front());
  CHECK(tight.draw(3, random).empty());
  CHECK(tight.all().empty());
}

TEST_CASE("exhaustive search looks at everything and pastes the best, or nothing where nothing gains") {
  auto round = round_of(2);
  auto const [asked, chosen] = one_round(exhaustive{}, round, [](std::size_t c) { return c == 21 || c == 22 ? 2. : 1.; });
  CHECK(asked == round.all());
  CHECK(chosen == 21);
  auto hopeless = round_of(2);
  CHECK(one_round(exhaustive{}, hopeless, [](std::size_t) { return 0.; }).second == placement_round::none);
}

TEST_CASE("a sampled round has as many queries as it says, or all there are") {
  auto round = round_of(2);
  CHECK(one_round(sampled{7}, round, [](std::size_t c) { return static_cast<double>(c); }).first.size() == 7);
  auto again = round_of(2);
  auto const [asked, chosen] = one_round(sampled{100}, again, [](std::size_t c) { return static_cast<double>(c); });
  CHECK(asked.size() == 32);
  CHECK(chosen == 31);
  CHECK_THROWS_WITH_AS(one_round(sampled{0}, again, [](std::size_t) { return 1.; }), "sampled: count is 0; give at least 1", error);
}

TEST_CASE("coarse to fine finds the top of a hill that is wider than its grid, for far fewer queries") {
  // 31 x 31 places of two donors; the second is better by little, the top of its hill at (19, 6).
  auto const gain = [](std::size_t c) {
    double const y = static_cast<double>(c % 961 / 31), x = static_cast<double>(c % 31);
    return 100 - std::hypot(y - 19, x - 6) + (c >= 961 ? .5 : 0);
  };
  for (std::size_t levels : {0u, 1u, 2u, 3u}) {
    auto round = round_of(2, 32, 1, 1);
    auto const [asked, chosen] = one_round(coarse_to_fine{levels}, round, gain);
    CHECK(chosen == 961 + 19 * 31 + 6);
    CHECK(std::set<std::size_t>(asked.begin(), asked.end()).size() == asked.size());
    std::size_t const step = std::size_t{1} << levels, lines = (30 - 30 % step / 2) / step + 1;
    CHECK(asked.size() <= 2 * lines * lines + 8 * levels);
    CHECK(asked.size() > 2 * lines * lines + 4 * levels - 1);
  }
  auto round = round_of(1);
  CHECK_THROWS_WITH_AS(one_round(coarse_to_fine{17}, round, gain), "coarse_to_fine: levels is 17; give at most 16", error);
}

TEST_CASE("coarse to fine goes on with finer places where the coarse ones are taken") {
  // 7 x 7 places. Of step 8 the middle one, of step 4 the next four; they leave no room for those of step 2, but for some between them.
  auto round = round_of(1, 8, 1, 1);
  for (auto [y, x] : {std::pair{3u, 3u}, {1u, 1u}, {1u, 5u}, {5u, 1u}, {5u, 5u}}) round.paste(y * 7 + x);
  auto const [asked, chosen] = one_round(coarse_to_fine{3}, round, [](std::size_t c) { return static_cast<double>(c); });
  CHECK(asked == round.all());
  CHECK(chosen == asked.back());
  // Nothing fits: nothing is asked.
  auto full = round_of(1, 8, .07f, 1);
  full.paste(0);
  CHECK(one_round(coarse_to_fine{2}, full, [](std::size_t) { return 1.; }) == std::pair(indices{}, placement_round::none));
}

TEST_CASE("where gains only diminish lazy greedy pastes what exhaustive search does, for fewer queries") {
  for (std::size_t together : {1u, 2u, 16u, 100u}) {
    weighted_places const board{scrambled_weights(), {.5f, 1}, static_cast<float>(sum_of_largest(scrambled_weights(), 6)) - .0625f};
    greedy_run const all(exhaustive{}, board, together), lazy(lazy_greedy{0}, board, together);
    CHECK(all.list == lazy.list);
    CHECK(lazy.value == doctest::Approx(.0625));
    if (together == 1) {
      // 6 rounds: all 32; then the five best left in turn. The list succeeds when the sixth is looked at.
      CHECK(lazy.queries == 1 + 32 + 5);
      CHECK(all.queries > 1 + 32 + 30 + 28 + 26 + 24);
    }
  }
}

TEST_CASE("lazy greedy looks again until the best of a round gains as much as the next did before") {
  auto round = round_of(1, 8, 1, 2, false, 4);  // 16 candidates, four at a time
  lazy_greedy::memory m;
  auto random = rng{1}.stream(0);
  CHECK(one_round(lazy_greedy{0}, round, m, random, [](std::size_t c) { return 100. - static_cast<double>(c); }).second == 0);
  round.paste(0);
  // Of 1 to 4 the fourth gains most, but less than 5 did; of 5 to 8 none does; it gains more than 9 did.
  auto const [asked, chosen] = one_round(lazy_greedy{0}, round, m, random, [](std::size_t c) { return c == 4 ? 91.5 : -5.; });
  CHECK(asked == indices{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(chosen == 4);
  round.paste(4);
  // Where nothing gains it has looked at everything before it gives up, at what gained most before first.
  auto const [last, nothing] = one_round(lazy_greedy{0}, round, m, random, [](std::size_t) { return -1.; });
  CHECK(last == indices{9, 10, 11, 12, 13, 14, 15, 1, 2, 3, 5, 6, 7, 8});
  CHECK(nothing == placement_round::none);
}

TEST_CASE("lazy greedy keeps to its pool, and to half of the queries for the first copy") {
  // 32 candidates; those that a list is made of, of each list with no more than one copy.
  weighted_places const board{scrambled_weights(), {.5f, 1}, 100};
  auto const first_copies = [&](std::size_t pool, std::size_t budget) {
    patch const encoding{.sources = board.sources(), .copies = 8, .overlap = false};
    placing<lazy_greedy> p(lazy_greedy{pool}, encoding, small, {budget, 2, 2, 4, 1, 1}, rng{3});
    p.allow({0, 1});
    std::vector<placement> asked(8);
    std::size_t count = 0;
    while (!p.done()) {
      p.write(0, asked);
      count += asked[0].source != placement::none && asked[1].source == placement::none;
      p.answer(board.value(asked), 0);
    }
    CHECK(p.queries() == budget);
    return count;
  };
  CHECK(first_copies(0, 40) == 32);
  CHECK(first_copies(0, 20) == 19);
  CHECK(first_copies(10, 30) == 10);
  CHECK(first_copies(100, 31) == 15);
  CHECK(first_copies(100, 2) == 1);
}

TEST_CASE("every strategy makes lists that succeed, the blind one too") {
  weighted_places const board{scrambled_weights(), {.25f, 1}, 5};
  CHECK(greedy_run(exhaustive{}, board).value > 0);
  CHECK(greedy_run(sampled{6}, board).value > 0);
  CHECK(greedy_run(coarse_to_fine{1}, board).value > 0);
  CHECK(greedy_run(lazy_greedy{}, board).value > 0);
  CHECK(greedy_run(blind{}, board).value > 0);
  CHECK(greedy_run(first_that_gains{}, board).value > 0);
}

TEST_CASE("random strategies depend on the seed alone") {
  weighted_places const board{scrambled_weights(), {.25f, 1}, 9};
  auto const same = [&](auto const& strategy) {
    greedy_run const a(strategy, board, 16, 8, 1000, 1), b(strategy, board, 16, 8, 1000, 1), c(strategy, board, 16, 8, 1000, 2);
    CHECK(a.list == b.list);
    CHECK(a.queries == b.queries);
    CHECK(a.list != c.list);
  };
  same(sampled{6});
  same(blind{});
}

namespace {

struct stubborn {
  struct memory {};
  std::size_t wanted;
  bool asks;
  std::vector<std::size_t> ask(memory&, placement_round const&, random_stream&) const {
    return asks ? std::vector<std::size_t>{wanted} : std::vector<std::size_t>{};
  }
  std::size_t choose(memory&, placement_round const&, random_stream&) const { return wanted; }
};

}  // namespace

TEST_CASE("a strategy that names what does not fit is told so") {
  weighted_places const board{scrambled_weights(), {1}, 100};
  CHECK_THROWS_WITH_AS(greedy_run(stubborn{3, false}, board), doctest::Contains("candidate 3 of 16, which is not there or does not fit"),
                       error);
  CHECK_THROWS_WITH_AS(greedy_run(stubborn{16, true}, board), doctest::Contains("candidate 16 of 16"), error);
}
