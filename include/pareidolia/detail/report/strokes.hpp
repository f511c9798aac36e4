// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/report/axes.hpp>
#include <pareidolia/detail/report/chart.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// Lines of charts in SVG, in each of their styles.

namespace pareidolia::detail {

[[nodiscard]] inline bool has_points(line const& l) { return l.style == line_style::points || l.style == line_style::joined_points; }
[[nodiscard]] inline bool has_levels(line const& l) { return l.style == line_style::steps || l.style == line_style::bars; }

/// Lines are told apart by six colours, and then by dashes.
[[nodiscard]] inline std::string line_kind(std::size_t index) { return "s" + std::to_string(index % 6) + (index < 6 ? "" : " dashed"); }

/// References are told apart by three kinds of dashes.
[[nodiscard]] inline std::string reference_kind(std::size_t index) { return "reference r" + std::to_string(index % 3); }

/// Where levels of points at these places begin and end: half-way between them, and as far on the other side of the first and the last;
/// a single one reaches as far as `alone` to both sides.
[[nodiscard]] inline std::vector<double> edges_between(std::vector<double> const& places, double alone) {
  std::size_t const n = places.size();
  if (n == 0) return {};
  if (n == 1) return {places[0] - alone, places[0] + alone};
  std::vector<double> edges{(3 * places[0] - places[1]) / 2};
  for (std::size_t i = 0; i + 1 < n; ++i) edges.push_back((places[i] + places[i + 1]) / 2);
  edges.push_back((3 * places[n - 1] - places[n - 2]) / 2);
  return edges;
}

/// A line in percent of the plot, from the left and from the top; levels have two points each.
struct drawn_line {
  std::vector<double> x = {}, y = {}, low = {}, high = {};

  drawn_line(line const& l, chart_axis const& across, chart_axis const& up) {
    for (std::size_t const row : drawn_rows(l.x.size())) {
      x.push_back(across.percent(l.x[row]));
      y.push_back(100 - up.percent(l.y[row]));
      if (l.low.empty()) continue;
      low.push_back(100 - up.percent(l.low[row]));
      high.push_back(100 - up.percent(l.high[row]));
    }
    if (!has_levels(l)) return;
    auto const edges = edges_between(x, 10);
    x.clear();
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) x.insert(x.end(), {edges[i], edges[i + 1]});
    for (auto* heights : {&y, &low, &high}) {
      std::vector<double> twice;
      for (double const h : *heights) twice.insert(twice.end(), {h, h});
      *heights = std::move(twice);
    }
  }

  [[nodiscard]] std::string point(std::size_t i, std::vector<double> const& heights) const {
    return fixed(x[i], 2) + "," + fixed(heights[i], 2) + " ";
  }
  [[nodiscard]] std::string along(std::vector<double> const& heights) const {
    std::string out;
    for (std::size_t i = 0; i < x.size(); ++i) out += point(i, heights);
    return out;
  }
  /// Along the upper side of the band and back along the lower one.
  [[nodiscard]] std::string around() const {
    std::string out = along(high);
    for (std::size_t i = x.size(); i-- > 0;) out += point(i, low);
    return out;
  }
};

[[nodiscard]] inline std::string polygon(std::string const& kind, std::string const& where) {
  return "<polygon class=\"" + kind + "\" points=\"" + where + "\"/>";
}
[[nodiscard]] inline std::string strokes(std::string const& kind, std::string const& where) {
  return "<path class=\"" + kind + "\" d=\"" + where + "\"/>";
}

/// The lines of a plot, in the order in which they cover each other.
struct drawn_plot {
  std::string areas, references, lines;

  void add(line const& l, std::string const& kind, chart_axis const& across, chart_axis const& up) {
    drawn_line const d(l, across, up);
    std::size_t const n = d.x.size();
    if (has_points(l)) {
      std::string dots, whiskers;
      for (std::size_t i = 0; i < n; ++i) {
        dots += "M" + d.point(i, d.y) + "h0";
        if (!d.low.empty()) whiskers += "M" + d.point(i, d.low) + "V" + fixed(d.high[i], 2);
      }
      lines += strokes("whiskers " + kind, whiskers);
      if (l.style == line_style::joined_points) lines += polyline("line " + kind, d.along(d.y));
      lines += strokes("dots " + kind, dots);
    } else if (l.style == line_style::bars && n != 0) {
      std::string const base = fixed(up.logarithmic ? 100 : 100 - up.percent(0), 2);
      std::string const outline = fixed(d.x.front(), 2) + "," + base + " " + d.along(d.y) + fixed(d.x.back(), 2) + "," + base + " ";
      areas += polygon("bars " + kind, outline);
      lines += polyline("line outline " + kind, outline);
    } else {
      if (!d.low.empty()) areas += polygon(kind, d.around());
      std::string const where = d.along(d.y);
      lines += n == 1 ? polyline("line " + kind + " dot", where + where) : polyline("line " + kind, where);
    }
  }

  void add_reference(line const& l, std::string const& kind, chart_axis const& across, chart_axis const& up) {
    drawn_line const d(l, across, up);
    references += polyline(kind, d.along(d.y));
  }
};

/// A name beside a sample of what it names.
[[nodiscard]] inline std::string legend_entry(std::string const& name, std::string const& kind, std::string const& sample) {
  return "<li class=\"" + kind + "\">" + open_plot() + sample + "</svg>" + escape_html(name) + "</li>";
}
[[nodiscard]] inline std::string legend_entry(line const& l, std::string const& kind) {
  std::string sample;
  if (l.style == line_style::bars)
    sample = polygon("bars " + kind, "10,0 90,0 90,100 10,100") + polyline("line outline " + kind, "10,100 10,0 90,0 90,100");
  else if (l.style != line_style::points)
    sample = polyline("line " + kind, "0,50 100,50");
  if (has_points(l)) sample += strokes("dots " + kind, "M50,50h0");
  return legend_entry(l.name, kind, sample);
}

}  // namespace pareidolia::detail
