// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/nvrtc.hpp>

namespace pareidolia::detail::cuda {

/// What objectives add for the images themselves. Kernels named *_rows have a block for each image, the others a thread for each value;
/// sums are made in the same order every time.
inline constexpr kernel_source image_addend_kernels{"image addends", R"cuda(
namespace {

constexpr unsigned threads = 256;

// v[0] -= weight (sum of what all threads of the block have) / size.
__device__ void subtract_mean(float* v, double own, float weight, unsigned size) {
  __shared__ double parts[threads];
  parts[threadIdx.x] = own;
  __syncthreads();
  for (unsigned half = threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) v[0] -= weight * float(parts[0] / size);
}

// Images as lines of values: the step from value j to the next of its line and of its column, 0 at the border.
struct lines {
  float const* x;
  unsigned height, width;
  float smoothing;

  __device__ float across(unsigned j) const { return j % width + 1 < width ? x[j + 1] - x[j] : 0; }
  __device__ float down(unsigned j) const { return j / width % height + 1 < height ? x[j + width] - x[j] : 0; }
  __device__ float length(unsigned j) const {
    float const a = across(j), b = down(j);
    return sqrtf(a * a + b * b + smoothing * smoothing);
  }
};

}  // namespace

extern "C" __global__ void distortion_rows(float const* x, float const* canvas, float* v, float weight, unsigned size, unsigned canvases) {
  float const* const image = x + size_t(blockIdx.x) * size;
  float const* const from = canvas + size_t(blockIdx.x % canvases) * size;
  double sum = 0;
  for (unsigned j = threadIdx.x; j < size; j += threads) {
    double const r = double(image[j]) - double(from[j]);
    sum += r * r;
  }
  subtract_mean(v + blockIdx.x, sum, weight, size);
}

// dx -= factor (x - canvas).
extern "C" __global__ void distortion_gradients(float const* x, float const* canvas, float* dx, float factor, unsigned size,
                                                unsigned canvases, unsigned count) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < count; j += gridDim.x * blockDim.x)
    dx[j] -= factor * (x[j] - canvas[size_t(j / size % canvases) * size + j % size]);
}

extern "C" __global__ void total_variation_rows(float const* x, float* v, float weight, float smoothing, unsigned height, unsigned width,
                                                unsigned size) {
  lines const image{x + size_t(blockIdx.x) * size, height, width, smoothing};
  double sum = 0;
  for (unsigned j = threadIdx.x; j < size; j += threads) sum += image.length(j) - smoothing;
  subtract_mean(v + blockIdx.x, sum, weight, size);
}

// A value takes part in its own length and in those of the values left of it and above it.
extern "C" __global__ void total_variation_gradients(float const* x, float* dx, float factor, float smoothing, unsigned height,
                                                     unsigned width, unsigned count) {
  lines const all{x, height, width, smoothing};
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < count; j += gridDim.x * blockDim.x) {
    float slope = (all.across(j) + all.down(j)) / all.length(j);
    if (j % width > 0) slope -= all.across(j - 1) / all.length(j - 1);
    if (j / width % height > 0) slope -= all.down(j - width) / all.length(j - width);
    dx[j] += factor * slope;
  }
}
)cuda"};

}  // namespace pareidolia::detail::cuda
