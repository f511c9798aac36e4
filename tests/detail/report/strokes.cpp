// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/report/strokes.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia::detail;
using pareidolia_test::contains;

chart_axis const across(axis_scale::linear, 0, 10, false), up(axis_scale::linear, 0, 5, true);

drawn_plot plot_of(line const& l, chart_axis const& y = up) {
  drawn_plot plot;
  plot.add(l, "s0", across, y);
  return plot;
}

TEST_CASE("levels meet half-way between points, and reach as far beyond the first and the last") {
  CHECK(edges_between({1, 3, 9}, 5) == std::vector<double>{0, 2, 6, 12});
  CHECK(edges_between({4}, 5) == std::vector<double>{-1, 9});
  CHECK(edges_between({}, 5).empty());
}

TEST_CASE("a band is an area around a line or steps, and error bars at points") {
  line l{"l", {2, 4}, {1, 2}, {.5, 1}, {2, 3}};
  CHECK(plot_of(l).areas == "<polygon class=\"s0\" points=\"20.00,60.00 40.00,40.00 40.00,80.00 20.00,90.00 \"/>");
  CHECK(plot_of(l).lines == "<polyline class=\"line s0\" points=\"20.00,80.00 40.00,60.00 \"/>");
  l.style = line_style::steps;
  CHECK(contains(plot_of(l).areas,
                 "points=\"10.00,60.00 30.00,60.00 30.00,40.00 50.00,40.00 50.00,80.00 30.00,80.00 30.00,90.00 10.00,90.00 \""));
  CHECK(contains(plot_of(l).lines, "points=\"10.00,80.00 30.00,80.00 30.00,60.00 50.00,60.00 \""));
  l.style = line_style::points;
  CHECK(plot_of(l).areas.empty());
  CHECK(contains(plot_of(l).lines, "<path class=\"whiskers s0\" d=\"M20.00,90.00 V60.00M40.00,80.00 V40.00\"/>"));
  CHECK(contains(plot_of(l).lines, "<path class=\"dots s0\" d=\"M20.00,80.00 h0M40.00,60.00 h0\"/>"));
  CHECK(!contains(plot_of(l).lines, "<polyline"));
  l.style = line_style::joined_points;
  CHECK(contains(plot_of(l).lines, "<polyline class=\"line s0\""));
}

TEST_CASE("bars are filled down to 0, or to the end of a logarithmic axis") {
  line const l{"l", {2, 4}, {1, 2}, {}, {}, line_style::bars};
  CHECK(contains(plot_of(l).areas,
                 "<polygon class=\"bars s0\" points=\"10.00,100.00 10.00,80.00 30.00,80.00 30.00,60.00 50.00,60.00 50.00,100.00 \""));
  CHECK(contains(plot_of(l, {axis_scale::linear, -5, 5, true}).areas, "points=\"10.00,50.00 10.00,41.67"));
  CHECK(contains(plot_of(l, {axis_scale::logarithmic, .1, 10, true}).areas, "points=\"10.00,100.00 10.00,50.00"));
}

TEST_CASE("nothing to draw is drawn as nothing") {
  for (auto style : {line_style::line, line_style::points, line_style::joined_points, line_style::steps, line_style::bars}) {
    drawn_plot const plot = plot_of({"l", {}, {}, {}, {}, style});
    CHECK(plot.areas.empty());
    CHECK(!contains(plot.lines, "nan"));
    CHECK(!contains(plot.lines, "M"));
  }
}

TEST_CASE("a reference reaches the ends of the axes where it is infinite") {
  drawn_plot plot;
  plot.add_reference({"level", {-INFINITY, INFINITY}, {1, 1}}, "reference r0", across, up);
  plot.add_reference({"threshold", {5, 5}, {-INFINITY, INFINITY}}, "reference r1", across, up);
  CHECK(plot.references ==
        "<polyline class=\"reference r0\" points=\"0.00,80.00 100.00,80.00 \"/>"
        "<polyline class=\"reference r1\" points=\"50.00,100.00 50.00,0.00 \"/>");
}

TEST_CASE("the legend shows a sample of each style") {
  line l{"a & b", {}, {}};
  CHECK(contains(legend_entry(l, "s1"), "<li class=\"s1\">"));
  CHECK(contains(legend_entry(l, "s1"), "points=\"0,50 100,50\"/></svg>a &amp; b</li>"));
  l.style = line_style::points;
  CHECK(!contains(legend_entry(l, "s1"), "polyline"));
  CHECK(contains(legend_entry(l, "s1"), "d=\"M50,50h0\""));
  l.style = line_style::bars;
  CHECK(contains(legend_entry(l, "s1"), "<polygon class=\"bars s1\""));
}

}  // namespace
