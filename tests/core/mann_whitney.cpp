// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/mann_whitney.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace pareidolia;

TEST_CASE("the rank-sum test gives the published numbers of SciPy's example") {
  std::vector<float> const males{19, 22, 16, 29, 24}, females{20, 11, 17, 12};  // ages, mannwhitneyu() of its documentation
  auto const found = mann_whitney(males, females);
  CHECK(found.u == 17);
  CHECK(found.area == doctest::Approx(17 / 20.));
  CHECK(found.p == doctest::Approx(0.11134688653314041));
  auto const other = mann_whitney(females, males);
  CHECK(other.u == 3);
  CHECK(other.z == doctest::Approx(-found.z));
  CHECK(other.p == doctest::Approx(found.p));
}

TEST_CASE("ties count half and lessen the variance") {
  std::vector<float> const a{1, 2, 2}, b{2, 3};
  auto const found = mann_whitney(a, b);
  CHECK(found.u == 1);  // two halves
  // n m / 12 (6 - (27 - 3) / 20) = 2.4; (3 - 1 - 1/2) / sqrt(2.4)
  CHECK(found.z == doctest::Approx(-1.5 / std::sqrt(2.4)));
}

TEST_CASE("samples that are alike say nothing") {
  std::vector<float> const same{.5f, .5f, .5f};
  CHECK(mann_whitney(same, same).p == 1);
  CHECK(mann_whitney(same, same).area == .5);
  std::vector<float> const a{1, 4, 5}, b{2, 3, 6};
  CHECK(mann_whitney(a, b).p == doctest::Approx(1).epsilon(.2));
}

TEST_CASE("a comparison without values is refused, and so is one with what is no number") {
  std::vector<float> const none, one{1}, bad{NAN};
  CHECK_THROWS_WITH_AS((void)mann_whitney(one, none), "mann_whitney: samples of 1 and 0 values; give at least 1 each", error);
  CHECK_THROWS_WITH_AS((void)mann_whitney(bad, one), "mann_whitney: a value is not a number; leave it out", error);
}
