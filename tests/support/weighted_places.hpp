// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encodings/patch.hpp>

#include <support/analytic_models.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

// Patches whose worth at every place is known.

namespace pareidolia_test {

using namespace pareidolia;

/// Black images of 8 x 8 pixels and bright patches of 2 x 2: one of brightness b at the cell (row, column) of a 4 x 4 grid adds
/// b weight(row, column) to the score of class 1 (exactly: all are small multiples of 1/8). That of class 0 is the threshold.
struct weighted_places {
  std::vector<float> weights;     // (4, 4)
  std::vector<float> brightness;  // of the patches
  float threshold = 1;
  std::vector<int> evokes = {};

  [[nodiscard]] plane_model model() const {
    plane_model m{.shape = {1, 8, 8}, .w = {std::vector<double>(64), std::vector<double>(64)}, .b = {double{threshold}, 0}};
    for (std::size_t y = 0; y < 8; ++y)
      for (std::size_t x = 0; x < 8; ++x) m.w[1][y * 8 + x] = double{weights[y / 2 * 4 + x / 2]} / 4;
    return m;
  }
  /// Lists of its patches, side by side.
  [[nodiscard]] patch encoding(std::size_t copies = 8) const { return {.sources = sources(), .copies = copies, .overlap = false}; }
  [[nodiscard]] patches sources() const {
    auto images = filled<float, 4>({brightness.size(), 1, 2, 2});
    std::vector<patch_window> windows;
    for (std::size_t k = 0; k < brightness.size(); ++k) {
      std::fill_n(&images(k, 0, 0, 0), 4, brightness[k]);
      windows.push_back({k, 0, 0, 2, 2});
    }
    return patches(std::move(images), std::move(windows), evokes);
  }
  [[nodiscard]] labelled_images black(std::size_t n, int label = 0) const {
    return {filled<float, 4>({n, 1, 8, 8}), std::vector<int>(n, label)};
  }

  /// Lead of class 1 with copies on cells.
  [[nodiscard]] double value(std::span<placement const> list) const {
    double sum = -double{threshold};
    for (placement const& p : list)
      if (p.source != placement::none)
        sum += double{brightness[p.source]} * double{weights[static_cast<std::size_t>(p.top / 2 * 4 + p.left / 2)]};
    return sum;
  }
};

/// Weights 1/8, 2/8, ... 16/8 in an order that no scan follows.
[[nodiscard]] inline std::vector<float> scrambled_weights() {
  std::vector<float> w;
  for (std::size_t k = 0; k < 16; ++k) w.push_back(static_cast<float>((7 * k + 3) % 16 + 1) / 8);
  return w;
}

}  // namespace pareidolia_test
