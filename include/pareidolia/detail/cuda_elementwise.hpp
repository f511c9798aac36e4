// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/nvrtc.hpp>

namespace pareidolia::detail::cuda {

/// Layers that treat each value, or each channel, by itself, and what moves values from one layout to another. Arrays of images are (count,
/// height, width, channels), channels last, unless a name says nchw.
inline constexpr kernel_source elementwise_kernels{"elementwise", R"cuda(
#define EACH(i, count) (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < (count); i += gridDim.x * blockDim.x)

extern "C" __global__ void relu_forward(float const* x, float* y, float slope, unsigned count) {
  for EACH(i, count) y[i] = x[i] > 0 ? x[i] : slope * x[i];
}
extern "C" __global__ void relu_backward(float const* y, float const* dy, float* dx, float slope, unsigned count) {
  for EACH(i, count) dx[i] = y[i] > 0 ? dy[i] : slope * dy[i];
}
extern "C" __global__ void sigmoid_forward(float const* x, float* y, unsigned count) {
  for EACH(i, count) y[i] = 1 / (1 + expf(-x[i]));
}
extern "C" __global__ void sigmoid_backward(float const* y, float const* dy, float* dx, unsigned count) {
  for EACH(i, count) dx[i] = dy[i] * y[i] * (1 - y[i]);
}
extern "C" __global__ void tanh_forward(float const* x, float* y, unsigned count) {
  for EACH(i, count) y[i] = tanhf(x[i]);
}
extern "C" __global__ void tanh_backward(float const* y, float const* dy, float* dx, unsigned count) {
  for EACH(i, count) dx[i] = dy[i] * (1 - y[i] * y[i]);
}
extern "C" __global__ void clip_forward(float const* x, float* y, float low, float high, unsigned count) {
  for EACH(i, count) y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
}
extern "C" __global__ void clip_backward(float const* y, float const* dy, float* dx, float low, float high, unsigned count) {
  for EACH(i, count) dx[i] = y[i] > low && y[i] < high ? dy[i] : 0;
}
extern "C" __global__ void add(float const* a, float const* b, float* y, unsigned count) {
  for EACH(i, count) y[i] = a[i] + b[i];
}

// y = f(w x + b) with a weight and a bias for each channel, either of which may be null, and f(v) = v for v > 0, else slope v.
extern "C" __global__ void scale_channels(float const* x, float const* w, float const* b, float* y, float slope, unsigned count,
                                          unsigned channels) {
  for EACH(i, count) {
    unsigned const c = i % channels;
    float const v = (w ? w[c] * x[i] : x[i]) + (b ? b[c] : 0);
    y[i] = v > 0 ? v : slope * v;
  }
}

// Channels [from_first, from_first + channels) of one array as channels [to_first, ...) of another; count counts the values copied.
extern "C" __global__ void copy_channels(float const* from, float* to, unsigned count, unsigned channels, unsigned from_channels,
                                         unsigned from_first, unsigned to_channels, unsigned to_first) {
  for EACH(i, count) {
    unsigned const c = i % channels, position = i / channels;
    to[position * to_channels + to_first + c] = from[position * from_channels + from_first + c];
  }
}

// (count / (channels plane), plane, channels) to (..., channels, plane), and back.
extern "C" __global__ void to_nchw(float const* x, float* y, unsigned count, unsigned channels, unsigned plane) {
  for EACH(i, count) {
    unsigned const p = i % plane, c = i / plane % channels, n = i / plane / channels;
    y[i] = x[(n * plane + p) * channels + c];
  }
}
extern "C" __global__ void to_nhwc(float const* x, float* y, unsigned count, unsigned channels, unsigned plane) {
  for EACH(i, count) {
    unsigned const c = i % channels, p = i / channels % plane, n = i / channels / plane;
    y[i] = x[(n * channels + c) * plane + p];
  }
}

// z = (scale x - mean) / deviation: x (images, channels, plane), z channels last and, with `reversed`, in reverse order. `mean` has `means`
// values: none, one, one for each channel, or (channels, plane); `inverse`, 1 / deviation, one for each channel, or is null.
extern "C" __global__ void preprocess(float const* x, float* z, float scale, float const* mean, unsigned means, float const* inverse,
                                      int reversed, unsigned count, unsigned channels, unsigned plane) {
  for EACH(i, count) {
    unsigned const c = i % channels, p = i / channels % plane, n = i / channels / plane, from = reversed ? channels - 1 - c : c;
    float const m = means == 0 ? 0 : means == 1 ? mean[0] : means == channels ? mean[c] : mean[c * plane + p];
    z[i] = (scale * x[(n * channels + from) * plane + p] - m) * (inverse ? inverse[c] : 1);
  }
}
// Its transpose: dx (images, channels, plane).
extern "C" __global__ void preprocess_backward(float const* dz, float* dx, float scale, float const* inverse, int reversed, unsigned count,
                                               unsigned channels, unsigned plane) {
  for EACH(i, count) {
    unsigned const p = i % plane, from = i / plane % channels, n = i / plane / channels, c = reversed ? channels - 1 - from : from;
    dx[i] = scale * (inverse ? inverse[c] : 1) * dz[(n * plane + p) * channels + c];
  }
}

// Zeros around each image of (height, width, channels): y has out_height and out_width. `count` counts y's values.
extern "C" __global__ void pad(float const* x, float* y, unsigned count, unsigned channels, int height, int width, int out_height,
                               int out_width, int top, int left) {
  for EACH(i, count) {
    unsigned const c = i % channels, position = i / channels;
    int const w = (int)(position % out_width) - left, h = (int)(position / out_width % out_height) - top;
    unsigned const n = position / out_width / out_height;
    y[i] = h >= 0 && h < height && w >= 0 && w < width ? x[((n * height + h) * width + w) * channels + c] : 0;
  }
}
// Its transpose: cuts the padding off. `count` counts dx's values.
extern "C" __global__ void pad_backward(float const* dy, float* dx, unsigned count, unsigned channels, int height, int width,
                                        int out_height, int out_width, int top, int left) {
  for EACH(i, count) {
    unsigned const c = i % channels, position = i / channels;
    unsigned const w = position % width + left, h = position / width % height + top, n = position / width / height;
    dx[i] = dy[((n * out_height + h) * out_width + w) * channels + c];
  }
}
)cuda"};

}  // namespace pareidolia::detail::cuda
