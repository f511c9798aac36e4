// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace pareidolia::detail {

/// What one output pixel takes from a line of input pixels: weights[k] of pixel first + k.
struct resize_tap {
  std::size_t first;
  std::vector<double> weights;
};

/// The taps of each of `to` output pixels on `from` input pixels.
[[nodiscard]] inline std::vector<resize_tap> resize_taps(std::size_t from, std::size_t to) {
  double const scale = static_cast<double>(from) / static_cast<double>(to), support = std::max(scale, 1.);
  std::vector<resize_tap> taps(to);
  for (std::size_t i = 0; i < to; ++i) {
    double const centre = (static_cast<double>(i) + 0.5) * scale, last = static_cast<double>(from);
    taps[i].first = static_cast<std::size_t>(std::max(std::floor(centre - support + 0.5), 0.));
    auto const end = static_cast<std::size_t>(std::min(std::floor(centre + support + 0.5), last));
    double sum = 0;
    for (std::size_t j = taps[i].first; j < end; ++j) {
      double const w = std::max(1 - std::abs(static_cast<double>(j) + 0.5 - centre) / support, 0.);
      taps[i].weights.push_back(w);
      sum += w;
    }
    for (double& w : taps[i].weights) w /= sum;
  }
  return taps;
}

}  // namespace pareidolia::detail
