// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/report/axes.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>

namespace {

using namespace pareidolia;
using namespace pareidolia::detail;

std::string labels(decade_axis const& axis) {
  std::string all;
  for (axis_tick const& t : axis.ticks)
    if (!t.text.empty()) all += t.text + " ";
  return all;
}

std::size_t small_ticks(decade_axis const& axis) {
  std::size_t count = 0;
  for (axis_tick const& t : axis.ticks) count += t.text.empty();
  return count;
}

TEST_CASE("a logarithmic axis has ticks at decades, and small ones between them") {
  decade_axis const axis(1, 1000, false);
  CHECK(labels(axis) == "1 10 100 1,000 ");
  CHECK(small_ticks(axis) == 24);
  CHECK(labels({10, 3072, false}) == "10 100 1,000 ");
  CHECK(labels({.003, 20, true}) == "0.001 0.01 0.1 1 10 100 ");
}

TEST_CASE("fewer than three decades are divided further, and those of a hair's breadth are round numbers") {
  CHECK(labels({10, 784, false}) == "10 20 50 100 200 500 ");
  CHECK(labels({3, 40, false}) == "5 10 20 ");
  CHECK(labels({3, 40, true}) == "2 5 10 20 50 ");
  CHECK(labels({.3, 13, true}) == "0.2 0.5 1 2 5 10 20 ");
  CHECK(labels({.8, 1.6, true}) == "0.8 0.9 1 2 ");
  CHECK(labels({1.02, 1.05, false}) == "1.02 1.03 1.04 1.05 ");
  CHECK(labels({7, 7, false}) == "5 10 20 ");
}

TEST_CASE("ticks are exact and inside the axis, however long it is") {
  CHECK(labels({1e-4, 1, false}) == "10<sup>−4</sup> 10<sup>−3</sup> 10<sup>−2</sup> 10<sup>−1</sup> 10<sup>0</sup> ");
  CHECK(labels({1e-9, 1, false}) == "10<sup>−8</sup> 10<sup>−6</sup> 10<sup>−4</sup> 10<sup>−2</sup> 10<sup>0</sup> ");
  CHECK(labels({2e-6, 3e-5, false}) == "2·10<sup>−6</sup> 5·10<sup>−6</sup> 10<sup>−5</sup> 2·10<sup>−5</sup> ");
  for (double low : {1e-300, 3e-9, .01, 1., 7.})
    for (double high : {7.5, 1234., 1e9, 1e300})
      for (bool whole : {false, true}) {
        CAPTURE(low);
        CAPTURE(high);
        decade_axis const a(low, high, whole);
        std::size_t const count = a.ticks.size() - small_ticks(a);
        CHECK(count >= 2);
        CHECK(count <= 10);
        CHECK(a.low <= low);
        CHECK(a.high >= high);
        for (axis_tick const& t : a.ticks) CHECK((t.value >= a.low * (1 - 1e-9) && t.value <= a.high * (1 + 1e-9)));
        if (whole && low > 1e-100 && high < 1e100) CHECK((!a.ticks.front().text.empty() && !a.ticks.back().text.empty()));
      }
}

TEST_CASE("a value stands where its logarithm says, and an infinite one at an end") {
  chart_axis const axis(axis_scale::logarithmic, 1, 1000, false);
  CHECK(axis.percent(1) == doctest::Approx(0));
  CHECK(axis.percent(10) == doctest::Approx(100 / 3.));
  CHECK(axis.percent(1000) == doctest::Approx(100));
  CHECK(axis.percent(INFINITY) == 100);
  CHECK(axis.percent(-INFINITY) == 0);
  CHECK(chart_axis(axis_scale::linear, 0, 4, false).percent(1) == doctest::Approx(25));
}

}  // namespace
