// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/logit.hpp>

#include <doctest/doctest.h>

#include <support/objectives.hpp>

#include <vector>

using namespace pareidolia_test;

static_assert(logit::targeted);

TEST_CASE("the logit is the score of the target, of one class or of all") {
  tensor<float, 2> const y{{1, 4, 2}, {-3, 0, 7}};
  CHECK(values_of(logit{}, y, {1, 0}) == std::vector<float>{4, -3});
  auto all = filled<float, 2>({2, 3});
  logit{}.values(as_view(y), as_view(all));
  CHECK(all == y);
}

TEST_CASE("the logit's seed is its numerical derivative") { check_seed(logit{}); }
