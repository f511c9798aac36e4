// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/distributed/agreed.hpp>

#include "support/ranks.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstddef>

using namespace pareidolia;
using pareidolia_test::world;

namespace {

struct stopping {
  bool now;
  verdict operator()(step const&) const { return now ? verdict::stop : verdict::go_on; }
};

static_assert(Sink<agreed<stopping>> && Sink<agreed<stop_on_interrupt const&>>);

}  // namespace

TEST_CASE("all stop where one rank says stop") {
  auto const ranks = world();
  for (std::size_t who = 0; who < ranks.size(); ++who) CHECK(agreed{ranks, stopping{ranks.rank() == who}}(step{}) == verdict::stop);
  CHECK(agreed{ranks, stopping{false}}(step{}) == verdict::go_on);
}

TEST_CASE("a signal to one rank stops all") {
  auto const ranks = world();
  stop_on_interrupt const stop;
  agreed together{ranks, stop};
  CHECK(together(step{}) == verdict::go_on);
  if (ranks.rank() + 1 == ranks.size()) std::raise(SIGINT);
  CHECK(together(step{}) == verdict::stop);
}
