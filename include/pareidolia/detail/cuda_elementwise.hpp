// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cuda_numbers.hpp>
#include <pareidolia/detail/nvrtc.hpp>

namespace pareidolia::detail::cuda {

/// Layers that treat each value, or each channel, by itself, and what moves values from one layout to another. Arrays of images are (count,
/// height, width, channels), channels last, unless a name says nchw. Parameters and what is outside the network are floats.
inline constexpr kernel_source elementwise_kernels{"elementwise", R"cuda(
KERNEL(relu_forward)(value const* x, value* y, float slope, unsigned count) {
  for EACH(i, count) y[i] = x[i] > 0 ? x[i] : slope * x[i];
}
KERNEL(relu_backward)(value const* y, value const* dy, value* dx, float slope, unsigned count) {
  for EACH(i, count) dx[i] = y[i] > 0 ? dy[i] : slope * dy[i];
}
KERNEL(sigmoid_forward)(value const* x, value* y, unsigned count) {
  for EACH(i, count) y[i] = 1 / (1 + expf(-x[i]));
}
KERNEL(sigmoid_backward)(value const* y, value const* dy, value* dx, unsigned count) {
  for EACH(i, count) dx[i] = dy[i] * y[i] * (1 - y[i]);
}
KERNEL(tanh_forward)(value const* x, value* y, unsigned count) {
  for EACH(i, count) y[i] = tanhf(x[i]);
}
KERNEL(tanh_backward)(value const* y, value const* dy, value* dx, unsigned count) {
  for EACH(i, count) dx[i] = dy[i] * (1 - y[i] * y[i]);
}
KERNEL(clip_forward)(value const* x, value* y, float low, float high, unsigned count) {
  for EACH(i, count) y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
}
KERNEL(clip_backward)(value const* y, value const* dy, value* dx, float low, float high, unsigned count) {
  for EACH(i, count) dx[i] = y[i] > low && y[i] < high ? dy[i] : 0.f;
}
KERNEL(add)(value const* a, value const* b, value* y, unsigned count) {
  for EACH(i, count) y[i] = a[i] + b[i];
}

// y = f(w x + b) with a weight and a bias for each channel, either of which may be null, and f(v) = v for v > 0, else slope v.
KERNEL(scale_channels)(value const* x, float const* w, float const* b, value* y, float slope, unsigned count,
                       unsigned channels) {
  for EACH(i, count) {
    unsigned const c = i % channels;
    float const v = (w ? w[c] * x[i] : x[i]) + (b ? b[c] : 0);
    y[i] = v > 0 ? v : slope * v;
  }
}

// Channels [from_first, from_first + channels) of one array as channels [to_first, ...) of another; count counts the values copied.
KERNEL(copy_channels)(value const* from, value* to, unsigned count, unsigned channels, unsigned from_channels,
                      unsigned from_first, unsigned to_channels, unsigned to_first) {
  for EACH(i, count) {
    unsigned const c = i % channels, position = i / channels;
    to[position * to_channels + to_first + c] = from[position * from_channels + from_first + c];
  }
}

// (count / (channels plane), plane, channels) to (..., channels, plane), and back; also from values to floats and back.
template <class From, class To>
__device__ void channels_first(From const* x, To* y, unsigned count, unsigned channels, unsigned plane) {
  for EACH(i, count) {
    unsigned const p = i % plane, c = i / plane % channels, n = i / plane / channels;
    y[i] = x[(n * plane + p) * channels + c];
  }
}
template <class From, class To>
__device__ void channels_last(From const* x, To* y, unsigned count, unsigned channels, unsigned plane) {
  for EACH(i, count) {
    unsigned const c = i % channels, p = i / channels % plane, n = i / channels / plane;
    y[i] = x[(n * channels + c) * plane + p];
  }
}
KERNEL(to_nchw)(value const* x, value* y, unsigned count, unsigned channels, unsigned plane) {
  channels_first(x, y, count, channels, plane);
}
KERNEL(to_nhwc)(value const* x, value* y, unsigned count, unsigned channels, unsigned plane) {
  channels_last(x, y, count, channels, plane);
}
KERNEL(to_float_nchw)(value const* x, float* y, unsigned count, unsigned channels, unsigned plane) {
  channels_first(x, y, count, channels, plane);
}
KERNEL(from_float_nchw)(float const* x, value* y, unsigned count, unsigned channels, unsigned plane) {
  channels_last(x, y, count, channels, plane);
}

// z = (scale x - mean) / deviation: x (images, channels, plane), z channels last and, with `reversed`, in reverse order. `mean` has `means`
// values: none, one, one for each channel, or (channels, plane); `inverse`, 1 / deviation, one for each channel, or is null.
KERNEL(preprocess)(float const* x, value* z, float scale, float const* mean, unsigned means, float const* inverse,
                   int reversed, unsigned count, unsigned channels, unsigned plane) {
  for EACH(i, count) {
    unsigned const c = i % channels, p = i / channels % plane, n = i / channels / plane, from = reversed ? channels - 1 - c : c;
    float const m = means == 0 ? 0 : means == 1 ? mean[0] : means == channels ? mean[c] : mean[c * plane + p];
    z[i] = (scale * x[(n * channels + from) * plane + p] - m) * (inverse ? inverse[c] : 1);
  }
}
// Its transpose: dx (images, channels, plane), each image times its factor, unless there are none.
KERNEL(preprocess_backward)(value const* dz, float* dx, float scale, float const* inverse, float const* factors, int reversed,
                            unsigned count, unsigned channels, unsigned plane) {
  for EACH(i, count) {
    unsigned const p = i % plane, from = i / plane % channels, n = i / plane / channels, c = reversed ? channels - 1 - from : from;
    float const d = scale * (inverse ? inverse[c] : 1) * dz[(n * plane + p) * channels + c];
    dx[i] = factors ? factors[n] * d : d;
  }
}

// Zeros around each image of (height, width, channels): y has out_height and out_width. `count` counts y's values.
KERNEL(pad)(value const* x, value* y, unsigned count, unsigned channels, int height, int width, int out_height,
            int out_width, int top, int left) {
  for EACH(i, count) {
    unsigned const c = i % channels, position = i / channels;
    int const w = (int)(position % out_width) - left, h = (int)(position / out_width % out_height) - top;
    unsigned const n = position / out_width / out_height;
    y[i] = h >= 0 && h < height && w >= 0 && w < width ? x[((n * height + h) * width + w) * channels + c] : 0.f;
  }
}
// Its transpose: cuts the padding off. `count` counts dx's values.
KERNEL(pad_backward)(value const* dy, value* dx, unsigned count, unsigned channels, int height, int width,
                     int out_height, int out_width, int top, int left) {
  for EACH(i, count) {
    unsigned const c = i % channels, position = i / channels;
    unsigned const w = position % width + left, h = position / width % height + top, n = position / width / height;
    dx[i] = dy[((n * out_height + h) * out_width + w) * channels + c];
  }
}
)cuda",
                                                   true};

}  // namespace pareidolia::detail::cuda
