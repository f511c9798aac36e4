// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/share_inside.hpp>

#include <support/quadric_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("the share of a perturbation inside a subspace is that of its length") {
  constexpr std::size_t d = 40, m = 10;
  auto const e = random_basis(m + 1, d, 1);
  auto subspace = filled<float, 2>({m, d});
  for (std::size_t j = 0; j < m; ++j) std::copy(e[j].begin(), e[j].end(), as_view(subspace).row(j).begin());
  constexpr std::size_t random = 3000;
  auto r = filled<float, 2>({4 + random, d});
  for (std::size_t j = 0; j < d; ++j) {
    r(0, j) = static_cast<float>(3 * e[2][j] - 2 * e[7][j]);
    r(1, j) = static_cast<float>(5 * e[m][j]);
    r(2, j) = static_cast<float>(3 * e[0][j] + 4 * e[m][j]);
  }
  for (std::size_t i = 4; i < r.shape()[0]; ++i) {
    auto stream = rng(2).stream(i);
    for (float& v : as_view(r).row(i)) v = stream.normal();
  }
  auto const shares = share_inside(subspace, as_view(std::as_const(r)));
  REQUIRE(shares.size() == r.shape()[0]);
  CHECK(shares[0] == doctest::Approx(1).epsilon(1e-6));
  CHECK(shares[1] < 1e-6);
  CHECK(shares[2] == doctest::Approx(.6).epsilon(1e-6));
  CHECK(shares[3] == 0);
  double squares = 0;
  for (std::size_t i = 4; i < shares.size(); ++i) squares += shares[i] * shares[i] / random;
  CHECK(squares == doctest::Approx(double{m} / d).epsilon(.01));

  auto const longer = filled<float, 2>({1, d + 1});
  CHECK_THROWS_WITH_AS(static_cast<void>(share_inside(subspace, as_view(longer))),
                       doctest::Contains("perturbations of 41 values and a subspace of 40"), error);
}
