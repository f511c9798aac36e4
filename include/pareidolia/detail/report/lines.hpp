// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/report/axes.hpp>
#include <pareidolia/detail/report/strokes.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

// Charts of lines with bands, made as those of a history.

namespace pareidolia::detail {

/// Errors: lines that cannot be drawn.
inline void check_chart(chart const& c) {
  auto const check = [&](line const& l, bool reference) {
    std::string const where = "report: chart '" + c.title + (reference ? "', reference '" : "', line '") + l.name + "': ";
    if (l.x.size() != l.y.size()) fail(where, l.x.size(), " values of x and ", l.y.size(), " of y; give as many");
    if (l.low.size() != l.high.size() || (!l.low.empty() && l.low.size() != l.y.size()))
      fail(where, "a band of ", l.low.size(), " and ", l.high.size(), " values around ", l.y.size(), " points; give one for each, or none");
    if (reference && (!l.low.empty() || l.style != line_style::line)) fail(where, "a band or a style; references have none");
    if (l.style == line_style::bars && !l.low.empty()) fail(where, "bars have no band; take steps, or leave it out");
    if (has_levels(l) && std::ranges::adjacent_find(l.x, std::greater_equal{}) != l.x.end())
      fail(where, "x does not rise; sort the points of steps and bars");
    auto const check_values = [&](char const* name, std::vector<double> const& values, axis_scale scale) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i]) && !(reference && std::isinf(values[i])))
          fail(where, name, "[", i, "] is ", values[i], "; give finite values");
        if (scale == axis_scale::logarithmic && std::isfinite(values[i]) && !(values[i] > 0))
          fail(where, name, "[", i, "] is ", values[i], " on a logarithmic axis; give positive values");
      }
    };
    check_values("x", l.x, c.x_scale);
    check_values("y", l.y, c.y_scale);
    check_values("low", l.low, c.y_scale);
    check_values("high", l.high, c.y_scale);
  };
  for (auto const& [name, values, scale] : {std::tuple{"x_shown", &c.x_shown, c.x_scale}, std::tuple{"y_shown", &c.y_shown, c.y_scale}})
    for (double const v : *values)
      if (!std::isfinite(v) || (scale == axis_scale::logarithmic && !(v > 0)))
        fail("report: chart '", c.title, "': ", name, " has the value ", v, ", which the axis cannot show");
  for (line const& l : c.lines) check(l, false);
  for (line const& l : c.references) check(l, true);
}

/// What an axis has to show.
struct value_range {
  double least = INFINITY, greatest = -INFINITY;

  void take(double v) {
    if (std::isfinite(v)) least = std::min(least, v), greatest = std::max(greatest, v);
  }
  void take(std::vector<double> const& values) {
    for (double const v : values) take(v);
  }
  [[nodiscard]] chart_axis axis(axis_scale scale, bool whole) const {
    if (least <= greatest) return {scale, least, greatest, whole};
    return {scale, scale == axis_scale::linear ? 0. : 1., scale == axis_scale::linear ? 1. : 10., whole};
  }
};

/// The axis from left to right: what the lines have, with room for points and levels at the ends.
[[nodiscard]] inline chart_axis x_axis_of(chart const& c) {
  bool const logarithmic = c.x_scale == axis_scale::logarithmic;
  auto const place = [&](double v) { return logarithmic ? std::log10(v) : v; };
  auto const value = [&](double at) { return logarithmic ? std::pow(10., at) : at; };
  value_range range;
  range.take(c.x_shown);
  for (line const& l : c.lines) range.take(l.x);
  for (line const& l : c.references) range.take(l.x);
  if (std::ranges::any_of(c.lines, has_points) && range.least < range.greatest) {
    double const low = place(range.least), high = place(range.greatest), room = .03 * (high - low);
    range.take(value(low - room)), range.take(value(high + room));
  }
  for (line const& l : c.lines)
    if (has_levels(l) && l.x.size() > 1) {
      std::vector<double> places(l.x.size());
      std::ranges::transform(l.x, places.begin(), place);
      auto const edges = edges_between(places, 0);
      range.take(value(edges.front())), range.take(value(edges.back()));
    }
  return range.axis(c.x_scale, false);
}

/// The axis from bottom to top, which ends with ticks; bars stand on 0.
[[nodiscard]] inline chart_axis y_axis_of(chart const& c) {
  value_range range;
  range.take(c.y_shown);
  for (line const& l : c.lines) {
    range.take(l.y), range.take(l.low), range.take(l.high);
    if (l.style == line_style::bars && c.y_scale == axis_scale::linear) range.take(0);
  }
  for (line const& l : c.references) range.take(l.y);
  return range.axis(c.y_scale, true);
}

/// A chart of a report: title, note, legend and plot.
[[nodiscard]] inline std::string chart_html(chart const& c, std::string const& anchor) {
  std::string out = "<section id=\"" + anchor + "\"><h2>" + escape_html(c.title) + "</h2>";
  if (!c.note.empty()) out += "<p class=\"note\">" + escape_html(c.note) + "</p>";
  if (c.lines.empty()) return out + "</section>\n";

  chart_axis const x = x_axis_of(c), y = y_axis_of(c);
  drawn_plot plot;
  std::string legend, ticks;
  for (std::size_t k = 0; k < c.lines.size(); ++k) {
    plot.add(c.lines[k], line_kind(k), x, y);
    legend += legend_entry(c.lines[k], line_kind(k));
  }
  for (std::size_t k = 0; k < c.references.size(); ++k) {
    std::string const kind = reference_kind(k), &name = c.references[k].name;
    plot.add_reference(c.references[k], kind, x, y);
    if (!name.empty()) legend += legend_entry(name, kind, polyline(kind, "0,50 100,50"));
  }
  for (axis_tick const& t : y.ticks)
    ticks += "<span class=\"y" + std::string(t.text.empty() ? " small" : "") + "\" style=\"bottom:" + fixed(y.percent(t.value), 2) +
             "%\">" + (t.text.empty() ? "" : "<b>" + t.text + "</b>") + "</span>";
  for (axis_tick const& t : x.ticks)
    ticks += "<span class=\"x" + std::string(t.text.empty() ? " small" : "") + "\" style=\"left:" + fixed(x.percent(t.value), 2) + "%\">" +
             t.text + "</span>";
  return out + "<ul class=\"legend\">" + legend + "</ul><div class=\"chart lines" + (c.square ? " square" : "") +
         "\" role=\"img\" aria-label=\"" + escape_html(c.title) + "\"><p class=\"axis of-y\">" + escape_html(c.y_name) +
         "</p><div class=\"plot\">" + ticks + open_plot() + plot.areas + plot.references + plot.lines + "</svg></div><p class=\"axis\">" +
         escape_html(c.x_name) + "</p></div></section>\n";
}

}  // namespace pareidolia::detail
