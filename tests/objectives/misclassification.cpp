// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/misclassification.hpp>

#include <pareidolia/objectives/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <support/objectives.hpp>

#include <vector>

using namespace pareidolia_test;

static_assert(!misclassification::targeted);

TEST_CASE("misclassification is 1 where the largest score, the first of equal ones, is not the label's") {
  tensor<float, 2> const y{{1, 4, 2}, {1, 4, 2}, {3, 0, 3}, {3, 0, 3}};
  CHECK(values_of(misclassification{}, y, {1, 2, 0, 2}) == std::vector<float>{0, 1, 0, 1});
}

TEST_CASE("misclassification follows the gradient of the cross entropy") {
  tensor<float, 2> const y{{1, 4, 2}, {-3, 0, 7}};
  CHECK(seeds_of(misclassification{}, y, {1, 0}) == seeds_of(cross_entropy{}, y, {1, 0}));
}
