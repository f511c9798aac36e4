// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace pareidolia::detail {

/// The value below which the share q of the values is, between two of them as NumPy has it: 0.5 is the median. Values may be infinite; NaN
/// if there are none.
[[nodiscard]] inline double quantile_of(std::vector<double> values, double q) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::ranges::sort(values);
  double const place = std::clamp(q, 0., 1.) * static_cast<double>(values.size() - 1);
  auto const rank = static_cast<std::size_t>(place);
  double const share = place - static_cast<double>(rank), low = values[rank];
  if (share == 0 || low == values[rank + 1]) return low;
  return low + share * (values[rank + 1] - low);
}

}  // namespace pareidolia::detail
