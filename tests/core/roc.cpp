// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/roc.hpp>

#include <pareidolia/core/random.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

using namespace pareidolia;
using values = std::vector<double>;

TEST_CASE("a characteristic has a point for each value") {
  auto const r = roc_curve(values{1, 3}, values{4, 2});
  double const none = -std::numeric_limits<double>::infinity();
  CHECK(r.thresholds == values{4, 3, 2, 1, none});
  CHECK(r.false_positive == values{0, 0, .5, .5, 1});
  CHECK(r.true_positive == values{0, .5, .5, 1, 1});
  CHECK(r.area == .75);  // of four pairs all but (3, 2)
}

TEST_CASE("equal values make one point, and half a pair") {
  auto const r = roc_curve(values{1, 1, 2}, values{2, 1});
  CHECK(r.thresholds.size() == 3);
  CHECK(r.false_positive == values{0, 1. / 3, 1});
  CHECK(r.true_positive == values{0, .5, 1});
  CHECK(r.area == doctest::Approx((2 + .5 + 2 * .5 + 0) / 6));
  CHECK(roc_curve(values{7}, values{7, 7}).area == .5);
}

TEST_CASE("the area is 1 where all positives are above, 0 where they are below") {
  CHECK(roc_curve(values{1, 2}, values{3}).area == 1);
  CHECK(roc_curve(values{3}, values{1, 2}).area == 0);
  double const most = std::numeric_limits<double>::infinity();
  auto const r = roc_curve(values{-most, 0}, values{most, 1});
  CHECK(r.area == 1);
  CHECK(r.thresholds.front() == most);
  CHECK(r.thresholds.back() == -most);
  CHECK(r.false_positive.back() == 1);
}

TEST_CASE("the area is the share of pairs in the right order") {
  values n, p;
  auto stream = rng(1).stream(0);
  for (std::size_t i = 0; i < 50; ++i) n.push_back(std::floor(10 * double{stream.uniform()}));
  for (std::size_t i = 0; i < 30; ++i) p.push_back(std::floor(10 * double{stream.uniform()}) + 2);
  double pairs = 0;
  for (double a : n)
    for (double b : p) pairs += a < b ? 1 : a == b ? .5 : 0;
  auto const r = roc_curve(n, p);
  CHECK(r.area == doctest::Approx(pairs / 1500));
  for (std::size_t k = 0; k < r.thresholds.size(); ++k) {
    double above = 0;
    for (double a : n) above += a > r.thresholds[k];
    CHECK(r.false_positive[k] == doctest::Approx(above / 50));
  }
}

TEST_CASE("what is found at a rate of false alarms is read from the curve") {
  auto const r = roc_curve(values{1, 3}, values{4, 2});
  CHECK(r.true_positive_at(0) == .5);
  CHECK(r.true_positive_at(.49) == .5);
  CHECK(r.true_positive_at(.5) == 1);
  CHECK(r.true_positive_at(1) == 1);
  CHECK(r.true_positive_at(-1) == 0);
}

TEST_CASE("a characteristic needs numbers on both sides") {
  CHECK_THROWS_WITH(static_cast<void>(roc_curve({}, values{1})), "roc_curve: there are no negatives; give at least one");
  CHECK_THROWS_WITH(static_cast<void>(roc_curve(values{1}, {})), "roc_curve: there are no positives; give at least one");
  CHECK_THROWS_WITH(static_cast<void>(roc_curve(values{1}, values{std::nan("")})),
                    "roc_curve: one of the positives is not a number; leave it out");
}
