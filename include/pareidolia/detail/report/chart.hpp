// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/sinks.hpp>
#include <pareidolia/detail/report/text.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// Charts of a history. Lines are SVG stretched over the plot, texts are HTML placed in percent of it, so that a chart fits any width and
// its texts keep their size.

namespace pareidolia::detail {

/// The confidence of the best image of a float softmax is at most 1 - 2^-24; the axis ends a little above it.
constexpr double most_nines = 7.3;

/// Number of nines of a confidence p: -log10(1 - p). 0.5 is 0.3, 0.99 is 2, 0.9999 is 4.
[[nodiscard]] inline double nines_of(double p) {
  double const doubt = 1 - p;
  return doubt > std::pow(10., -most_nines) ? std::max(0., -std::log10(doubt)) : most_nines;
}

/// One curve of a chart; values are in [0, 1] of the plot's height.
struct curve {
  std::string name;
  std::vector<double> heights;
};

/// Rows of a history that are drawn: all of them, or about 400 evenly spread ones, with the first and the last.
[[nodiscard]] inline std::vector<std::size_t> drawn_rows(std::size_t count) {
  constexpr std::size_t most = 400;
  std::vector<std::size_t> rows;
  std::size_t const drawn = std::min(count, most);
  for (std::size_t i = 0; i < drawn; ++i) rows.push_back(drawn == 1 ? 0 : i * (count - 1) / (drawn - 1));
  return rows;
}

/// The plot's axis of steps: from the first to the last.
struct step_axis {
  double first = 0, last = 1;

  explicit step_axis(std::vector<std::size_t> const& steps)
      : first(static_cast<double>(steps.front())), last(static_cast<double>(steps.back())) {}

  [[nodiscard]] double percent(double step) const { return last > first ? 100 * (step - first) / (last - first) : 50; }

  /// At most six round numbers.
  [[nodiscard]] std::vector<double> ticks() const {
    double unit = 1;
    for (int i = 0; (last - first) / unit > 5; ++i) unit *= i % 3 == 1 ? 2.5 : 2;  // 1 2 5 10 20 50 ...
    std::vector<double> result;
    for (double t = std::ceil(first / unit) * unit; t <= last; t += unit) result.push_back(t);
    return result;
  }
};

[[nodiscard]] inline std::string points(history const& log, step_axis const& axis, std::vector<double> const& heights) {
  std::string out;
  for (std::size_t const row : drawn_rows(log.steps.size()))
    out += fixed(axis.percent(static_cast<double>(log.steps[row])), 2) + "," + fixed(100 - 100 * heights[row], 2) + " ";
  return out;
}

[[nodiscard]] inline std::string polyline(std::string const& kind, std::string const& where) {
  return "<polyline class=\"" + kind + "\" points=\"" + where + "\"/>";
}

/// The area between two curves.
[[nodiscard]] inline std::string band(history const& log, step_axis const& axis, curve const& low, curve const& high) {
  std::string out = "<polygon points=\"" + points(log, axis, high.heights);
  auto rows = drawn_rows(log.steps.size());
  std::reverse(rows.begin(), rows.end());
  for (std::size_t const row : rows)
    out += fixed(axis.percent(static_cast<double>(log.steps[row])), 2) + "," + fixed(100 - 100 * low.heights[row], 2) + " ";
  return out + "\"/>";
}

[[nodiscard]] inline std::string open_plot() { return "<svg viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"; }

[[nodiscard]] inline std::string step_ticks(step_axis const& axis) {
  std::string out;
  for (double const t : axis.ticks())
    out += "<span class=\"x\" style=\"left:" + fixed(axis.percent(t), 2) + "%\">" + grouped(static_cast<std::size_t>(t)) + "</span>";
  return out;
}

/// The names of the curves at their right ends, moved apart where they would cover each other.
[[nodiscard]] inline std::string end_labels(std::vector<curve> const& curves) {
  constexpr double apart = 0.08;
  std::vector<std::pair<double, std::string>> labels;
  for (curve const& c : curves) labels.emplace_back(c.heights.back(), c.name);
  std::stable_sort(labels.begin(), labels.end(), [](auto const& a, auto const& b) { return a.first > b.first; });
  double room = 1;
  for (auto& [height, name] : labels) room = (height = std::min(height, room)) - apart;
  room = 0;
  std::string out;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
    label->first = std::max(label->first, room);
    room = label->first + apart;
    out += "<span class=\"end " + label->second + "\" style=\"bottom:" + fixed(100 * label->first, 2) + "%\">" + label->second + "</span>";
  }
  return out;
}

/// Confidence over steps, on an axis that counts nines: 0.99 and 0.9999 are as far apart as 0 and 0.99. Of the curves min, median and max
/// those are drawn that the history has with all values in [0, 1]; empty if it has no median.
[[nodiscard]] inline std::string confidence_chart(history const& log, std::string const& step_name) {
  std::vector<curve> curves;
  double top = 2;
  for (char const* name : {"max", "median", "min"}) {
    auto values = log.column(name);
    bool const is_confidence = !values.empty() && std::all_of(values.begin(), values.end(), [](double v) { return v >= 0 && v <= 1; });
    if (!is_confidence) continue;
    for (double& v : values) top = std::max(top, v = nines_of(v));
    curves.push_back({name, std::move(values)});
  }
  auto const named = [&](char const* name) {
    return std::find_if(curves.begin(), curves.end(), [&](curve const& c) { return c.name == name; });
  };
  if (named("median") == curves.end()) return {};
  top = std::min(std::ceil(top + 0.05), most_nines);
  for (curve& c : curves)
    for (double& height : c.heights) height /= top;

  step_axis const axis(log.steps);
  std::string lines = open_plot();
  if (named("min") != curves.end() && named("max") != curves.end()) lines += band(log, axis, *named("min"), *named("max"));
  for (curve const& c : curves) lines += polyline(c.name, points(log, axis, c.heights));
  lines += "</svg>";
  std::string ticks;
  bool const crowded = top > 4;  // 0 would touch 0.5
  constexpr std::pair<double, char const*> levels[] = {{0, "0"},         {0.5, "0.5"},       {0.9, "0.9"},         {0.99, "0.99"},
                                                       {0.999, "0.999"}, {0.9999, "0.9999"}, {0.99999, "0.99999"}, {0.999999, "0.999999"}};
  for (auto const& [level, label] : levels)
    if (nines_of(level) <= top + 1e-9)
      ticks += "<span class=\"y\" style=\"bottom:" + fixed(100 * nines_of(level) / top, 2) + "%\"><b>" +
               (crowded && level == 0 ? "" : label) + "</b></span>";
  return "<div class=\"chart\" role=\"img\" aria-label=\"Confidence over steps\"><div class=\"plot\">" + ticks + lines +
         end_labels(curves) + step_ticks(axis) + "</div><p class=\"axis\">" + escape_html(step_name) + "</p></div>";
}

/// A small chart of one other column, from 0 or its smallest value to its largest.
[[nodiscard]] inline std::string figure_chart(history const& log, std::string const& name) {
  std::vector<double> values = log.column(name);
  if (values.size() < 2 || !std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); })) return {};
  auto const [smallest, largest] = std::minmax_element(values.begin(), values.end());
  double const low = std::min(0., *smallest), high = *largest > low ? *largest : low + 1, last = values.back();
  for (double& v : values) v = (v - low) / (high - low);
  return "<figure class=\"spark\"><figcaption>" + escape_html(name) + " <b>" + general(last) + "</b><small>" + general(low) + " to " +
         general(high) + "</small></figcaption>" + open_plot() + polyline("median", points(log, step_axis(log.steps), values)) +
         "</svg></figure>";
}

/// The first step in which a column reached a level, or nothing.
[[nodiscard]] inline std::string first_step_at(history const& log, std::string const& column, double level) {
  auto const values = log.column(column);
  auto const found = std::find_if(values.begin(), values.end(), [&](double v) { return v >= level; });
  return found == values.end() ? "" : grouped(log.steps[static_cast<std::size_t>(found - values.begin())]);
}

}  // namespace pareidolia::detail
