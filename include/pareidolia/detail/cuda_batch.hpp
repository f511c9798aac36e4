// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/nvrtc.hpp>

namespace pareidolia::detail::cuda {

/// Batch primitives and objectives, of scores (count, classes) and of images as rows of values. Kernels named *_rows have a block for each
/// row; what its threads find is put together in one order, so results do not change from run to run.
inline constexpr kernel_source batch_kernels{"batch", R"cuda(
namespace {

constexpr unsigned threads = 256;

__device__ float infinity() { return __int_as_float(0x7f800000); }

// What all threads of the block have, as one value.
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

__device__ float largest_of(float const* row, unsigned classes) {
  float top = -infinity();
  for (unsigned k = threadIdx.x; k < classes; k += threads) top = fmaxf(top, row[k]);
  return together(top, larger());
}

// exp(y - top), and the sum of it.
__device__ float sum_of_exponentials(float const* row, unsigned classes, float top) {
  float own = 0;
  for (unsigned k = threadIdx.x; k < classes; k += threads) own += expf(row[k] - top);
  return together(own, sum());
}

// A value and where it was found; of equal values the first is the champion.
struct place {
  float value;
  unsigned index;
};
struct champion {
  __device__ place operator()(place a, place b) const {
    return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
  }
};

// The best class but `excluded`, which need not be one.
__device__ place best_but(float const* row, unsigned classes, unsigned excluded) {
  place best{-infinity(), threadIdx.x == excluded ? classes : threadIdx.x};
  for (unsigned k = threadIdx.x; k < classes; k += threads)
    if (k != excluded && row[k] > best.value) best = {row[k], k};
  return together(best, champion());
}

}  // namespace

extern "C" __global__ void softmax_rows(float const* y, float* p, unsigned classes) {
  float const* const row = y + size_t(blockIdx.x) * classes;
  float const top = largest_of(row, classes), total = sum_of_exponentials(row, classes, top);
  for (unsigned k = threadIdx.x; k < classes; k += threads) p[size_t(blockIdx.x) * classes + k] = expf(row[k] - top) / total;
}

extern "C" __global__ void argmax_rows(float const* y, int* label, unsigned classes) {
  place const best = best_but(y + size_t(blockIdx.x) * classes, classes, classes);
  if (threadIdx.x == 0) label[blockIdx.x] = int(best.index);
}

// A block has 32 neighbouring columns, 8 threads each; best[k] is {-infinity, count} for a column in which nothing is larger than that.
extern "C" __global__ void best_of_columns(float const* v, place* best, unsigned count, unsigned classes) {
  constexpr unsigned width = 32, lanes = threads / width;
  __shared__ place found[lanes][width];
  unsigned const column = threadIdx.x % width, lane = threadIdx.x / width, k = blockIdx.x * width + column;
  place own{-infinity(), count};
  if (k < classes)
    for (unsigned i = lane; i < count; i += lanes)
      if (v[size_t(i) * classes + k] > own.value) own = {v[size_t(i) * classes + k], i};
  found[lane][column] = own;
  __syncthreads();
  if (lane != 0 || k >= classes) return;
  for (unsigned other = 1; other < lanes; ++other) own = champion()(own, found[other][column]);
  best[k] = own;
}

// first[0] becomes count - i for the first row i with a NaN or an infinity; it was 0.
extern "C" __global__ void mark_not_finite(float const* y, unsigned* first, unsigned count, unsigned classes) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < count * classes; j += gridDim.x * blockDim.x)
    if (!(fabsf(y[j]) < infinity())) atomicMax(first, count - j / classes);
}

extern "C" __global__ void distance_rows(float const* x, float const* canvas, float* d, unsigned size, unsigned canvases) {
  float const* const a = x + size_t(blockIdx.x) * size;
  float const* const b = canvas + size_t(blockIdx.x % canvases) * size;
  double l0 = 0, l1 = 0, l2 = 0;
  float linf = 0;
  for (unsigned j = threadIdx.x; j < size; j += threads) {
    double const r = fabs(double(a[j]) - double(b[j]));
    l0 += r > 0;
    l1 += r;
    l2 += r * r;
    linf = fmaxf(linf, float(r));
  }
  l0 = together(l0, sum());
  l1 = together(l1, sum());
  l2 = together(l2, sum());
  linf = together(linf, larger());
  if (threadIdx.x != 0) return;
  float* const row = d + 4 * size_t(blockIdx.x);
  row[0] = float(l0);
  row[1] = float(l1);
  row[2] = float(sqrt(l2));
  row[3] = linf;
}

// Row rows[count + k] of `target` <- row rows[k] of `source`; n = count * size.
extern "C" __global__ void copy_rows(float const* source, float* target, unsigned const* rows, unsigned count, unsigned size, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) {
    unsigned const k = j / size, at = j % size;
    target[size_t(rows[count + k]) * size + at] = source[size_t(rows[k]) * size + at];
  }
}

// v(i) = p(i, t_i), p = softmax(y).
extern "C" __global__ void probability_rows(float const* y, int const* t, float* v, unsigned classes) {
  float const* const row = y + size_t(blockIdx.x) * classes;
  float const top = largest_of(row, classes), total = sum_of_exponentials(row, classes, top);
  if (threadIdx.x == 0) v[blockIdx.x] = expf(row[t[blockIdx.x]] - top) / total;
}

// dy_k = p_t (delta_tk - p_k), with 1 - p_t as the sum of the others.
extern "C" __global__ void probability_seed_rows(float const* y, int const* t, float* dy, unsigned classes) {
  float const* const row = y + size_t(blockIdx.x) * classes;
  float* const seed = dy + size_t(blockIdx.x) * classes;
  unsigned const target = unsigned(t[blockIdx.x]);
  float const top = largest_of(row, classes), total = sum_of_exponentials(row, classes, top);
  float const p_t = expf(row[target] - top) / total;
  float own = 0;
  for (unsigned k = threadIdx.x; k < classes; k += threads) {
    float const p = expf(row[k] - top) / total;
    if (k != target) own += p;
    seed[k] = -p_t * p;
  }
  float const others = together(own, sum());
  if (threadIdx.x == 0) seed[target] = p_t * others;
}

// v(i) = log sum_k exp y(i, k) - y(i, t_i).
extern "C" __global__ void cross_entropy_rows(float const* y, int const* t, float* v, unsigned classes) {
  float const* const row = y + size_t(blockIdx.x) * classes;
  float const top = largest_of(row, classes), total = sum_of_exponentials(row, classes, top);
  if (threadIdx.x == 0) v[blockIdx.x] = logf(total) + top - row[t[blockIdx.x]];
}

// dy_k = p_k - delta_tk.
extern "C" __global__ void cross_entropy_seed_rows(float const* y, int const* t, float* dy, unsigned classes) {
  float const* const row = y + size_t(blockIdx.x) * classes;
  float const top = largest_of(row, classes), total = sum_of_exponentials(row, classes, top);
  unsigned const target = unsigned(t[blockIdx.x]);
  for (unsigned k = threadIdx.x; k < classes; k += threads)
    dy[size_t(blockIdx.x) * classes + k] = expf(row[k] - top) / total - (k == target ? 1.f : 0.f);
}

// v(i) = y(i, m) - y(i, t_i), m the best class but t_i.
extern "C" __global__ void margin_rows(float const* y, int const* t, float* v, unsigned classes) {
  float const* const row = y + size_t(blockIdx.x) * classes;
  unsigned const target = unsigned(t[blockIdx.x]);
  place const best = best_but(row, classes, target);
  if (threadIdx.x == 0) v[blockIdx.x] = best.value - row[target];
}

// dy_k = delta_mk - delta_tk.
extern "C" __global__ void margin_seed_rows(float const* y, int const* t, float* dy, unsigned classes) {
  unsigned const target = unsigned(t[blockIdx.x]);
  place const best = best_but(y + size_t(blockIdx.x) * classes, classes, target);
  for (unsigned k = threadIdx.x; k < classes; k += threads)
    dy[size_t(blockIdx.x) * classes + k] = k == best.index ? 1.f : k == target ? -1.f : 0.f;
}

// v(i) = y(i, t_i).
extern "C" __global__ void logit_rows(float const* y, int const* t, float* v, unsigned classes) {
  if (threadIdx.x == 0) v[blockIdx.x] = y[size_t(blockIdx.x) * classes + t[blockIdx.x]];
}

// dy_k = delta_tk.
extern "C" __global__ void logit_seed_rows(float const*, int const* t, float* dy, unsigned classes) {
  for (unsigned k = threadIdx.x; k < classes; k += threads)
    dy[size_t(blockIdx.x) * classes + k] = k == unsigned(t[blockIdx.x]) ? 1.f : 0.f;
}

// v(i) = 1 where the best class is not t_i, else 0.
extern "C" __global__ void misclassification_rows(float const* y, int const* t, float* v, unsigned classes) {
  place const best = best_but(y + size_t(blockIdx.x) * classes, classes, classes);
  if (threadIdx.x == 0) v[blockIdx.x] = best.index == unsigned(t[blockIdx.x]) ? 0.f : 1.f;
}

// v <- -v.
extern "C" __global__ void negate(float* v, unsigned count) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < count; j += gridDim.x * blockDim.x) v[j] = -v[j];
}
)cuda"};

}  // namespace pareidolia::detail::cuda
