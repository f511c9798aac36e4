// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/detail/report/hanging.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {
namespace detail {

/// A figure in a table: three digits, and near 1 the first two that differ, so that 1.00034 is not shown as 1; - if it is
/// not a number.
[[nodiscard]] inline std::string figure_text(double v) {
  if (std::isnan(v)) return "-";
  double const excess = std::abs(v - 1);
  if (!(excess > 1e-9 && excess < .00995)) return scale_number(v);
  return fixed(v, 1 + static_cast<int>(std::ceil(-std::log10(excess) - 1e-9)));
}

}  // namespace detail

/// The figures of a probe on several models: a row for each model, a column for each figure, in the order in which they come; - where a
/// model has no such figure, or it is not a number.
template <class R>
[[nodiscard]] table table_of(std::string title, std::vector<measurement<R>> const& found) {
  table t{std::move(title), {}, {"model"}};
  for (auto const& one : found) {
    t.rows.push_back({one.model});
    for (auto const& [name, value] : one.result.figures()) {
      auto const column = static_cast<std::size_t>(std::find(t.columns.begin() + 1, t.columns.end(), name) - t.columns.begin());
      if (column == t.columns.size()) t.columns.push_back(name);
      t.rows.back().resize(std::max(t.rows.back().size(), column + 1), "-");
      t.rows.back()[column] = detail::figure_text(value);
    }
  }
  for (auto& row : t.rows) row.resize(t.columns.size(), "-");
  return t;
}

}  // namespace pareidolia
