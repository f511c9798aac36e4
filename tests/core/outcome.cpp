// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/outcome.hpp>

#include <doctest/doctest.h>

using namespace pareidolia;

TEST_CASE("an outcome of nothing is empty, shares no genotype, and its size is the number of values") {
  outcome found;
  CHECK(found.size() == 0);
  CHECK(found.complete);
  CHECK(found.shared.shape()[0] == 0);
  CHECK(found.shared.size() == 0);
  CHECK(found.quantized_success.empty());
  CHECK(found.forwards_spent.empty());
  found.values = {1, 2, 3};
  CHECK(found.size() == 3);
}
