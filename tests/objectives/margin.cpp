// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/margin.hpp>

#include <doctest/doctest.h>

#include <support/files.hpp>
#include <support/objectives.hpp>

#include <vector>

using namespace pareidolia_test;

static_assert(!margin::targeted);

TEST_CASE("the margin is the lead of the best other class") {
  tensor<float, 2> const y{{1, 4, 2}, {1, 4, 2}, {3, -1, 3}, {-5, -7, -9}};
  CHECK(values_of(margin{}, y, {1, 0, 2, 0}) == std::vector<float>{-2, 3, 0, -2});
}

TEST_CASE("the margin's seed is its numerical derivative") { check_seed(margin{}); }

TEST_CASE("of equal scores the margin follows the first") {
  tensor<float, 2> const y{{2, 2, 2}, {2, 2, 2}};
  CHECK(seeds_of(margin{}, y, {0, 2}) == tensor<float, 2>{{-1, 1, 0}, {1, 0, -1}});
}

TEST_CASE("a model of one class has no margin") {
  tensor<float, 2> const y{{2}};
  CHECK(contains(error_of([&] { (void)values_of(margin{}, y, {0}); }), "the model has 1 classes"));
  CHECK(contains(error_of([&] { (void)seeds_of(margin{}, y, {0}); }), "the model has 1 classes"));
}
