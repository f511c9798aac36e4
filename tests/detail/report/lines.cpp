// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/report/lines.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia::detail;
using pareidolia_test::contains;
using pareidolia_test::error_of;

chart of_lines(std::vector<line> lines) { return {"c", {}, "x", "y", std::move(lines)}; }

TEST_CASE("axes have room for points and levels at their ends, and nothing else has") {
  chart c = of_lines({{"l", {0, 1, 2}, {3, 4, 5}}});
  CHECK(x_axis_of(c).low == 0);
  CHECK(x_axis_of(c).high == 2);
  c.lines[0].style = line_style::steps;
  CHECK(x_axis_of(c).low == doctest::Approx(-.5));
  CHECK(x_axis_of(c).high == doctest::Approx(2.5));
  c.lines[0].style = line_style::points;
  CHECK(x_axis_of(c).low == doctest::Approx(-.06));
  CHECK(x_axis_of(c).high == doctest::Approx(2.06));
  CHECK(y_axis_of(c).low == 3);
  c.lines[0].style = line_style::bars;
  CHECK(y_axis_of(c).low == 0);

  chart logarithmic = of_lines({{"l", {1, 10, 100}, {1, 1, 1}, {}, {}, line_style::bars}});
  logarithmic.x_scale = axis_scale::logarithmic;
  CHECK(x_axis_of(logarithmic).low == doctest::Approx(-.5));
  CHECK(x_axis_of(logarithmic).high == doctest::Approx(2.5));
}

TEST_CASE("axes show all of the references, as far as they are finite") {
  chart c = of_lines({{"l", {0, 1}, {3, 4}}});
  c.references = {{"", {-INFINITY, 3}, {1, 1}}};
  CHECK(x_axis_of(c).low == 0);
  CHECK(x_axis_of(c).high == 3);
  CHECK(y_axis_of(c).low == 1);
}

TEST_CASE("axes show what they are told to besides") {
  chart c = of_lines({{"l", {1, 2}, {.5, .6}}});
  c.x_shown = {5}, c.y_shown = {0, 1};
  CHECK(x_axis_of(c).low == 1);
  CHECK(x_axis_of(c).high == 5);
  CHECK(y_axis_of(c).low == 0);
  CHECK(y_axis_of(c).high == 1);
}

TEST_CASE("references are drawn behind the lines and named below them, if they have a name") {
  chart c = of_lines({{"l", {0, 1}, {0, 1}}});
  c.references = {{"chance", {0, 1}, {0, 1}}, {"", {0, 1}, {1, 1}}};
  std::string const html = chart_html(c, "a");
  CHECK(html.rfind("reference r0") < html.rfind("line s0"));
  CHECK(contains(html, "</svg>chance</li></ul>"));
  CHECK(contains(html, "<polyline class=\"reference r1\""));
  CHECK(!contains(html, "square"));
  c.square = true;
  CHECK(contains(chart_html(c, "a"), "class=\"chart lines square\""));
}

TEST_CASE("a logarithmic axis has small ticks without numbers") {
  chart c = of_lines({{"l", {1, 10, 100}, {1, 2, 3}}});
  CHECK(!contains(chart_html(c, "a"), "small"));
  c.x_scale = axis_scale::logarithmic;
  std::string const html = chart_html(c, "a");
  CHECK(contains(html, "points=\"0.00,100.00 50.00,50.00 100.00,0.00 \""));
  CHECK(contains(html, "<span class=\"x small\" style=\"left:15.05%\"></span>"));
  CHECK(contains(html, "<span class=\"x\" style=\"left:50.00%\">10</span>"));
  CHECK(!contains(html, "y small"));
}

TEST_CASE("an axis without values is an axis") {
  chart c = of_lines({{"none", {}, {}}});
  c.x_scale = c.y_scale = axis_scale::logarithmic;
  CHECK(!contains(chart_html(c, "a"), "nan"));
  CHECK(!contains(chart_html(c, "a"), "inf"));
}

TEST_CASE("lines that cannot be drawn are one error") {
  auto const error_with = [](auto const& spoil) {
    chart c = of_lines({{"l", {1, 2}, {3, 4}, {2, 3}, {4, 5}}});
    spoil(c);
    return error_of([&] { check_chart(c); });
  };
  using enum axis_scale;
  CHECK(contains(error_with([](chart& c) { c.x_scale = logarithmic, c.lines[0].x[0] = 0; }),
                 "report: chart 'c', line 'l': x[0] is 0 on a logarithmic axis; give positive values"));
  CHECK(contains(error_with([](chart& c) { c.y_scale = logarithmic, c.lines[0].low[1] = -1; }), "low[1] is -1 on a logarithmic axis"));
  CHECK(contains(error_with([](chart& c) { c.lines[0].style = line_style::bars; }), "bars have no band"));
  CHECK(contains(error_with([](chart& c) { c.lines[0].style = line_style::steps, c.lines[0].x[1] = 1; }), "x does not rise"));
  CHECK(contains(error_with([](chart& c) { c.references = {{"r", {1, NAN}, {1, 1}}}; }), "reference 'r': x[1] is nan"));
  CHECK(contains(error_with([](chart& c) { c.references = {{"r", {1}, {1, 1}}}; }), "1 values of x and 2 of y"));
  CHECK(contains(error_with([](chart& c) { c.references = c.lines; }), "reference 'l': a band or a style; references have none"));
  CHECK(contains(error_with([](chart& c) { c.x_shown = {NAN}; }), "report: chart 'c': x_shown has the value nan"));
  CHECK(contains(error_with([](chart& c) { c.y_scale = logarithmic, c.y_shown = {0}; }), "y_shown has the value 0, which the axis cannot"));
  CHECK(error_with([](chart& c) { c.references = {{"r", {-INFINITY, INFINITY}, {1, 1}}}, c.x_scale = logarithmic; }) == "no error");
}

}  // namespace
