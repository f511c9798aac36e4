// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cuda_numbers.hpp>
#include <pareidolia/detail/nvrtc.hpp>

namespace pareidolia::detail::cuda {

/// Pooling of images that lie channels last. A backward thread gathers what the windows over its input give, in their order: no atomics,
/// the same bits every time.
inline constexpr kernel_source pooling_kernels{"pooling", R"cuda(
// One window along one axis: the inputs [begin, end) that it covers, and how many positions of the padded input.
struct range {
  int begin, end, padded;
  __device__ range(int i, int extent, int kernel, int stride, int padding) {
    int const start = i * stride - padding, stop = min(start + kernel, extent + padding);
    padded = stop - start;
    begin = max(start, 0);
    end = min(stop, extent);
  }
};
// The windows [first, last) that cover position p of an axis.
struct covering {
  int first, last;
  __device__ covering(int p, int windows, int kernel, int stride, int padding) {
    int const before = p + padding - kernel;
    first = before < 0 ? 0 : before / stride + 1;
    last = min((p + padding) / stride + 1, windows);
  }
};
// Sizes of a pooling layer: input (height, width), output (rows, columns).
struct sizes {
  int channels, height, width, rows, columns, kernel_h, kernel_w, stride_h, stride_w, padding_h, padding_w;
};

// `indices`, where the largest value of each window lies in its image (h width + w), is left alone if null. `count` counts y's values.
KERNEL(max_pool_forward)(value const* x, value* y, unsigned* indices, sizes s, unsigned count) {
  for EACH(i, count) {
    unsigned const c = i % s.channels, position = i / s.channels;
    unsigned const image = position / s.columns / s.rows;
    range const across(position % s.columns, s.width, s.kernel_w, s.stride_w, s.padding_w);
    range const down(position / s.columns % s.rows, s.height, s.kernel_h, s.stride_h, s.padding_h);
    value const* const from = x + (size_t)image * s.height * s.width * s.channels + c;
    unsigned best = down.begin * s.width + across.begin;
    float top = from[(size_t)best * s.channels];
    for (int h = down.begin; h < down.end; ++h)
      for (int w = across.begin; w < across.end; ++w) {
        float const v = from[(size_t)(h * s.width + w) * s.channels];
        if (v > top) {
          top = v;
          best = h * s.width + w;
        }
      }
    y[i] = top;
    if (indices) indices[i] = best;
  }
}

// `count` counts dx's values.
KERNEL(max_pool_backward)(value const* dy, unsigned const* indices, value* dx, sizes s, unsigned count) {
  for EACH(i, count) {
    unsigned const c = i % s.channels, position = i / s.channels;
    unsigned const own = position % (s.width * s.height), image = position / s.width / s.height;
    covering const across(position % s.width, s.columns, s.kernel_w, s.stride_w, s.padding_w);
    covering const down(position / s.width % s.height, s.rows, s.kernel_h, s.stride_h, s.padding_h);
    float sum = 0;
    for (int h = down.first; h < down.last; ++h)
      for (int w = across.first; w < across.last; ++w) {
        size_t const o = ((size_t)(image * s.rows + h) * s.columns + w) * s.channels + c;
        if (indices[o] == own) sum += dy[o];
      }
    dx[i] = sum;
  }
}

KERNEL(mean_pool_forward)(value const* x, value* y, sizes s, int count_padding, unsigned count) {
  for EACH(i, count) {
    unsigned const c = i % s.channels, position = i / s.channels;
    unsigned const image = position / s.columns / s.rows;
    range const across(position % s.columns, s.width, s.kernel_w, s.stride_w, s.padding_w);
    range const down(position / s.columns % s.rows, s.height, s.kernel_h, s.stride_h, s.padding_h);
    value const* const from = x + (size_t)image * s.height * s.width * s.channels + c;
    float sum = 0;
    for (int h = down.begin; h < down.end; ++h)
      for (int w = across.begin; w < across.end; ++w) sum += from[(size_t)(h * s.width + w) * s.channels];
    y[i] = sum / (count_padding ? down.padded * across.padded : (down.end - down.begin) * (across.end - across.begin));
  }
}

KERNEL(mean_pool_backward)(value const* dy, value* dx, sizes s, int count_padding, unsigned count) {
  for EACH(i, count) {
    unsigned const c = i % s.channels, position = i / s.channels, image = position / s.width / s.height;
    covering const across(position % s.width, s.columns, s.kernel_w, s.stride_w, s.padding_w);
    covering const down(position / s.width % s.height, s.rows, s.kernel_h, s.stride_h, s.padding_h);
    float sum = 0;
    for (int h = down.first; h < down.last; ++h)
      for (int w = across.first; w < across.last; ++w) {
        range const wide(w, s.width, s.kernel_w, s.stride_w, s.padding_w), high(h, s.height, s.kernel_h, s.stride_h, s.padding_h);
        int const divisor = count_padding ? high.padded * wide.padded : (high.end - high.begin) * (wide.end - wide.begin);
        sum += dy[((size_t)(image * s.rows + h) * s.columns + w) * s.channels + c] / divisor;
      }
    dx[i] = sum;
  }
}
)cuda",
                                               true};

/// What the kernels know as `sizes`.
struct pooling_sizes {
  int channels, height, width, rows, columns, kernel_h, kernel_w, stride_h, stride_w, padding_h, padding_w;
};

}  // namespace pareidolia::detail::cuda
