// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/resize_taps.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace pareidolia {

/// An image (channels, height, width) at another size, by the triangle filter whose support grows with the reduction.
///
/// Along each axis, from m to n pixels, with r = m / n, s = max(r, 1) and c_i = (i + 1/2) r, in pixels of the input:
///
///   y_i = sum_j w_ij x_j / sum_j w_ij,   w_ij = max(0, 1 - |j + 1/2 - c_i| / s),   0 <= j < m
///
/// That is bilinear interpolation when enlarging and an antialiased mean when reducing, the filter of Pillow's Image.BILINEAR, without its
/// rounding to 8 bits. Weights add up to 1, so [0, 1] stays [0, 1] up to rounding and the same size returns the same values.
/// Cost: channels (m_h n_w s_w + n_h n_w s_h) times two products. Errors: an empty image or an extent of 0.
[[nodiscard]] inline tensor<float, 3> resize(view<float const, 3> image, std::size_t height, std::size_t width) {
  auto const [channels, rows, columns] = image.shape;
  if (image.size() == 0) detail::fail("resize: the image is ", channels, "x", rows, "x", columns, "; give one with pixels");
  if (height == 0 || width == 0) detail::fail("resize: the size ", height, "x", width, " has no pixels; extents must be at least 1");

  auto narrow = filled<float, 3>({channels, rows, width});
  auto const across = detail::resize_taps(columns, width);
  for (std::size_t line = 0; line < channels * rows; ++line)
    for (std::size_t x = 0; x < width; ++x) {
      float const* const from = image.data + line * columns + across[x].first;
      double sum = 0;
      for (std::size_t k = 0; k < across[x].weights.size(); ++k) sum += across[x].weights[k] * static_cast<double>(from[k]);
      narrow.data()[line * width + x] = static_cast<float>(sum);
    }

  auto result = filled<float, 3>({channels, height, width});
  auto const down = detail::resize_taps(rows, height);
  std::vector<double> sums(width);
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t y = 0; y < height; ++y) {
      std::fill(sums.begin(), sums.end(), 0.);
      for (std::size_t k = 0; k < down[y].weights.size(); ++k) {
        float const* const from = narrow.data() + (c * rows + down[y].first + k) * width;
        for (std::size_t x = 0; x < width; ++x) sums[x] += down[y].weights[k] * static_cast<double>(from[x]);
      }
      std::transform(sums.begin(), sums.end(), result.data() + (c * height + y) * width, [](double v) { return static_cast<float>(v); });
    }
  return result;
}

}  // namespace pareidolia
