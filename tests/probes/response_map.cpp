// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/response_map.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

using namespace pareidolia;

TEST_CASE("a map says which places are best and worst, and how far they are apart") {
  response_map map{window_grid({1, 4, 6}, 2, 2), filled<float, 3>({2, 2, 3})};
  auto const values = {-1.f, -4.f, -2.f, 0.f, 0.f, -3.f, -1.f, -1.f, -1.f, -1.f, -2.5f, -1.f};
  std::copy(values.begin(), values.end(), map.values.data());
  CHECK(map.best(0) == 3);
  CHECK(map.worst(0) == 1);
  CHECK(map.decades(0) == 4);
  CHECK(map.decades(1) == 1.5);
  CHECK(map.median_decades() == 2.75);
  CHECK(map.share_above(1.5) == .5);
  CHECK(map.share_above(1) == 1);
  CHECK(map.share_above(4) == 0);
  CHECK(map.histogram(-3, 0, 3) == std::vector<std::size_t>{3, 1, 8});
  CHECK(map.histogram(-1, 1, 2) == std::vector<std::size_t>{10, 2});
  CHECK_THROWS_WITH_AS(static_cast<void>(map.histogram(0, 0, 3)), "histogram: 3 bins from 0 to 0; give at least one, low < high", error);
}
