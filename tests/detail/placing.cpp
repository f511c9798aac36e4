// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/placing.hpp>

#include <doctest/doctest.h>

#include <support/weighted_places.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
using detail::grid_of;
using detail::placing;
using detail::placing_rules;

constexpr image_shape small{1, 8, 8};

patch of(weighted_places const& board, std::size_t copies = 4) {
  return {.sources = board.sources(), .copies = copies, .overlap = false, .area = 1};
}
weighted_places two_donors(float threshold = 100) { return {scrambled_weights(), {.5f, 1}, threshold}; }

placing_rules rules(std::size_t queries, std::size_t donors = 2, std::size_t together = 16) {
  return {.queries = queries, .donors = donors, .stride = 2, .together = together, .scale = 1, .opacity = 1};
}

using list = std::vector<placement>;

// Everything that is looked at until the end, `chunks`: how many wait for an answer each time that there are new ones.
struct play {
  std::vector<list> asked;
  std::vector<std::size_t> chunks;

  template <class S>
  play(placing<S>& p, weighted_places const& board, std::vector<std::uint32_t> donors = {0, 1}) {
    p.allow(std::move(donors));
    std::size_t before = 0;
    while (!p.done()) {
      REQUIRE(p.pending() > 0);
      if (p.pending() != before - 1 || before == 0) chunks.push_back(p.pending());
      before = p.pending();
      asked.emplace_back(4);
      p.write(0, asked.back());
      double const v = board.value(asked.back());
      p.answer(v, v > 0 ? 1 : 0);
    }
  }
};

// Names what it is told to, never pastes, and so shows what the lists are made of.
struct only_looks {
  struct memory {};
  std::vector<std::size_t> ask(memory&, placement_round const& round, random_stream&) const {
    return round.looks().empty() ? round.all() : std::vector<std::size_t>{};
  }
  std::size_t choose(memory&, placement_round const&, random_stream&) const { return placement_round::none; }
};

std::set<std::uint32_t> sources_in(std::vector<list> const& lists, std::size_t first, std::size_t count) {
  std::set<std::uint32_t> found;
  for (std::size_t k = first; k < first + count; ++k) found.insert(lists[k][0].source);
  return found;
}

}  // namespace

TEST_CASE("places of a patch stand in the middle of what is left over, or shifted by less than a stride") {
  weighted_places const board{scrambled_weights(), {1}};
  auto const g = grid_of(of(board), {0, 0, 0, 1, 1}, {1, 9, 8}, 3, std::nullopt);
  CHECK(std::tuple(g.height, g.width, g.stride) == std::tuple(2, 2, 3));
  CHECK(std::tuple(g.top, g.rows) == std::tuple(0, 3u));  // 0, 3, 6 of 7 places: one left over
  CHECK(std::tuple(g.left, g.columns) == std::tuple(0, 3u));
  auto const wide = grid_of(of(board), {0, 0, 0, 1, 1}, {1, 10, 10}, 3, std::nullopt);
  CHECK(std::tuple(wide.top, wide.rows) == std::tuple(1, 3u));  // 1, 4, 7 of 8
  CHECK(grid_of(of(board), {0, 0, 0, 1, 1}, small, 0, std::nullopt).stride == 1);
  CHECK(grid_of(of(board), {0, 0, 0, 3, 1}, small, 0, std::nullopt).stride == 3);
  for (float share : {0.f, .4f, .999f}) {
    auto const shifted = grid_of(of(board), {0, 0, 0, 1, 1}, {1, 9, 8}, 3, std::array{share, share});
    auto const first = static_cast<std::int32_t>(share * 3);
    CHECK(std::tuple(shifted.top, shifted.left) == std::tuple(first, first));
    CHECK(shifted.top + static_cast<std::int32_t>(shifted.rows - 1) * 3 <= 7);
    CHECK(shifted.top + static_cast<std::int32_t>(shifted.rows) * 3 > 7);
    CHECK(shifted.left + static_cast<std::int32_t>(shifted.columns - 1) * 3 <= 6);
  }
  auto const larger = grid_of(of(board), {0, 0, 0, 6, 1}, small, 2, std::array{.9f, .9f});
  CHECK(std::tuple(larger.top, larger.left, larger.places()) == std::tuple(-2, -2, 1u));
  auto const exact = grid_of(of(board), {0, 0, 0, 4, 1}, small, 2, std::array{.9f, .9f});
  CHECK(std::tuple(exact.top, exact.left, exact.places()) == std::tuple(0, 0, 1u));
}

TEST_CASE("donors do not evoke the class to leave, or evoke that to reach") {
  weighted_places board{scrambled_weights(), {1, 1, 1, 1}};
  using donors = std::vector<std::uint32_t>;
  std::vector<int> const zero{0}, two{2}, five{5}, both{0, 2};
  CHECK(detail::donors_for(zero, false, board.sources()) == donors{0, 1, 2, 3});
  CHECK(detail::donors_for(zero, true, board.sources()) == donors{0, 1, 2, 3});
  board.evokes = {2, 0, 2, 1};
  CHECK(detail::donors_for(two, false, board.sources()) == donors{1, 3});
  CHECK(detail::donors_for(two, true, board.sources()) == donors{0, 2});
  CHECK(detail::donors_for(five, true, board.sources()) == donors{0, 1, 2, 3});
  CHECK(detail::donors_for(both, false, board.sources()) == donors{0, 1, 2, 3});
  CHECK(detail::donors_for(both, true, board.sources()) == donors{0, 1, 2});
  board.evokes = {2, 2, 2, 2};
  CHECK(detail::donors_for(two, false, board.sources()).empty());
}

TEST_CASE("the list without placements is looked at first, then candidates in chunks, and never one more than the budget") {
  for (std::size_t budget : {1u, 2u, 17u, 18u, 100u, 777u}) {
    auto const board = two_donors();
    placing<exhaustive> p(exhaustive{}, of(board), small, rules(budget), rng{1});
    play const seen(p, board);
    CHECK(p.queries() == budget);
    CHECK(seen.asked.size() == budget);
    CHECK(seen.asked[0] == list(4));
    CHECK(seen.chunks[0] == 1);
    for (std::size_t k = 1; k < seen.chunks.size(); ++k) CHECK(seen.chunks[k] <= 16);
    if (budget == 18) CHECK(seen.chunks == std::vector<std::size_t>{1, 16, 1});
    CHECK(p.pending() == 0);
    CHECK_FALSE(p.succeeded());
  }
}

TEST_CASE("each attempt has the next donors, and after the last the first again at other places") {
  weighted_places const board{scrambled_weights(), {1, 1, 1, 1, 1}, 100};
  placing<only_looks> p(only_looks{}, of(board), small, rules(1 + 2 * 80, 2), rng{1});
  play const seen(p, board, {4, 3, 2, 0, 1});
  CHECK(sources_in(seen.asked, 1, 32) == std::set<std::uint32_t>{3, 4});
  CHECK(seen.asked[1][0].source == 4);
  CHECK(sources_in(seen.asked, 33, 32) == std::set<std::uint32_t>{0, 2});
  CHECK(sources_in(seen.asked, 65, 16) == std::set<std::uint32_t>{1});
  CHECK(std::tuple(seen.asked[1][0].top, seen.asked[1][0].left) == std::tuple(0, 0));
  bool shifted = false;
  for (std::uint64_t seed = 1; seed < 9; ++seed) {
    placing<only_looks> other(only_looks{}, of(board), small, rules(82, 2), rng{seed});
    auto const last = play(other, board, {4, 3, 2, 0, 1}).asked.back()[0];
    CHECK(last.source == 4);
    CHECK((last.top == 0 || last.top == 1));
    shifted = shifted || last.top == 1;
  }
  CHECK(shifted);
}

TEST_CASE("each attempt begins from the image as it is") {
  weighted_places const board{scrambled_weights(), {1, .5f}, 100};
  placing<exhaustive> p(exhaustive{}, of(board, 2), small, rules(1 + 16 + 15 + 16 + 15, 1), rng{1});
  play const seen(p, board);
  CHECK(seen.asked[1 + 16][1].source == 0);
  CHECK(seen.asked[1 + 16 + 15] == list{{1, 0, 0, 1, 1}, {}, {}, {}});
  CHECK(seen.asked.back()[0].source == 1);
  CHECK(seen.asked.back()[1].source == 1);  // the dimmer ones gain, though less than the first two
}

TEST_CASE("what is pasted without a look costs a query, and counts") {
  auto const board = two_donors(6.5f);  // the best four have 7.25
  placing<blind> p(blind{}, of(board), small, rules(100000), rng{3});
  play const seen(p, board);
  CHECK(p.succeeded());
  CHECK(p.queries() == seen.asked.size());
  CHECK(seen.asked.size() > 100);
  CHECK(std::equal(p.best().begin(), p.best().end(), seen.asked.back().begin()));
  CHECK(board.value(seen.asked.back()) > 0);
  for (std::size_t k = 1; k < seen.asked.size(); ++k) {
    auto const copies = [](list const& l) {
      return std::count_if(l.begin(), l.end(), [](auto const& one) { return one.source != placement::none; });
    };
    CHECK(copies(seen.asked[k]) ==
          static_cast<std::ptrdiff_t>((k - 1) % 4 + 1));  // one more each time, and from the first after the fourth
  }
}

TEST_CASE("a list that cannot grow ends the search") {
  auto const board = two_donors();
  auto none = of(board);
  none.area = .05f;  // three pixels
  placing<blind> p(blind{}, none, small, rules(100), rng{1});
  CHECK(play(p, board).asked.size() == 1);
  placing<exhaustive> q(exhaustive{}, of(board), small, rules(100), rng{1});
  CHECK(play(q, board, {}).asked.size() == 1);
  CHECK(q.done());
  CHECK(list(q.best().begin(), q.best().end()) == list(4));
}

TEST_CASE("the answer is the first that succeeds, of a chunk the first, else the first of the highest value") {
  // The cells from 8 on succeed at once; the chunk that holds the first is still looked at to its end.
  weighted_places board{std::vector<float>(16, .5f), {1}, 1};
  for (std::size_t k = 8; k < 16; ++k) board.weights[k] = static_cast<float>(k);
  placing<exhaustive> p(exhaustive{}, of(board), small, rules(100, 1, 5), rng{1});
  play const seen(p, board, {0});
  CHECK(p.queries() == 1 + 10);
  CHECK(p.best()[0].top == 4);
  CHECK(p.best()[0].left == 0);
  // All cells alike and out of reach: the first.
  board = {std::vector<float>(16, .5f), {1}, 100};
  placing<exhaustive> q(exhaustive{}, of(board, 1), small, rules(17, 1, 5), rng{1});
  CHECK(play(q, board, {0}).asked.size() == 17);
  CHECK(q.best()[0] == placement{0, 0, 0, 1, 1});
  // Everything makes it worse: the image as it is.
  board = {std::vector<float>(16, -.5f), {1}, 100};
  placing<exhaustive> r(exhaustive{}, of(board), small, rules(30, 1, 5), rng{1});
  CHECK(play(r, board, {0}).asked.size() == 30);
  CHECK(r.best()[0] == placement{});
}

TEST_CASE("where candidates do not count, each list that is pasted is looked at") {
  auto const board = two_donors(3);
  auto sure = rules(1000);
  sure.confirm = true;
  placing<exhaustive> p(exhaustive{}, of(board), small, sure, rng{1});
  p.allow({0, 1});
  std::size_t looks = 0, candidates = 0, rounds = 0;
  list asked(4);
  while (!p.done()) {
    p.write(0, asked);
    (p.itself() ? looks : candidates) += 1;
    double const v = board.value(asked);
    p.answer(v, v > 0 ? 1 : 0);
    if (p.rounds() != rounds) rounds = p.rounds();
  }
  // 2 + 15/8 > 3: the candidates of the second round that do fool are passed over until the best is pasted.
  CHECK(looks == 3);
  CHECK(candidates == 32 + 30);
  CHECK(board.value(list(p.best().begin(), p.best().end())) == 2 + 15. / 8 - 3);
}

TEST_CASE("a share is reached that is as large as the goal, if only as a float") {
  auto enough = rules(100);
  enough.goal = .8f;
  placing<exhaustive> p(exhaustive{}, of(two_donors()), small, enough, rng{1});
  p.allow({0, 1});
  p.answer(0, 79. / 100);
  CHECK_FALSE(p.succeeded());
  while (p.pending() > 1) p.answer(0, .1);
  p.answer(0, 80. / 100);
  CHECK(p.succeeded());
  CHECK(p.done());
}

TEST_CASE("wrong rules are refused") {
  auto r = rules(0);
  CHECK_THROWS_WITH_AS(r.check("deepception"), doctest::Contains("deepception: queries is 0"), error);
  r = rules(1);
  r.opacity = 0;
  CHECK_THROWS_WITH_AS(r.check("deepception"), doctest::Contains("opacity 0; give (0, 1000] and (0, 1]"), error);
}
