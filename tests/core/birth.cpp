// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/birth.hpp>

#include <doctest/doctest.h>

using namespace pareidolia;

TEST_CASE("a birth of nothing has no parent, which no id is") {
  birth const drawn;
  CHECK(drawn.parent == birth::none);
  CHECK(drawn.id != birth::none);
  birth other = drawn;
  CHECK(other == drawn);
  other.from = 7;
  CHECK(other != drawn);
}
