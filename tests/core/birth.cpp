// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/birth.hpp>

#include <doctest/doctest.h>

using namespace pareidolia;

TEST_CASE("a birth has no parent unless one is named") {
  CHECK(birth{}.parent == birth::none);
  CHECK(birth{}.id != birth::none);
}

TEST_CASE("births are equal where all of their parts are") {
  birth const one{7, 3, 2, 4, 5, .5f};
  CHECK(one == birth{7, 3, 2, 4, 5, .5f});
  CHECK(one != birth{8, 3, 2, 4, 5, .5f});
  CHECK(one != birth{7, 2, 2, 4, 5, .5f});
  CHECK(one != birth{7, 3, 1, 4, 5, .5f});
  CHECK(one != birth{7, 3, 2, 3, 5, .5f});
  CHECK(one != birth{7, 3, 2, 4, 4, .5f});
  CHECK(one != birth{7, 3, 2, 4, 5, .25f});
}
