// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace pareidolia {

/// The receiver operating characteristic of a detector that fires where its statistic is above a threshold: one point for each threshold
/// that makes a difference, from (0, 0) to (1, 1).
struct roc {
  std::vector<double> thresholds;                     ///< falling; the last is -infinity, above which all are
  std::vector<double> false_positive, true_positive;  ///< rising; share of the negatives, and of the positives, above each threshold
  double area = 0;                                    ///< below the curve

  /// The largest share of the positives that is found while at most `rate` of the negatives are taken for positives.
  [[nodiscard]] double true_positive_at(double rate) const {
    auto const past = std::ranges::upper_bound(false_positive, rate);
    return past == false_positive.begin() ? 0 : true_positive[static_cast<std::size_t>(past - false_positive.begin()) - 1];
  }
};

/// The characteristic of a statistic, from its values where there was nothing to find, and where there was.
///
/// area = P(n < p) + P(n = p) / 2 for a negative n and a positive p, the statistic of Mann and Whitney: 1/2 where it tells nothing, less
/// where it has the wrong sign. Values may be infinite. Cost: that of sorting. Errors: no values, a value that is not a number.
[[nodiscard]] inline roc roc_curve(std::span<double const> negatives, std::span<double const> positives) {
  auto const falling = [](std::span<double const> values, char const* which) {
    if (values.empty()) detail::fail("roc_curve: there are no ", which, "; give at least one");
    if (std::ranges::any_of(values, [](double v) { return std::isnan(v); }))
      detail::fail("roc_curve: one of the ", which, " is not a number; leave it out");
    std::vector<double> sorted(values.begin(), values.end());
    std::ranges::sort(sorted, std::greater<>{});
    return sorted;
  };
  auto const n = falling(negatives, "negatives"), p = falling(positives, "positives");
  auto const share = [](std::size_t part, std::size_t all) { return static_cast<double>(part) / static_cast<double>(all); };
  roc result{{std::max(n.front(), p.front())}, {0}, {0}, 0};
  for (std::size_t i = 0, j = 0; i < n.size() || j < p.size();) {
    double const value = i == n.size() ? p[j] : j == p.size() ? n[i] : std::max(n[i], p[j]);
    while (i < n.size() && n[i] == value) ++i;
    while (j < p.size() && p[j] == value) ++j;
    constexpr double none = -std::numeric_limits<double>::infinity();
    result.thresholds.push_back(std::max(i < n.size() ? n[i] : none, j < p.size() ? p[j] : none));
    double const x = share(i, n.size()), y = share(j, p.size());
    result.area += (x - result.false_positive.back()) * (y + result.true_positive.back()) / 2;
    result.false_positive.push_back(x);
    result.true_positive.push_back(y);
  }
  return result;
}

}  // namespace pareidolia
