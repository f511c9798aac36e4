// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/io/findings.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// Numbers of one kind, such as a statistic of many images.
struct sample {
  std::string name;
  std::vector<double> values;
};

/// How the values of samples are spread: a histogram of each, in the same parts of the axis, as shares of the sample; bars where there are
/// at most two, which can be told apart where they overlap, and steps otherwise.
///
/// Values that are not finite are left out. The axis reaches from the 1 % to the 99 % quantile of all samples together, and what is beyond
/// is counted in the outermost part, so that a few outliers do not press the rest together. Errors: no parts.
///
///     page.charts.push_back(histogram_of("Detector", "statistic", {{"natural", clean}, {"DeepFool", perturbed}}));
[[nodiscard]] inline chart histogram_of(std::string title, std::string x_name, std::vector<sample> const& samples, std::size_t bins = 25) {
  if (bins == 0) detail::fail("histogram_of: bins is 0; give at least 1");
  chart c{std::move(title), {}, std::move(x_name), "share"};
  std::vector<double> all;
  for (sample const& s : samples) std::ranges::copy_if(s.values, std::back_inserter(all), [](double v) { return std::isfinite(v); });
  double low = detail::quantile_of(all, .01), high = detail::quantile_of(all, .99);
  if (!(high > low)) {
    double const room = low == 0 || all.empty() ? .5 : std::abs(low) / 2;
    low = (all.empty() ? 0 : low) - room, high = low + 2 * room;
  }
  auto const parts = static_cast<double>(bins);
  line_style const style = samples.size() > 2 ? line_style::steps : line_style::bars;
  for (sample const& s : samples) {
    line l{s.name, std::vector<double>(bins), std::vector<double>(bins), {}, {}, style};
    for (std::size_t k = 0; k < bins; ++k) l.x[k] = low + (high - low) * (static_cast<double>(k) + .5) / parts;
    auto const counted = static_cast<double>(std::ranges::count_if(s.values, [](double v) { return std::isfinite(v); }));
    for (double const v : s.values)
      if (std::isfinite(v)) l.y[static_cast<std::size_t>(std::clamp((v - low) / (high - low) * parts, 0., parts - 1))] += 1 / counted;
    c.lines.push_back(std::move(l));
  }
  return c;
}

}  // namespace pareidolia
