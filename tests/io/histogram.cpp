// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/histogram.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using pareidolia_test::contains;
using pareidolia_test::error_of;

double sum(std::vector<double> const& values) { return std::accumulate(values.begin(), values.end(), 0.); }

TEST_CASE("a histogram has a share of each sample in every part") {
  chart const c = histogram_of("t", "statistic", {{"a", {0, 1, 1, 4}}, {"b", {4, 4}}}, 4);
  CHECK(c.title == "t");
  CHECK(c.x_name == "statistic");
  REQUIRE(c.lines.size() == 2);
  CHECK(c.lines[0].name == "a");
  CHECK(c.lines[0].style == line_style::bars);
  // The quantiles at 1 % and 99 % of 0 1 1 4 4 4 are 0.05 and 4.
  CHECK(c.lines[0].x[0] == doctest::Approx(.05 + 3.95 / 8));
  CHECK(c.lines[0].x == c.lines[1].x);
  CHECK(c.lines[0].y == std::vector<double>{.75, 0, 0, .25});
  CHECK(c.lines[1].y == std::vector<double>{0, 0, 0, 1});
}

TEST_CASE("more than two samples are steps, since bars would hide each other") {
  sample const s{"s", {1, 2}};
  CHECK(histogram_of("t", "x", {s, s}).lines[1].style == line_style::bars);
  CHECK(histogram_of("t", "x", {s, s, s}).lines[0].style == line_style::steps);
}

TEST_CASE("outliers are counted in the outermost parts, and what is not finite nowhere") {
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), 0.);
  values[0] = -1e9;
  values[999] = 1e9;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (double const v : {std::nan(""), infinity, -infinity}) values.push_back(v);
  chart const c = histogram_of("t", "x", {{"a", values}}, 10);
  CHECK(c.lines[0].x.front() > 0);
  CHECK(c.lines[0].x.back() < 1000);
  CHECK(sum(c.lines[0].y) == doctest::Approx(1));
  CHECK(c.lines[0].y.front() == doctest::Approx(.108).epsilon(.02));
  CHECK(c.lines[0].y[5] == doctest::Approx(.098).epsilon(.02));
}

TEST_CASE("one value alone, or none, is a histogram") {
  CHECK(histogram_of("t", "x", {{"a", {3, 3}}}, 4).lines[0].y == std::vector<double>{0, 0, 1, 0});
  CHECK(histogram_of("t", "x", {{"a", {0}}}, 4).lines[0].x.front() == doctest::Approx(-.375));
  CHECK(sum(histogram_of("t", "x", {{"a", {}}}).lines[0].y) == 0);
  CHECK(histogram_of("t", "x", {}).lines.empty());
  CHECK(contains(error_of([] { (void)histogram_of("t", "x", {}, 0); }), "histogram_of: bins is 0"));
}

}  // namespace
