// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/cost.hpp>

#include <doctest/doctest.h>

using namespace pareidolia;

TEST_CASE("costs add up, and say whose the time was") {
  cost c{3, 2, 4., 3.};
  c += {1, 5, 4., 1.};
  CHECK(c.forwards == 4);
  CHECK(c.backwards == 7);
  CHECK(c.share_of_model() == .5);
  CHECK(cost{}.share_of_model() == 1);
}
