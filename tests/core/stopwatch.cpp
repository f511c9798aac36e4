// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/stopwatch.hpp>

#include <doctest/doctest.h>

#include <chrono>

namespace {

using namespace pareidolia;
using clock = std::chrono::steady_clock;

void pass_some_time() {
  for (auto const begin = clock::now(); clock::now() - begin < std::chrono::milliseconds(2);) continue;
}

}  // namespace

TEST_CASE("a stopwatch adds up what lies between start and stop, and nothing else") {
  stopwatch<space::host> time;
  CHECK(time.seconds() == 0);
  auto const begin = clock::now();
  time.start();
  pass_some_time();
  time.stop();
  double const first = time.seconds();
  CHECK(first >= 2e-3);
  pass_some_time();
  CHECK(time.seconds() == first);
  time.start();
  pass_some_time();
  time.stop();
  CHECK(time.seconds() >= first + 2e-3);
  CHECK(time.seconds() + 2e-3 <= std::chrono::duration<double>(clock::now() - begin).count());
}
