// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

// Primitives on images that are the rows of (count, channels * height * width), as those of core/rows.hpp: what regularisers and
// encodings by frequencies are made of.

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

/// The first `count` cosines of a line of n, orthonormal: b(u, j) = s_u cos(pi u (j + 1/2) / n), s_0 = sqrt(1 / n), else sqrt(2 / n).
inline std::vector<float> cosines(std::size_t count, std::size_t n) {
  std::vector<float> b;
  auto const length = static_cast<double>(n);
  for (std::size_t u = 0; u < count; ++u)
    for (std::size_t j = 0; j < n; ++j)
      b.push_back(static_cast<float>(std::sqrt((u == 0 ? 1 : 2) / length) *
                                     std::cos(std::numbers::pi * static_cast<double>(u) * (static_cast<double>(j) + .5) / length)));
  return b;
}

/// out <- out + factor line.
inline void add_line(float factor, float const* line, std::size_t n, float* out) {
  for (std::size_t j = 0; j < n; ++j) out[j] += factor * line[j];
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

/// The cosine transform (DCT-II, orthonormal) of each channel, of which the `side` lowest frequencies in each direction are kept:
///   p(c, u, v) = sum_{h, w} b_u(h) b_v(w) x(c, h, w).  x (count, channels * height * width), p (count, channels * side * side).
inline void to_frequencies(std::size_t side, image_shape const& shape, view<float const, 2> x, view<float, 2> p) {
  std::size_t const height = shape[1], width = shape[2];
  auto const down = detail::cosines(side, height), along = detail::cosines(side, width);
  detail::for_rows(x.shape[0], side * x.shape[1], [&](std::size_t i) {
    std::vector<float> rows(side * width);
    for (std::size_t c = 0; c < shape[0]; ++c) {
      float const* const plane = x.row(i).data() + c * height * width;
      std::fill(rows.begin(), rows.end(), 0.f);
      for (std::size_t u = 0; u < side; ++u)
        for (std::size_t h = 0; h < height; ++h) detail::add_line(down[u * height + h], plane + h * width, width, rows.data() + u * width);
      for (std::size_t u = 0; u < side; ++u)
        for (std::size_t v = 0; v < side; ++v)
          p.row(i)[(c * side + u) * side + v] = static_cast<float>(
              detail::sum_of(width, [&](std::size_t w) { return double{rows[u * width + w]} * double{along[v * width + w]}; }));
    }
  });
}

/// The image of which to_frequencies gives p, and that has no other frequencies; also its transpose.
inline void from_frequencies(std::size_t side, image_shape const& shape, view<float const, 2> p, view<float, 2> x) {
  std::size_t const height = shape[1], width = shape[2];
  auto const down = detail::cosines(side, height), along = detail::cosines(side, width);
  detail::for_rows(x.shape[0], side * x.shape[1], [&](std::size_t i) {
    std::vector<float> rows(side * width);
    for (std::size_t c = 0; c < shape[0]; ++c) {
      float* const plane = x.row(i).data() + c * height * width;
      float const* const coefficients = p.row(i).data() + c * side * side;
      std::fill(rows.begin(), rows.end(), 0.f);
      std::fill_n(plane, height * width, 0.f);
      for (std::size_t u = 0; u < side; ++u)
        for (std::size_t v = 0; v < side; ++v)
          detail::add_line(coefficients[u * side + v], along.data() + v * width, width, rows.data() + u * width);
      for (std::size_t h = 0; h < height; ++h)
        for (std::size_t u = 0; u < side; ++u) detail::add_line(down[u * height + h], rows.data() + u * width, width, plane + h * width);
    }
  });
}

}  // namespace pareidolia
