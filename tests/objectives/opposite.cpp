// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/opposite.hpp>

#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/objectives/logit.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/misclassification.hpp>

#include <doctest/doctest.h>

#include <support/archetypes.hpp>
#include <support/objectives.hpp>

#include <cmath>
#include <vector>

using namespace pareidolia_test;

namespace {

constexpr auto host = space::host, device = space::device;

template <class O>
struct reaching : O {
  static constexpr bool targeted = true;
};

// It has the verbs of its objective, where that has them.
static_assert(towards<margin>::targeted && !away_from<logit>::targeted);
static_assert(DifferentiableObjective<towards<margin>, host> && !ClasswiseObjective<towards<margin>, host>);
static_assert(DifferentiableObjective<away_from<logit>, host> && ClasswiseObjective<away_from<logit>, host>);
static_assert(Objective<away_from<reaching<objective<host>>>, host> &&
              !DifferentiableObjective<away_from<reaching<objective<host>>>, host>);
static_assert(Objective<away_from<reaching<objective<device>>>, device> && !Objective<away_from<reaching<objective<device>>>, host>);
static_assert(DifferentiableObjective<away_from<reaching<smooth_objective<device>>>, device> &&
              !ClasswiseObjective<away_from<reaching<smooth_objective<device>>>, device>);
static_assert(ClasswiseObjective<away_from<reaching<classwise_objective<device>>>, device>);

tensor<float, 2> const y{{1, 4, 2}, {0, 3, 3}};

}  // namespace

TEST_CASE("towards makes of what leaves a class what reaches it") {
  CHECK(values_of(towards{margin{}}, y, {1, 2}) == std::vector<float>{2, 0});
  CHECK(values_of(towards{misclassification{}}, y, {1, 2}) == std::vector<float>{0, -1});
  CHECK(seeds_of(towards{margin{}}, y, {1, 2}) == tensor<float, 2>{{0, 1, -1}, {0, -1, 1}});
  check_seed(towards{margin{}});
  check_seed(towards{cross_entropy{}});
  auto const log_p = values_of(towards{cross_entropy{}}, y, {1, 2}), p = values_of(class_probability{}, y, {1, 2});
  for (std::size_t i = 0; i < 2; ++i) CHECK(std::exp(log_p[i]) == doctest::Approx(p[i]));
}

TEST_CASE("away_from makes of what reaches a class what leaves it, also of every class at once") {
  CHECK(values_of(away_from{logit{}}, y, {1, 0}) == std::vector<float>{-4, 0});
  check_seed(away_from{class_probability{}});
  auto all = filled<float, 2>({2, 3});
  away_from{logit{}}.values(as_view(y), as_view(all));
  CHECK(all == tensor<float, 2>{{-1, -4, -2}, {0, -3, -3}});
}
