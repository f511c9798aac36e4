// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

// Primitives on images that are the rows of (count, channels * height * width), as those of core/rows.hpp: what regularisers are made of.

namespace pareidolia {
namespace detail {

/// Weights of offsets -r to r of a Gaussian, which sum to 1; r = round(4 sigma), as SciPy's gaussian_filter cuts it.
inline std::vector<float> gaussian(float sigma) {
  auto const r = static_cast<int>(4 * sigma + .5f);
  std::vector<double> w;
  double sum = 0;
  for (int k = -r; k <= r; ++k) sum += w.emplace_back(std::exp(-.5 * k * k / (double{sigma} * double{sigma})));
  std::vector<float> weights;
  for (double v : w) weights.push_back(static_cast<float>(v / sum));
  return weights;
}

/// Where position j of a line of n is when the line is mirrored at its ends: c b a | a b c | c b a.
inline std::size_t mirrored(std::ptrdiff_t j, std::size_t n) {
  auto const period = static_cast<std::ptrdiff_t>(2 * n);
  j = ((j % period) + period) % period;
  return static_cast<std::size_t>(std::min(j, period - 1 - j));
}

/// out = the line of n values, `step` apart, convolved with w.
inline void convolve_line(std::span<float const> w, float const* in, std::size_t n, std::size_t step, float* out) {
  std::size_t const r = w.size() / 2;
  for (std::size_t j = 0; j < n; ++j) {
    float sum = 0;
    for (std::size_t k = 0; k < w.size(); ++k) {
      bool const inside = j + k >= r && j + k < n + r;
      sum += w[k] * in[step * (inside ? j + k - r : mirrored(static_cast<std::ptrdiff_t>(j + k) - static_cast<std::ptrdiff_t>(r), n))];
    }
    out[step * j] = sum;
  }
}

/// Where a percentile of n values is: between those of ranks `low`, from 0, and low + 1, `share` of the way, as NumPy has it.
struct percentile_place {
  std::size_t low;
  float share;

  percentile_place(std::size_t n, float percentile) {
    double const place = static_cast<double>(n - 1) * std::clamp(double{percentile}, 0., 100.) / 100;
    low = static_cast<std::size_t>(place);
    share = static_cast<float>(place - std::floor(place));
  }
};

/// The value below which `percentile` of 100 of the values are.
inline float percentile_of(std::vector<float> values, float percentile) {
  percentile_place const place(values.size(), percentile);
  auto const low = values.begin() + static_cast<std::ptrdiff_t>(place.low);
  std::nth_element(values.begin(), low, values.end());
  if (low + 1 == values.end()) return *low;
  float const next = *std::min_element(low + 1, values.end());
  return *low + place.share * (next - *low);
}

/// Zeros the pixels of row i whose size(i, j) is below the percentile of those of the image; j < height * width.
template <class Size>
void zero_below(float percentile, image_shape const& shape, view<float, 2> d, Size const& size) {
  std::size_t const channels = shape[0], area = shape[1] * shape[2];
  for_rows(d.shape[0], 8 * d.shape[1], [&](std::size_t i) {
    std::vector<float> sizes(area);
    for (std::size_t j = 0; j < area; ++j) sizes[j] = size(i, j);
    float const limit = percentile_of(sizes, percentile);
    auto const row = d.row(i);
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t j = 0; j < area; ++j)
        if (sizes[j] < limit) row[c * area + j] = 0;
  });
}

}  // namespace detail

/// Each channel of image i blurred by a Gaussian of sigma[i] pixels, the image mirrored at its edges; 0 leaves it as it is.
/// x (count, channels * height * width).
inline void blur_rows(std::span<float const> sigma, image_shape const& shape, view<float, 2> x) {
  std::size_t const channels = shape[0], height = shape[1], width = shape[2];
  detail::for_rows(x.shape[0], 16 * x.shape[1], [&](std::size_t i) {
    if (!(sigma[i] > 0)) return;
    auto const w = detail::gaussian(sigma[i]);
    std::vector<float> between(height * width);
    for (std::size_t c = 0; c < channels; ++c) {
      float* const plane = x.row(i).data() + c * between.size();
      for (std::size_t h = 0; h < height; ++h) detail::convolve_line(w, plane + h * width, width, 1, between.data() + h * width);
      for (std::size_t v = 0; v < width; ++v) detail::convolve_line(w, between.data() + v, height, width, plane + v);
    }
  });
}

/// Zeros the pixels of each image whose norm, sqrt(sum_c x_c^2), is below the percentile of those of the image.
inline void zero_small_pixels(float percentile, image_shape const& shape, view<float, 2> x) {
  std::size_t const channels = shape[0], area = shape[1] * shape[2];
  detail::zero_below(percentile, shape, x, [=](std::size_t i, std::size_t j) {
    float sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += x.row(i)[c * area + j] * x.row(i)[c * area + j];
    return std::sqrt(sum);
  });
}

/// Zeros the pixels of each image whose contribution, |sum_c g_c x_c|, is below the percentile of those of the image: what the value with
/// gradient g would change by, to first order, if the pixel were 0.
inline void zero_idle_pixels(float percentile, image_shape const& shape, view<float const, 2> g, view<float, 2> x) {
  std::size_t const channels = shape[0], area = shape[1] * shape[2];
  detail::zero_below(percentile, shape, x, [=](std::size_t i, std::size_t j) {
    float sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += g.row(i)[c * area + j] * x.row(i)[c * area + j];
    return std::abs(sum);
  });
}

}  // namespace pareidolia
