// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

// What objectives on scores have in common, row by row in host memory.

namespace pareidolia::detail {

/// v(i) = worth(y(i), t_i). y (count, classes), t and v (count).
template <class Worth>
void value_rows(const_score_view<space::host> y, label_view t, value_view<space::host> v, Worth const& worth) {
  for (std::size_t i = 0; i < y.shape[0]; ++i) v.data[i] = worth(y.row(i), static_cast<std::size_t>(t[i]));
}

/// The denominator of softmax: top = max_k y_k and sum = sum_k exp(y_k - top), which no score makes overflow.
struct exponentials {
  float top, sum;

  explicit exponentials(std::span<float const> y) : top(*std::max_element(y.begin(), y.end())), sum(0) {
    for (float const score : y) sum += std::exp(score - top);
  }
};

/// The best class that is not t, the first of equal ones.
[[nodiscard]] inline std::size_t best_but(std::span<float const> y, std::size_t t) {
  std::size_t best = t == 0;
  for (std::size_t k = best + 1; k < y.size(); ++k)
    if (k != t && y[k] > y[best]) best = k;
  return best;
}

inline void check_others(std::size_t classes) {
  if (classes < 2) fail("margin: the model has ", classes, " classes; a margin lies between two");
}

}  // namespace pareidolia::detail
