// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/report/chart.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// Charts of lines with bands, made as those of a history.

namespace pareidolia::detail {

/// Errors: lines that cannot be drawn.
inline void check_chart(chart const& c) {
  for (line const& l : c.lines) {
    std::string const where = "report: chart '" + c.title + "', line '" + l.name + "': ";
    if (l.x.size() != l.y.size()) fail(where, l.x.size(), " values of x and ", l.y.size(), " of y; give as many");
    if (l.low.size() != l.high.size() || (!l.low.empty() && l.low.size() != l.y.size()))
      fail(where, "a band of ", l.low.size(), " and ", l.high.size(), " values around ", l.y.size(), " points; give one for each, or none");
    for (auto const& [name, values] : {std::pair{"x", &l.x}, std::pair{"y", &l.y}, std::pair{"low", &l.low}, std::pair{"high", &l.high}})
      for (std::size_t i = 0; i < values->size(); ++i)
        if (!std::isfinite((*values)[i])) fail(where, name, "[", i, "] is ", (*values)[i], "; give finite values");
  }
}

/// From where to where an axis goes, and its round ticks: at most six, 1, 2 or 5 times a power of ten apart.
struct round_axis {
  double low = 0, high = 1, unit = .2;

  /// Of an axis that shows all from `least` to `greatest`; one that is `whole` ends with ticks.
  round_axis(double least, double greatest, bool whole) {
    double const size = std::max(std::abs(least), std::abs(greatest));
    double const room = greatest - least > 1e-9 * size ? 0 : size > 0 ? size / 2 : .5;  // a single value stands in the middle
    low = least - room, high = greatest + room;
    double const power = std::pow(10., std::floor(std::log10((high - low) / 5)));
    unit = 10 * power;
    for (double const factor : {5., 2., 1.})
      if (factor * power * 5 >= (high - low) * (1 - 1e-9)) unit = factor * power;
    if (whole) low = unit * std::floor(low / unit + 1e-9), high = unit * std::ceil(high / unit - 1e-9);
  }

  [[nodiscard]] double percent(double v) const { return 100 * (v - low) / (high - low); }

  [[nodiscard]] std::vector<double> ticks() const {
    double const first = std::ceil(low / unit - 1e-9), last = std::floor(high / unit + 1e-9);
    std::vector<double> result;
    for (int k = 0; k < 12 && first + k <= last; ++k) result.push_back((first + k) * unit);
    return result;
  }

  /// A tick with the digits that the unit asks for.
  [[nodiscard]] std::string text(double tick) const {
    if (std::abs(tick) < unit / 2) return "0";
    double const size = std::max(std::abs(low), std::abs(high));
    if (size >= 1e9 || size < 1e-4) return general(tick);
    if (unit > .5) return grouped_signed(tick);
    return fixed(tick, std::max(0, -static_cast<int>(std::floor(std::log10(unit) + 1e-9))));
  }
};

/// The axis of what the lines have, by `parts` of each.
template <class... Parts>
[[nodiscard]] round_axis axis_of(chart const& c, bool whole, Parts const&... parts) {
  double least = INFINITY, greatest = -INFINITY;
  auto const take = [&](std::vector<double> const& values) {
    for (double const v : values) least = std::min(least, v), greatest = std::max(greatest, v);
  };
  for (line const& l : c.lines) (take(l.*parts), ...);
  return least <= greatest ? round_axis(least, greatest, whole) : round_axis(0, 1, whole);
}

/// Lines are told apart by six colours, and then by dashes.
[[nodiscard]] inline std::string line_kind(std::size_t index) { return "s" + std::to_string(index % 6) + (index < 6 ? "" : " dashed"); }

/// A chart of a report: title, note, legend and plot.
[[nodiscard]] inline std::string chart_html(chart const& c, std::string const& anchor) {
  std::string out = "<section id=\"" + anchor + "\"><h2>" + escape_html(c.title) + "</h2>";
  if (!c.note.empty()) out += "<p class=\"note\">" + escape_html(c.note) + "</p>";
  if (c.lines.empty()) return out + "</section>\n";

  round_axis const x = axis_of(c, false, &line::x), y = axis_of(c, true, &line::y, &line::low, &line::high);
  std::string legend, bands, lines, ticks;
  for (std::size_t k = 0; k < c.lines.size(); ++k) {
    line const& l = c.lines[k];
    auto const rows = drawn_rows(l.x.size());
    auto const point = [&](std::size_t row, std::vector<double> const& heights) {
      return fixed(x.percent(l.x[row]), 2) + "," + fixed(100 - y.percent(heights[row]), 2) + " ";
    };
    std::string where, around;
    for (std::size_t const row : rows) where += point(row, l.y);
    bool const dot = rows.size() == 1;
    if (dot) where += where;
    if (!l.low.empty()) {
      for (std::size_t const row : rows) around += point(row, l.high);
      for (auto row = rows.rbegin(); row != rows.rend(); ++row) around += point(*row, l.low);
      bands += "<polygon class=\"" + line_kind(k) + "\" points=\"" + around + "\"/>";
    }
    lines += polyline("line " + line_kind(k) + (dot ? " dot" : ""), where);
    legend += "<li class=\"" + line_kind(k) + "\">" + open_plot() + "<polyline class=\"line " + line_kind(k) +
              "\" points=\"0,50 100,50\"/></svg>" + escape_html(l.name) + "</li>";
  }
  for (double const t : y.ticks())
    ticks += "<span class=\"y\" style=\"bottom:" + fixed(y.percent(t), 2) + "%\"><b>" + y.text(t) + "</b></span>";
  for (double const t : x.ticks()) ticks += "<span class=\"x\" style=\"left:" + fixed(x.percent(t), 2) + "%\">" + x.text(t) + "</span>";
  return out + "<ul class=\"legend\">" + legend + "</ul><div class=\"chart lines\" role=\"img\" aria-label=\"" + escape_html(c.title) +
         "\"><p class=\"axis of-y\">" + escape_html(c.y_name) + "</p><div class=\"plot\">" + ticks + open_plot() + bands + lines +
         "</svg></div><p class=\"axis\">" + escape_html(c.x_name) + "</p></div></section>\n";
}

}  // namespace pareidolia::detail
