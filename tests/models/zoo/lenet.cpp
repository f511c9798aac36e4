// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/zoo/lenet.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("lenet5 has the published shapes and 431,080 parameters") {
  auto const p = plan(zoo::lenet5());
  CHECK(p.parameters == 431'080);
  CHECK(p.out[0] == image_shape{20, 24, 24});
  CHECK(p.out[3] == image_shape{50, 4, 4});
  CHECK(p.out.back() == image_shape{10, 1, 1});
  CHECK(multiplications(p) == 20 * 25 * 24 * 24 + 50 * 20 * 25 * 8 * 8 + 800 * 500 + 500 * 10);
}
