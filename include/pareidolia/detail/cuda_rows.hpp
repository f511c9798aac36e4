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
struct smaller {
  __device__ unsigned operator()(unsigned a, unsigned b) const { return min(a, b); }
};
struct sum {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

// The largest threshold that at least `kept` of n keys reach, bit by bit; keys are bits of floats that are not negative.
template <class Key>
__device__ unsigned reached(Key key, unsigned n, unsigned kept) {
  unsigned threshold = 0;
  for (int bit = 30; bit >= 0; --bit) {
    unsigned const trial = threshold | (1u << bit);
    unsigned own = 0;
    for (unsigned j = threadIdx.x; j < n; j += threads) own += key(j) >= trial;
    if (together(own, sum()) >= kept) threshold = trial;
  }
  return threshold;
}

// Which of n items are the `kept` ones with the largest keys; of equal ones the first. Every thread judges a run of neighbours.
template <class Key>
struct largest {
  Key key;
  unsigned n, begin, end, threshold, rank, room;

  __device__ largest(Key k, unsigned count, unsigned kept) : key(k), n(count), threshold(reached(k, count, kept)) {
    unsigned const run = (n + threads - 1) / threads;
    begin = min(n, threadIdx.x * run);
    end = min(n, begin + run);
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

// sqrt(sum_c x_c^2) and |sum_c g_c x_c| of a pixel.
struct pixel_norm {
  pixel_size square;
  __device__ unsigned operator()(unsigned j) const { return unsigned(__float_as_int(sqrtf(__int_as_float(int(square(j)))))); }
};
struct pixel_contribution {
  float const *g, *row;
  unsigned channels, area;
  __device__ unsigned operator()(unsigned j) const {
    float total = 0;
    for (unsigned c = 0; c < channels; ++c) total += g[c * area + j] * row[c * area + j];
    return unsigned(__float_as_int(fabsf(total)));
  }
};

// Zeros the pixels whose key is below a percentile of all: what lies `share` of the way from the key of rank `low` to the next one.
template <class Key>
__device__ void zero_below(Key key, float* row, unsigned low, float share, unsigned channels, unsigned area) {
  unsigned const bits = reached(key, area, area - low);
  float limit = __int_as_float(int(bits));
  if (share > 0) {  // so there is a next one
    unsigned upto = 0, next = ~0u;
    for (unsigned j = threadIdx.x; j < area; j += threads) {
      unsigned const own = key(j);
      if (own > bits)
        next = min(next, own);
      else
        ++upto;
    }
    if (together(upto, sum()) == low + 1) limit += share * (__int_as_float(int(together(next, smaller()))) - limit);
  }
  for (unsigned j = threadIdx.x; j < area; j += threads)
    if (__int_as_float(int(key(j))) < limit)
      for (unsigned c = 0; c < channels; ++c) row[c * area + j] = 0;
}

// sum_j free_j a_j b_j.
__device__ double free_product(unsigned char const* free, float const* a, float const* b, unsigned size) {
  double own = 0;
  for (unsigned j = threadIdx.x; j < size; j += threads)
    if (free[j]) own += double(a[j]) * double(b[j]);
  return together(own, sum());
}

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

// factors: the rates of all n / size rows, then their unbias.
extern "C" __global__ void adam_rows(float const* factors, float const* g, float* m, float* s, float* x, unsigned size, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) {
    unsigned const i = j / size;
    m[j] = .9f * m[j] + .1f * g[j];
    s[j] = .999f * s[j] + .001f * g[j] * g[j];
    x[j] += factors[i] * m[j] / (sqrtf(s[j] * factors[n / size + i]) + 1e-8f);
  }
}

// Row rows[count + k] of out <- a - b of row rows[k]; n = count * size.
extern "C" __global__ void subtract_rows(float const* a, float const* b, unsigned const* rows, float* out, unsigned count, unsigned size,
                                         unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) {
    unsigned const k = j / size, at = j % size;
    size_t const from = size_t(rows[k]) * size + at;
    out[size_t(rows[count + k]) * size + at] = a[from] - b[from];
  }
}

extern "C" __global__ void zero_where_equal(float const* a, float const* b, float* d, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x)
    if (a[j] == b[j]) d[j] = 0;
}

// The pairs of block i are rows pairs[first] to pairs[last - 1] of s and y, oldest first, first = pairs[i] and last = pairs[i + 1]. free and
// products are room for a flag for each value of d, and for two numbers for each entry of `pairs`.
extern "C" __global__ void two_loop_rows(float const* s, float const* y, unsigned const* pairs, float* d, unsigned char* free,
                                         double* products, unsigned size) {
  float* const q = d + size_t(blockIdx.x) * size;
  free += size_t(blockIdx.x) * size;
  for (unsigned j = threadIdx.x; j < size; j += threads) free[j] = q[j] != 0;
  unsigned const first = pairs[blockIdx.x], last = pairs[blockIdx.x + 1];
  double newest = 0;
  for (unsigned r = last; r-- > first;) {
    float const *const step = s + size_t(pairs[r]) * size, *const change = y + size_t(pairs[r]) * size;
    double const square = free_product(free, change, change, size), curvature = free_product(free, step, change, size);
    bool const used = curvature > 1e-8 * square;
    double const alpha = used ? free_product(free, step, q, size) / curvature : 0;
    if (threadIdx.x == 0) {
      products[2 * r] = used ? curvature : 0;
      products[2 * r + 1] = alpha;
    }
    if (!used) continue;
    if (newest == 0) newest = curvature / square;
    for (unsigned j = threadIdx.x; j < size; j += threads)
      if (free[j]) q[j] += float(-alpha) * change[j];
  }
  if (newest == 0) return;
  for (unsigned j = threadIdx.x; j < size; j += threads) q[j] *= float(newest);
  __syncthreads();
  for (unsigned r = first; r < last; ++r) {
    if (products[2 * r] == 0) continue;
    float const *const step = s + size_t(pairs[r]) * size, *const change = y + size_t(pairs[r]) * size;
    double const length = products[2 * r + 1] - free_product(free, change, q, size) / products[2 * r];
    for (unsigned j = threadIdx.x; j < size; j += threads)
      if (free[j]) q[j] += float(length) * step[j];
  }
}

// Lines of `length` values, `step` apart, convolved: image i with the weights begins[i] to begins[i + 1] - 1, mirrored at its ends, or as it
// is where there are none. `size` values are an image.
extern "C" __global__ void blur_lines(float const* weights, unsigned const* begins, float const* in, float* out, unsigned length,
                                      unsigned step, unsigned size, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) {
    unsigned const i = j / size, many = begins[i + 1] - begins[i], place = j / step % length;
    float const* const w = weights + begins[i];
    float const* const line = in + (j - place * step);
    if (many == 0) {
      out[j] = in[j];
      continue;
    }
    float total = 0;
    int const period = int(2 * length);
    for (unsigned k = 0; k < many; ++k) {
      int at = (int(place + k) - int(many / 2)) % period;
      if (at < 0) at += period;
      total += w[k] * line[step * unsigned(min(at, period - 1 - at))];
    }
    out[j] = total;
  }
}

// Lines of `from` values, `step` apart, become lines of `to` values: out_t = sum_j basis[t * row + j * column] in_j.
extern "C" __global__ void transform_lines(float const* basis, unsigned row, unsigned column, float const* in, float* out, unsigned from,
                                           unsigned to, unsigned step, unsigned n) {
  for (unsigned k = blockIdx.x * blockDim.x + threadIdx.x; k < n; k += gridDim.x * blockDim.x) {
    float const* const b = basis + k / step % to * row;
    float const* const line = in + k / (step * to) * (step * from) + k % step;
    float total = 0;
    for (unsigned j = 0; j < from; ++j) total += b[j * column] * line[j * step];
    out[k] = total;
  }
}

extern "C" __global__ void zero_small_pixels(float* x, unsigned low, float share, unsigned channels, unsigned area) {
  float* const row = x + size_t(blockIdx.x) * channels * area;
  zero_below(pixel_norm{{row, channels, area}}, row, low, share, channels, area);
}

extern "C" __global__ void zero_idle_pixels(float const* g, float* x, unsigned low, float share, unsigned channels, unsigned area) {
  size_t const begin = size_t(blockIdx.x) * channels * area;
  zero_below(pixel_contribution{g + begin, x + begin, channels, area}, x + begin, low, share, channels, area);
}
)cuda"};

}  // namespace pareidolia::detail::cuda
