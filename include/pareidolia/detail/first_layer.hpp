// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/parallel.hpp>
#include <pareidolia/models/graph.hpp>

#include <dnnl.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace pareidolia::detail {

/// dx = transposed convolution of dy, for layers with few input channels, where oneDNN's own is 4 to 9 times slower.
///
/// For a band of rows of dx: columns = dY W, one product of (positions, outputs) and (outputs, taps), then each column is added where its
/// tap lies. Bands overlap in the rows of dy they need, never in what they write, so they may run side by side and always add in the same
/// order.
///
/// w (outputs, channels, kernel height, kernel width); dy (count, out height, out width, outputs), channels last; dx (count, channels,
/// height, width). Ungrouped.
struct few_channel_gradient {
  layer::convolution shape;
  image_shape in, out;

  void operator()(std::size_t count, float const* w, float const* dy, float* dx) const {
    std::size_t const bands = count >= thread_count() ? 1 : (in[1] + band_rows - 1) / band_rows;
    std::size_t const rows = (in[1] + bands - 1) / bands;
    parallel_for(count * bands, [&](std::size_t item, std::size_t) {
      std::size_t const image = item / bands, first = item % bands * rows;
      if (first < in[1])
        band(w, dy + image * out[1] * out[2] * out[0], dx + image * in[0] * in[1] * in[2], first, std::min(first + rows, in[1]));
    });
  }

 private:
  static constexpr std::size_t band_rows = 16;          // of dx
  static constexpr std::size_t tile_bytes = 64 * 1024;  // of columns, to stay in cache

  /// Rows [first, last) of dx of one image.
  void band(float const* w, float const* dy, float* dx, std::size_t first, std::size_t last) const {
    auto const [kernel_height, kernel_width] = shape.kernel;
    std::size_t const taps = in[0] * kernel_height * kernel_width, width = in[2];
    for (std::size_t c = 0; c < in[0]; ++c) std::fill(dx + (c * in[1] + first) * width, dx + (c * in[1] + last) * width, 0.f);

    // Output rows that reach the band: i s + u - p in [first, last) for some tap u.
    std::size_t const s = shape.stride[0], p = shape.padding[0];
    std::size_t const low = first + p < kernel_height ? 0 : (first + p - kernel_height) / s + 1;
    std::size_t const high = std::min((last - 1 + p) / s + 1, out[1]);
    std::size_t const tile = std::max<std::size_t>(1, tile_bytes / (taps * out[2] * sizeof(float)));
    thread_local std::vector<float> columns;
    for (std::size_t begin = low; begin < high; begin += tile) {
      std::size_t const end = std::min(begin + tile, high), positions = (end - begin) * out[2];
      columns.resize(positions * taps);
      dnnl_sgemm('N', 'N', static_cast<dnnl_dim_t>(positions), static_cast<dnnl_dim_t>(taps), static_cast<dnnl_dim_t>(out[0]), 1.f,
                 dy + begin * out[2] * out[0], static_cast<dnnl_dim_t>(out[0]), w, static_cast<dnnl_dim_t>(taps), 0.f, columns.data(),
                 static_cast<dnnl_dim_t>(taps));
      scatter(columns.data(), dx, begin, end, first, last);
    }
  }

  void scatter(float const* columns, float* dx, std::size_t begin, std::size_t end, std::size_t first, std::size_t last) const {
    auto const [kernel_height, kernel_width] = shape.kernel;
    for (std::size_t i = begin; i < end; ++i)
      for (std::size_t j = 0; j < out[2]; ++j)
        for (std::size_t c = 0; c < in[0]; ++c)
          for (std::size_t u = 0; u < kernel_height; ++u, columns += kernel_width) {
            std::size_t const row = i * shape.stride[0] + u - shape.padding[0];  // wraps below zero: fails the test
            if (row < first || row >= last) continue;
            float* const to = dx + (c * in[1] + row) * in[2];
            std::size_t const column = j * shape.stride[1] - shape.padding[1];
            for (std::size_t v = 0; v < kernel_width; ++v)
              if (column + v < in[2]) to[column + v] += columns[v];
          }
  }
};

}  // namespace pareidolia::detail
