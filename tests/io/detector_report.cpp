// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/detector_report.hpp>

#include <doctest/doctest.h>

#include <pareidolia/detail/report/lines.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace {

using namespace pareidolia;

TEST_CASE("characteristics are lines on a square from 0 to 1, with their areas and what chance gives") {
  std::vector<double> const natural{-2, -1, 0, 1}, perturbed{0, 1, 2, 3};
  auto const c =
      chart_of("ROC", std::vector<measurement<roc>>{{"DeepFool", roc_curve(natural, perturbed)}, {"twice", roc_curve(natural, natural)}});
  CHECK(c.title == "ROC");
  CHECK(c.square);
  REQUIRE(c.lines.size() == 2);
  CHECK(c.lines[0].name == "DeepFool, area 0.875");  // 13 of 16 pairs, and 2 ties
  CHECK(c.lines[1].name == "twice, area 0.500");
  CHECK(c.lines[0].x.front() == 0);
  CHECK(c.lines[0].y.back() == 1);
  REQUIRE(c.references.size() == 1);
  CHECK(c.references[0].x == c.references[0].y);
  CHECK_NOTHROW(detail::check_chart(c));
}

TEST_CASE("what a detector reads is a histogram for each set of images, with the threshold") {
  constexpr double none = -std::numeric_limits<double>::infinity();
  curvature_detector::result natural, perturbed;
  natural.statistic = {-1, -1, -.5, none};
  perturbed.statistic = {.5, 1};
  curvature_detector const detector{.random = rng{1}, .threshold = .25};
  auto const c = chart_of("Detector", detector, {{"natural", natural}, {"perturbed", perturbed}});
  REQUIRE(c.lines.size() == 2);
  CHECK(c.lines[0].name == "natural");
  CHECK(c.lines[0].style == line_style::bars);
  CHECK(c.lines[0].y.front() == doctest::Approx(2 / 3.));
  CHECK(c.lines[1].y.back() == doctest::Approx(.5));
  CHECK(c.references[0].x == std::vector<double>{.25, .25});
  CHECK_NOTHROW(detail::check_chart(c));
}

}  // namespace
