// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/report/chart.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia::detail;
using namespace pareidolia_test;

history sample(std::size_t count) {
  history log{{"replaced", "median", "min", "max"}, {}, {}};
  for (std::size_t i = 0; i < count; ++i) {
    double const nines = 5 * static_cast<double>(i) / static_cast<double>(count);
    log.steps.push_back(i + 1);
    log.rows.push_back({static_cast<double>(i % 7), 1 - std::pow(10, -nines), 1 - std::pow(10, -nines / 2), 1});
  }
  return log;
}

TEST_CASE("nines tell 0.99 from 0.9999 and end at what a float can hold") {
  CHECK(nines_of(0) == 0);
  CHECK(nines_of(0.9) == doctest::Approx(1));
  CHECK(nines_of(0.9999) == doctest::Approx(4));
  CHECK(nines_of(double{std::nextafter(1.f, 0.f)}) < most_nines);
  CHECK(nines_of(1) == most_nines);
}

TEST_CASE("long histories are thinned and keep both ends") {
  CHECK(drawn_rows(3) == std::vector<std::size_t>{0, 1, 2});
  CHECK(drawn_rows(1) == std::vector<std::size_t>{0});
  auto const rows = drawn_rows(5000);
  CHECK(rows.size() == 400);
  CHECK(rows.front() == 0);
  CHECK(rows.back() == 4999);
}

TEST_CASE("the axis of steps has a few round ticks inside it") {
  CHECK(step_axis({1, 200}).ticks() == std::vector<double>{50, 100, 150, 200});
  CHECK(step_axis({1, 2}).ticks() == std::vector<double>{1, 2});
  CHECK(step_axis({7}).ticks() == std::vector<double>{7});
  CHECK(step_axis({7}).percent(7) == 50);
  for (std::size_t last : {3u, 17u, 99u, 1234u, 987654u}) {
    auto const ticks = step_axis({1, last}).ticks();
    CHECK(ticks.size() >= 2);
    CHECK(ticks.size() <= 6);
    CHECK(ticks.back() <= static_cast<double>(last));
  }
}

TEST_CASE("confidence is drawn as three curves, a band and ticks of nines") {
  std::string const chart = confidence_chart(sample(50), "generation");
  for (char const* part : {"<polyline class=\"median\"", "<polyline class=\"min\"", "<polyline class=\"max\"", "<polygon", ">0.9999<",
                           ">0.5<", ">generation<"})
    CHECK(contains(chart, part));
  CHECK(!contains(chart, "nan"));
  CHECK(confidence_chart(sample(1), "step").size() > 100);
}

TEST_CASE("what is no confidence is not drawn as one") {
  history log = sample(5);
  log.rows[2][1] = 1.5;
  CHECK(confidence_chart(log, "step").empty());
  CHECK(confidence_chart({{"loss"}, {1}, {{0.5}}}, "step").empty());
  log = sample(5);
  log.rows[2][3] = std::numeric_limits<double>::quiet_NaN();
  CHECK(!contains(confidence_chart(log, "step"), "class=\"max\""));
}

TEST_CASE("labels that would cover each other are moved apart inside the plot") {
  for (std::vector<curve> const& curves :
       {std::vector<curve>{{"max", {1}}, {"median", {1}}, {"min", {1}}}, std::vector<curve>{{"max", {0}}, {"median", {0}}, {"min", {0}}}}) {
    std::string labels = end_labels(curves);
    std::vector<double> heights;
    for (std::size_t at; (at = labels.find("bottom:")) != std::string::npos; labels.erase(0, at + 7))
      heights.push_back(std::stod(labels.substr(at + 7)));
    REQUIRE(heights.size() == 3);
    for (std::size_t i = 1; i < 3; ++i) CHECK(std::abs(heights[i] - heights[i - 1]) > 7.9);
    for (double const h : heights) CHECK((h >= 0 && h <= 100));
  }
}

TEST_CASE("other figures get a small chart when they are numbers") {
  history log = sample(20);
  CHECK(contains(figure_chart(log, "replaced"), "0 to 6"));
  log.rows[3][0] = std::numeric_limits<double>::infinity();
  CHECK(figure_chart(log, "replaced").empty());
  CHECK(figure_chart(log, "nothing").empty());
}

TEST_CASE("the first step at a level is found") {
  history const log{{"median"}, {10, 20, 3000}, {{0.5}, {0.9}, {0.99999}}};
  CHECK(first_step_at(log, "median", 0.9) == "20");
  CHECK(first_step_at(log, "median", 0.9999) == "3,000");
  CHECK(first_step_at(log, "median", 1).empty());
}

}  // namespace
