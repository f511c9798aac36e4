// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cuda_numbers.hpp>
#include <pareidolia/detail/nvrtc.hpp>

namespace pareidolia::detail::cuda {

/// Layers and gradients that add up many values: normalisation, softmax over channels, sums over all positions of each channel. Images lie
/// channels last. Sums are floats, added in the same order every time.
inline constexpr kernel_source reduction_kernels{"reductions", R"cuda(
// Local response normalisation. The neighbours of a value: channels up to `half` away, or, within a channel, positions up to `half` away in
// each direction. scales, left alone if null: k + weight sum of squares over the neighbours; weight = alpha / the number of values in a full neighbourhood.
KERNEL(lrn_across_forward)(value const* x, value* y, float* scales, int half, float weight, float beta, float k,
                           unsigned count, int channels) {
  for EACH(i, count) {
    int const c = i % channels, first = max(c - half, 0), last = min(c + half + 1, channels);
    value const* const position = x + (i - c);
    float sum = 0;
    for (int d = first; d < last; ++d) sum += position[d] * position[d];
    float const scale = k + weight * sum;
    if (scales) scales[i] = scale;
    y[i] = x[i] * powf(scale, -beta);
  }
}
// factor = 2 beta weight.
KERNEL(lrn_across_backward)(value const* x, value const* y, float const* scales, value const* dy, value* dx, int half,
                            float factor, float beta, unsigned count, int channels) {
  for EACH(i, count) {
    int const c = i % channels, first = max(c - half, 0), last = min(c + half + 1, channels);
    unsigned const position = i - c;
    float sum = 0;
    for (int d = first; d < last; ++d) sum += dy[position + d] * y[position + d] / scales[position + d];
    dx[i] = dy[i] * powf(scales[i], -beta) - factor * x[i] * sum;
  }
}
KERNEL(lrn_within_forward)(value const* x, value* y, float* scales, int half, float weight, float beta, float k,
                           unsigned count, int channels, int height, int width) {
  for EACH(i, count) {
    int const w = i / channels % width, h = i / channels / width % height;
    float sum = 0;
    for (int u = max(h - half, 0); u < min(h + half + 1, height); ++u)
      for (int v = max(w - half, 0); v < min(w + half + 1, width); ++v) {
        float const near = x[i + ((u - h) * width + v - w) * channels];
        sum += near * near;
      }
    float const scale = k + weight * sum;
    if (scales) scales[i] = scale;
    y[i] = x[i] * powf(scale, -beta);
  }
}
KERNEL(lrn_within_backward)(value const* x, value const* y, float const* scales, value const* dy, value* dx, int half,
                            float factor, float beta, unsigned count, int channels, int height, int width) {
  for EACH(i, count) {
    int const w = i / channels % width, h = i / channels / width % height;
    float sum = 0;
    for (int u = max(h - half, 0); u < min(h + half + 1, height); ++u)
      for (int v = max(w - half, 0); v < min(w + half + 1, width); ++v) {
        unsigned const j = i + ((u - h) * width + v - w) * channels;
        sum += dy[j] * y[j] / scales[j];
      }
    dx[i] = dy[i] * powf(scales[i], -beta) - factor * x[i] * sum;
  }
}

// What all threads of a block hold, joined: half of them take over the other half's, eight times.
__device__ float block_sum(float v) {
  __shared__ float parts[256];
  parts[threadIdx.x] = v;
  __syncthreads();
  for (unsigned half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
    __syncthreads();
  }
  float const result = parts[0];
  __syncthreads();
  return result;
}
__device__ float block_max(float v) {
  __shared__ float parts[256];
  parts[threadIdx.x] = v;
  __syncthreads();
  for (unsigned half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) parts[threadIdx.x] = fmaxf(parts[threadIdx.x], parts[threadIdx.x + half]);
    __syncthreads();
  }
  float const result = parts[0];
  __syncthreads();
  return result;
}

// One block for each row of `channels` values.
KERNEL(softmax_forward)(value const* x, value* y, int channels) {
  value const* const in = x + (size_t)blockIdx.x * channels;
  value* const out = y + (size_t)blockIdx.x * channels;
  float top = in[0];
  for (int c = threadIdx.x; c < channels; c += blockDim.x) top = fmaxf(top, in[c]);
  top = block_max(top);
  float sum = 0;
  for (int c = threadIdx.x; c < channels; c += blockDim.x) sum += expf(in[c] - top);
  sum = block_sum(sum);
  for (int c = threadIdx.x; c < channels; c += blockDim.x) out[c] = expf(in[c] - top) / sum;
}
// dx_c = y_c (dy_c - sum_k y_k dy_k)
KERNEL(softmax_backward)(value const* y, value const* dy, value* dx, int channels) {
  size_t const row = (size_t)blockIdx.x * channels;
  float dot = 0;
  for (int c = threadIdx.x; c < channels; c += blockDim.x) dot += y[row + c] * dy[row + c];
  dot = block_sum(dot);
  for (int c = threadIdx.x; c < channels; c += blockDim.x) dx[row + c] = y[row + c] * (dy[row + c] - dot);
}

// Multiplies each row of `columns` floats, one a block, by the power of two that brings its largest magnitude to 2^exponent, or up to twice
// that, and notes the inverse.
KERNEL(scale_seeds)(float* x, float* inverses, int exponent, unsigned columns) {
  float* const row = x + (size_t)blockIdx.x * columns;
  float top = 0;
  for (unsigned c = threadIdx.x; c < columns; c += blockDim.x) top = fmaxf(top, fabsf(row[c]));
  top = block_max(top);
  int const shift = top > 0 && top <= 3.4e38f ? max(min(exponent - ilogbf(top), 120), -120) : 0;
  float const factor = ldexpf(1, shift);
  for (unsigned c = threadIdx.x; c < columns; c += blockDim.x) row[c] *= factor;
  if (threadIdx.x == 0) inverses[blockIdx.x] = ldexpf(1, -shift);
}

// parts (slices, channels): each the sum over one slice of the rows of a, times b unless that is null; a and b (rows, channels). A block
// takes 32 channels of one slice; its 8 lines of threads take every eighth row.
KERNEL(channel_sums)(value const* a, value const* b, float* parts, unsigned rows, unsigned channels, unsigned slices) {
  __shared__ float lines[256];
  unsigned const groups = (channels + 31) / 32, slice = blockIdx.x / groups, c = blockIdx.x % groups * 32 + threadIdx.x % 32;
  unsigned const first = (unsigned)((unsigned long long)rows * slice / slices),
                 last = (unsigned)((unsigned long long)rows * (slice + 1) / slices);
  float sum = 0;
  if (c < channels)
    for (unsigned row = first + threadIdx.x / 32; row < last; row += 8) {
      size_t const i = (size_t)row * channels + c;
      sum += b ? a[i] * b[i] : a[i];
    }
  lines[threadIdx.x] = sum;
  __syncthreads();
  for (unsigned half = 128; half >= 32; half /= 2) {
    if (threadIdx.x < half) lines[threadIdx.x] += lines[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x < 32 && c < channels) parts[(size_t)slice * channels + c] = lines[threadIdx.x];
}
KERNEL(sum_slices)(float const* parts, float* sums, unsigned slices, unsigned channels) {
  for EACH(c, channels) {
    float sum = 0;
    for (unsigned s = 0; s < slices; ++s) sum += parts[(size_t)s * channels + c];
    sums[c] = sum;
  }
}
)cuda",
                                                 true};

}  // namespace pareidolia::detail::cuda
