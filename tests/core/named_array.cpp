// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/named_array.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

using namespace pareidolia;

TEST_CASE("a tensor gets a name and keeps its shape and values, line by line") {
  auto t = filled<float, 2>({2, 3});
  for (std::size_t j = 0; j < t.size(); ++j) t.data()[j] = static_cast<float>(j);
  named_array const a = named("map", t);
  CHECK(a.name == "map");
  CHECK(a.shape == std::vector<std::size_t>{2, 3});
  CHECK(a.values == std::vector<float>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("an empty tensor is an array without values") {
  named_array const a = named("none", filled<float, 3>({2, 0, 4}));
  CHECK(a.shape == std::vector<std::size_t>{2, 0, 4});
  CHECK(a.values.empty());
}
