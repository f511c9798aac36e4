// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/distributed/at_root.hpp>

#include "support/ranks.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using pareidolia_test::world;

namespace {

struct counting {
  std::size_t* calls;
  void operator()(step const&) const { ++*calls; }
};
struct stopping {
  verdict says;
  verdict operator()(step const&) const { return says; }
};

// Keeps a state in memory.
struct pocket {
  std::optional<saved_state> kept;
  std::size_t asked = 0;
  [[nodiscard]] std::string name() const { return "pocket"; }
  [[nodiscard]] std::optional<saved_state> restore() { return kept; }
  [[nodiscard]] bool due(bool last) { return ++asked, last; }
  void keep(saved_state state) { kept = std::move(state); }
};

saved_state example() {
  saved_state state;
  state_writer a(state);
  std::vector<double> numbers{1, 2.5, -3};
  std::vector<std::uint8_t> nothing;
  a.setting("seed", 42);
  a("numbers", numbers);
  a.part("inner")("nothing", nothing);
  return state;
}

static_assert(Sink<at_root<counting>> && !StateKeeper<at_root<counting>> && !Stateful<at_root<counting>>);
static_assert(StateKeeper<at_root<pocket>> && !Sink<at_root<pocket>> && Stateful<at_root<recorder>>);

}  // namespace

TEST_CASE("a sink at the root is called there alone") {
  std::size_t calls = 0;
  at_root quiet{world(), counting{&calls}};
  quiet(step{});
  CHECK(calls == (world().is_root() ? 1 : 0));
}

TEST_CASE("what a sink at the root says of going on holds for all") {
  auto const ranks = world();
  CHECK(at_root{ranks, stopping{verdict::stop}}(step{}) == verdict::stop);
  CHECK(at_root{ranks, stopping{ranks.is_root() ? verdict::go_on : verdict::stop}}(step{}) == verdict::go_on);
}

TEST_CASE("a keeper at the root keeps there, and what it has is restored everywhere") {
  auto const ranks = world();
  pocket own;
  at_root keeper{ranks, own};
  CHECK(keeper.name() == "pocket");
  CHECK_FALSE(keeper.restore().has_value());
  CHECK_FALSE(keeper.due(false));
  CHECK(keeper.due(true));
  CHECK(own.asked == (ranks.is_root() ? 2 : 0));
  keeper.keep(ranks.is_root() ? example() : saved_state{});
  CHECK(own.kept.has_value() == ranks.is_root());
  CHECK(keeper.restore() == example());
}

TEST_CASE("states survive the way to another process, and what is none is refused") {
  auto message = detail::to_message(example());
  CHECK(detail::from_message(message) == example());
  CHECK(detail::from_message(detail::to_message({})) == saved_state{});
  message.pop_back();
  CHECK_THROWS_WITH_AS(static_cast<void>(detail::from_message(message)), doctest::Contains("cut short"), error);
}
