// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// Whether the values of one sample tend to be larger than those of another, as mann_whitney() says.
struct rank_comparison {
  double u = 0;     ///< pairs (a, b) with a > b, and half of those with a = b
  double area = 0;  ///< u / (pairs): the chance that a value of the first sample is larger, 1/2 where neither tends to be
  double z = 0;     ///< u less its mean, in standard deviations, with the correction for continuity
  double p = 1;     ///< of a |z| at least as large, if both samples came from one distribution
};

/// The rank-sum test of Mann and Whitney (1947), two-sided, by the normal approximation with the correction for ties:
///   z = (u - n m / 2 -+ 1/2) / sigma,  sigma^2 = n m / 12 ((n + m + 1) - sum_ties (t^3 - t) / ((n + m) (n + m - 1))).
/// The approximation is good from about 8 values each. Where all values are equal, p = 1.
/// Cost: that of sorting. Errors: an empty sample, a value that is not a number.
[[nodiscard]] inline rank_comparison mann_whitney(std::span<float const> a, std::span<float const> b) {
  if (a.empty() || b.empty()) detail::fail("mann_whitney: samples of ", a.size(), " and ", b.size(), " values; give at least 1 each");
  std::vector<std::pair<float, bool>> all;  // and whether it is of the first sample
  for (float v : a) all.emplace_back(v, true);
  for (float v : b) all.emplace_back(v, false);
  if (std::ranges::any_of(all, [](auto const& v) { return std::isnan(v.first); }))
    detail::fail("mann_whitney: a value is not a number; leave it out");
  std::ranges::sort(all);
  double const n = static_cast<double>(a.size()), m = static_cast<double>(b.size()), pairs = n * m;
  rank_comparison result;
  double ties = 0, below = 0;  // values of b before those looked at
  for (std::size_t first = 0, next = 0; first < all.size(); first = next) {
    double of_a = 0;
    for (; next < all.size() && all[next].first == all[first].first; ++next) of_a += all[next].second;
    double const equal = static_cast<double>(next - first), of_b = equal - of_a;
    result.u += of_a * (below + of_b / 2);
    below += of_b;
    ties += equal * equal * equal - equal;
  }
  result.area = result.u / pairs;
  double const variance = pairs / 12 * ((n + m + 1) - ties / ((n + m) * std::max(1., n + m - 1)));
  if (!(variance > 0)) return result;
  double const away = result.u - pairs / 2;
  result.z = std::copysign(std::max(0., std::abs(away) - .5), away) / std::sqrt(variance);
  result.p = std::erfc(std::abs(result.z) / std::numbers::sqrt2);
  return result;
}

}  // namespace pareidolia
