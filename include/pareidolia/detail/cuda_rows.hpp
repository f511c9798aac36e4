// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/nvrtc.hpp>

namespace pareidolia::detail::cuda {

/// Primitives on vectors that are the rows of (count, length). Kernels named *_rows have a block for each row; what its threads find is put
/// together in one order, so results do not change from run to run.
inline constexpr kernel_source row_kernels{"rows", R"cuda(
namespace {

constexpr unsigned threads = 256;

template <class T, class Join>
__device__ T together(T own, Join join) {
  __shared__ T values[threads];
  values[threadIdx.x] = own;
  __syncthreads();
  for (unsigned half = threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) values[threadIdx.x] = join(values[threadIdx.x], values[threadIdx.x + half]);
    __syncthreads();
  }
  T const result = values[0];
  __syncthreads();
  return result;
}
struct larger {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};
struct sum {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

// Which of n items are the `kept` ones with the largest keys, bits of floats that are not negative; of equal ones the first. Every thread
// judges a run of neighbours.
template <class Key>
struct largest {
  Key key;
  unsigned n, begin, end, threshold, rank, room;

  __device__ largest(Key k, unsigned count, unsigned kept) : key(k), n(count) {
    unsigned const run = (n + threads - 1) / threads;
    begin = min(n, threadIdx.x * run);
    end = min(n, begin + run);
    // The largest threshold that at least `kept` keys reach, bit by bit.
    threshold = 0;
    for (int bit = 30; bit >= 0; --bit) {
      unsigned const trial = threshold | (1u << bit);
      unsigned own = 0;
      for (unsigned j = begin; j < end; ++j) own += key(j) >= trial;
      if (together(own, sum()) >= kept) threshold = trial;
    }
    unsigned above = 0, equal = 0;
    for (unsigned j = begin; j < end; ++j) {
      above += key(j) > threshold;
      equal += key(j) == threshold;
    }
    room = kept - together(above, sum());
    __shared__ unsigned counts[threads];
    counts[threadIdx.x] = equal;
    __syncthreads();
    rank = 0;  // of the first equal one of this thread
    for (unsigned t = 0; t < threadIdx.x; ++t) rank += counts[t];
    __syncthreads();
  }

  // To be asked of begin, begin + 1, ..., end - 1, in this order.
  __device__ bool operator()(unsigned j) {
    unsigned const own = key(j);
    return own > threshold || (own == threshold && rank++ < room);
  }
};

struct magnitude {
  float const* row;
  __device__ unsigned operator()(unsigned j) const { return unsigned(__float_as_int(fabsf(row[j]))); }
};
struct pixel_size {
  float const* row;
  unsigned channels, area;
  __device__ unsigned operator()(unsigned j) const {
    float size = 0;
    for (unsigned c = 0; c < channels; ++c) size += row[c * area + j] * row[c * area + j];
    return unsigned(__float_as_int(size));
  }
};

}  // namespace

extern "C" __global__ void dot_rows(float const* a, float const* b, double* out, unsigned size) {
  float const *const x = a + size_t(blockIdx.x) * size, *const y = b + size_t(blockIdx.x) * size;
  double own = 0;
  for (unsigned j = threadIdx.x; j < size; j += threads) own += double(x[j]) * double(y[j]);
  own = together(own, sum());
  if (threadIdx.x == 0) out[blockIdx.x] = own;
}

extern "C" __global__ void norm1_rows(float const* a, double* out, unsigned size) {
  float const* const x = a + size_t(blockIdx.x) * size;
  double own = 0;
  for (unsigned j = threadIdx.x; j < size; j += threads) own += fabs(double(x[j]));
  own = together(own, sum());
  if (threadIdx.x == 0) out[blockIdx.x] = own;
}

extern "C" __global__ void norm_inf_rows(float const* a, double* out, unsigned size) {
  float const* const x = a + size_t(blockIdx.x) * size;
  float own = 0;
  for (unsigned j = threadIdx.x; j < size; j += threads) own = fmaxf(own, fabsf(x[j]));
  own = together(own, larger());
  if (threadIdx.x == 0) out[blockIdx.x] = double(own);
}

extern "C" __global__ void axpy_rows(float const* c, float const* x, float* y, unsigned size, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) y[j] += c[j / size] * x[j];
}

extern "C" __global__ void scale_rows(float const* c, float* x, unsigned size, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) x[j] *= c[j / size];
}

extern "C" __global__ void sign_rows(float* x, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x)
    x[j] = x[j] > 0 ? 1.f : x[j] < 0 ? -1.f : 0.f;
}

extern "C" __global__ void clamp_rows(float const* limits, float* x, unsigned size, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x)
    x[j] = fminf(fmaxf(x[j], -limits[j / size]), limits[j / size]);
}

// Canvas i mod canvases belongs to row i; m = canvases * size.
extern "C" __global__ void clamp_to_box(float const* canvas, float* d, unsigned m, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) {
    float const c = canvas[j % m];
    d[j] = fminf(fmaxf(d[j], -c), 1 - c);
  }
}

extern "C" __global__ void zero_outward(float const* canvas, float const* d, float* g, unsigned m, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) {
    float const c = canvas[j % m];
    if ((g[j] < 0 && d[j] <= -c) || (g[j] > 0 && d[j] >= 1 - c)) g[j] = 0;
  }
}

// m = canvases * size, k = genotypes * size.
extern "C" __global__ void add_to_canvas(float const* canvas, float const* d, float* x, unsigned m, unsigned k, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x)
    x[j] = fminf(fmaxf(canvas[j % m] + d[j % k], 0.f), 1.f);
}

// d[j] = x[j] + x[j + k] + ..., k = genotypes * size, n values of x.
extern "C" __global__ void sum_over_canvases(float const* x, float* d, unsigned k, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < k; j += gridDim.x * blockDim.x) {
    float total = x[j];
    for (unsigned i = j + k; i < n; i += k) total += x[i];
    d[j] = total;
  }
}

// v <- sign(v) max(|v| - theta, 0) with the theta that makes the l1 norm the limit: bisected until the set above it is known, or nearly,
// then solved for.
extern "C" __global__ void project_l1_rows(float const* limits, float* d, unsigned size) {
  float* const row = d + size_t(blockIdx.x) * size;
  double const limit = double(limits[blockIdx.x]);
  double total = 0;
  float top = 0;
  for (unsigned j = threadIdx.x; j < size; j += threads) {
    total += fabs(double(row[j]));
    top = fmaxf(top, fabsf(row[j]));
  }
  total = together(total, sum());
  if (total <= limit) return;
  double low = 0, high = double(together(top, larger()));
  double above = total, count = double(size);
  for (int round = 0; round < 40; ++round) {
    double const middle = (low + high) / 2;
    double part = 0, many = 0;
    for (unsigned j = threadIdx.x; j < size; j += threads) {
      double const v = fabs(double(row[j]));
      if (v > middle) {
        part += v;
        many += 1;
      }
    }
    part = together(part, sum());
    many = together(many, sum());
    if (part - many * middle > limit) {
      low = middle;
      above = part;
      count = many;
    } else {
      high = middle;
    }
  }
  float const theta = float(fmax((above - limit) / count, 0.));
  for (unsigned j = threadIdx.x; j < size; j += threads) row[j] = copysignf(fmaxf(fabsf(row[j]) - theta, 0.f), row[j]);
}

extern "C" __global__ void keep_pixels(float const* limits, float* d, unsigned channels, unsigned area) {
  float* const row = d + size_t(blockIdx.x) * channels * area;
  if (!(limits[blockIdx.x] < float(area))) return;
  largest<pixel_size> chosen(pixel_size{row, channels, area}, area, unsigned(fmaxf(limits[blockIdx.x], 0.f)));
  for (unsigned j = chosen.begin; j < chosen.end; ++j)
    if (!chosen(j))
      for (unsigned c = 0; c < channels; ++c) row[c * area + j] = 0;
}

extern "C" __global__ void sparse_sign_rows(float* g, unsigned count, unsigned size) {
  float* const row = g + size_t(blockIdx.x) * size;
  unsigned own = 0;
  for (unsigned j = threadIdx.x; j < size; j += threads) own += row[j] != 0;
  unsigned const kept = min(count, together(own, sum()));
  if (kept == 0) return;
  largest<magnitude> chosen(magnitude{row}, size, kept);
  for (unsigned j = chosen.begin; j < chosen.end; ++j) row[j] = chosen(j) ? copysignf(1 / float(kept), row[j]) : 0.f;
}
)cuda"};

}  // namespace pareidolia::detail::cuda
