// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/quantile.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using pareidolia::detail::quantile_of;

TEST_CASE("a quantile is between the values that surround it") {
  CHECK(quantile_of({4, 1, 3, 2}, 0) == 1);
  CHECK(quantile_of({4, 1, 3, 2}, .5) == 2.5);
  CHECK(quantile_of({4, 1, 3, 2}, .9) == doctest::Approx(3.7));
  CHECK(quantile_of({4, 1, 3, 2}, 1) == 4);
  CHECK(quantile_of({7}, .3) == 7);
  CHECK(std::isnan(quantile_of({}, .5)));
}

TEST_CASE("values without end are the largest") {
  double const end = std::numeric_limits<double>::infinity();
  CHECK(quantile_of({end, 1, end}, .5) == end);
  CHECK(quantile_of({2, 1, end}, .5) == 2);
  CHECK(quantile_of({2, 1, end}, .6) == end);
}
