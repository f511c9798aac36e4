// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// The `classes` classes of highest score, in falling order and of equals the first, without `own`.
[[nodiscard]] inline std::vector<int> highest_classes(std::span<float const> scores, std::size_t classes, int own) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  auto const first = order.begin(), last = first + static_cast<std::ptrdiff_t>(std::min(classes, order.size()));
  std::partial_sort(first, last, order.end(), [&](int a, int b) {
    float const x = scores[static_cast<std::size_t>(a)], y = scores[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  });
  order.erase(last, order.end());
  std::erase(order, own);
  return order;
}

}  // namespace pareidolia::detail
