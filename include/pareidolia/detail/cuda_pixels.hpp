// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/nvrtc.hpp>

namespace pareidolia::detail::cuda {

/// What `pixels` does to its genes: the operators of detail/variation.hpp, with the very numbers of the host's streams, so that a child on
/// the device is the child on the host, and the colours of detail/painting.hpp. Logarithms and powers are the polynomials of
/// detail/vector_math.hpp; as between two processors, their last bits may differ.
inline constexpr kernel_source pixels_kernels{"pixels", R"cuda(
namespace {

constexpr unsigned threads = 256;
constexpr float round_shift = 12582912;  // 1.5 * 2^23: adding it rounds |x| < 2^22, which is then in the low bits
constexpr int round_shift_bits = 0x4b400000;

struct random_key {
  unsigned low, high;
};

// Philox4x32-10: block `block` of stream `stream` under `key`.
struct random_block {
  unsigned numbers[4];

  __device__ random_block(random_key key, unsigned stream, unsigned long long block)
      : numbers{unsigned(block), unsigned(block >> 32), stream, 0} {
    unsigned k0 = key.low, k1 = key.high;
    for (int round = 0; round < 10; ++round) {
      unsigned long long const p0 = 0xD2511F53ull * numbers[0], p1 = 0xCD9E8D57ull * numbers[2];
      numbers[0] = unsigned(p1 >> 32) ^ numbers[1] ^ k0;
      numbers[1] = unsigned(p1);
      numbers[2] = unsigned(p0 >> 32) ^ numbers[3] ^ k1;
      numbers[3] = unsigned(p0);
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
  }
};

__device__ float exponential(float x) {
  x = x < -87.3f ? -87.3f : x;
  x = x > 88.f ? 88.f : x;
  float const shifted = x * 1.44269504f + round_shift, n = shifted - round_shift;
  x = x - n * 0.693359375f;
  x = x + n * 2.12194440e-4f;
  x = 1.f + (x + x * x * (0.5f + x * (0.16666577f + x * (0.041666374f + x * (8.363235e-3f + x * 1.3941219e-3f)))));
  return __int_as_float(__float_as_int(x) + ((__float_as_int(shifted) - round_shift_bits) << 23));
}
__device__ float logarithm(float x) {
  int const bits = __float_as_int(x), exponent = (bits - 0x3f3504f3) >> 23;
  float const e = float(exponent), m = __int_as_float(bits - (exponent << 23));
  float const s = (m - 1.f) / (m + 1.f), square = s * s;
  x = 2.f * s + s * square * (0.66666777f + square * (0.39977496f + square * 0.29873074f));
  x = x - e * 2.12194440e-4f;
  return x + e * 0.693359375f;
}
__device__ float power(float x, float exponent) { return exponential(logarithm(x) * exponent); }

constexpr float unit = 5.9604645e-8f;  // 2^-24
__device__ float uniform(unsigned number) { return float(int(number >> 8) + 1) * unit; }  // in (0, 1]
__device__ float signed_by(unsigned number, float x) { return number & 1 ? -x : x; }

// floor(levels v) / (levels - 1), and 1 for v = 1.
__device__ float level_of(float v, float levels) {
  v = v > 0.f ? v : 0.f;
  v = v < 1.f ? v : 1.f;
  if (levels == 0) return v;
  v = float(int(v * levels)) / (levels - 1);
  return v < 1.f ? v : 1.f;
}

// The order is that of pixel_colours.
enum colour_space : unsigned { rgb, hsv, hls };
struct palette {
  unsigned space;
  float levels, turns;
};

// Channel c lies f chromas below value (hsv) or lightness (hls); slope is f's derivative by the hue in turns.
struct wheel {
  float f, slope;

  __device__ wheel(unsigned space, float hue, int c) {
    float const sectors = space == hsv ? 6.f : 12.f, least = space == hsv ? 0.f : -1.f;
    float k = hue + (space == hsv ? (5.f - 2.f * float(c)) / 6.f : float((3 - c) % 3) / 3.f);
    k = (k - truncf(k)) * sectors;
    float const rising = space == hsv ? k : k - 3.f, falling = space == hsv ? 4.f - k : 9.f - k;
    f = rising < falling ? rising : falling;
    slope = f > least && f < 1.f ? (rising < falling ? sectors : -sectors) : 0.f;
    f = f < least ? least : f > 1.f ? 1.f : f;
  }
};

}  // namespace

// x = level_of(v); image i shows genotype i mod (genes / length), n = images * length.
extern "C" __global__ void quantise_genes(float const* v, float* x, float levels, unsigned genes, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) x[j] = level_of(v[j % genes], levels);
}

// The same where the three genes of each of `plane` places are a colour; n = images * plane.
extern "C" __global__ void paint_genes(float const* v, float* x, palette p, unsigned genotypes, unsigned plane, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) {
    unsigned const image = j / plane, place = j % plane;
    float const* const gene = v + size_t(image % genotypes) * 3 * plane + place;
    float a[3];
    for (int c = 0; c < 3; ++c) a[c] = level_of(gene[c * plane], p.levels);
    float const top = p.space == hsv ? a[2] : a[1], chroma = p.space == hsv ? a[1] * a[2] : a[2] * (a[1] < 1.f - a[1] ? a[1] : 1.f - a[1]);
    for (int c = 0; c < 3; ++c) {
      float value = top - chroma * wheel(p.space, a[0] * p.turns, c).f;
      if (p.levels > 0) value = truncf(value * (p.levels - 1) + 0.5f) / (p.levels - 1);
      x[size_t(image) * 3 * plane + c * plane + place] = value;
    }
  }
}

// d, derivatives with respect to red, green and blue, becomes those with respect to v; n = genotypes * plane.
extern "C" __global__ void pull_back_colours(float const* v, float* d, palette p, unsigned plane, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) {
    size_t const at = size_t(j / plane) * 3 * plane + j % plane;
    float a[3], sum[3] = {0.f, 0.f, 0.f};
    for (int c = 0; c < 3; ++c) a[c] = level_of(v[at + c * plane], p.levels);
    bool const dark = a[1] < 1.f - a[1];
    float const reach = dark ? a[1] : 1.f - a[1];
    for (int c = 0; c < 3; ++c) {
      wheel const w(p.space, a[0] * p.turns, c);
      float const dv = d[at + c * plane];
      if (p.space == hsv) {
        sum[0] -= dv * a[1] * a[2] * w.slope * p.turns;
        sum[1] -= dv * a[2] * w.f;
        sum[2] += dv * (1.f - a[1] * w.f);
      } else {
        sum[0] -= dv * a[2] * reach * w.slope * p.turns;
        sum[1] += dv * (1.f - a[2] * (dark ? w.f : -w.f));
        sum[2] -= dv * reach * w.f;
      }
    }
    for (int c = 0; c < 3; ++c) d[at + c * plane] = sum[c];
  }
}

// dp(g) = sum of the dx(i) with i mod genotypes = g.
extern "C" __global__ void sum_of_images(float const* dx, float* dp, unsigned genes, unsigned n) {
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < genes; j += gridDim.x * blockDim.x) {
    float sum = 0;
    for (unsigned i = j; i < n; i += genes) sum += dx[i];
    dp[j] = sum;
  }
}

// Genes uniform in [0, 1): gene j of child i is number j of stream i. `blocks` of four genes in a child.
extern "C" __global__ void draw_genes(float* genes, unsigned length, unsigned blocks, unsigned n, random_key key) {
  for (unsigned b = blockIdx.x * blockDim.x + threadIdx.x; b < n; b += gridDim.x * blockDim.x) {
    unsigned const child = b / blocks, first = b % blocks * 4;
    random_block const random(key, child, b % blocks);
    for (unsigned k = 0; k < 4 && first + k < length; ++k) genes[size_t(child) * length + first + k] = float(random.numbers[k] >> 8) * unit;
  }
}

// Polynomial mutation of each gene with a probability whose 1 / log(1 - rate) is genes_per_log; a block for each child.
extern "C" __global__ void mutate_genes(float* genes, unsigned length, float genes_per_log, float exponent, random_key key) {
  __shared__ unsigned long long past[threads];  // genes up to and with the one that thread t mutates, of those of this round
  float* const child = genes + size_t(blockIdx.x) * length;
  unsigned long long begin = 0;
  for (unsigned first = 0; begin < length; first += threads) {
    // Numbers are made for 32 mutations at a time: 16 blocks of Philox, whose first two words are for the gaps, the others for the steps.
    unsigned const k = threadIdx.x % 32;
    unsigned long long const block = 16ull * ((first + threadIdx.x) / 32) + k % 16;
    random_block const random(key, blockIdx.x, block);
    float const skipped = logarithm(uniform(random.numbers[k / 16])) * genes_per_log;
    past[threadIdx.x] = 1 + (unsigned long long)(skipped < 1073741824.f ? int(skipped) : 1073741824);
    __syncthreads();
    for (unsigned reach = 1; reach < threads; reach *= 2) {
      unsigned long long const before = threadIdx.x < reach ? 0 : past[threadIdx.x - reach];
      __syncthreads();
      past[threadIdx.x] += before;
      __syncthreads();
    }
    unsigned long long const at = begin + past[threadIdx.x] - 1;
    if (at < length) {
      unsigned const number = random.numbers[2 + k / 16];
      float const moved = child[at] + signed_by(number, 1.f - power(uniform(number), exponent));
      child[at] = moved < 0.f ? 0.f : moved > 1.f ? 1.f : moved;
    }
    begin += past[threads - 1];
    __syncthreads();
  }
}

namespace {

// From beta to b of simulated binary crossover.
__device__ float spread(float beta, float u, float eta) {
  float const z = u * (2.f - power(beta, -(eta + 1)));
  return power(z <= 1.f ? z : 1.f / (2.f - z), 1 / (eta + 1));
}

}  // namespace

// Simulated binary crossover of the couples whose first children are `firsts`; a block for each.
extern "C" __global__ void cross_genes(float* genes, unsigned length, float eta, random_key key, unsigned const* firsts) {
  unsigned const first = firsts[blockIdx.x];
  float* const one = genes + size_t(first) * length;
  float* const other = one + length;
  for (unsigned j = threadIdx.x; j < length; j += threads) {
    float const a = one[j], b = other[j], low = a < b ? a : b, high = a < b ? b : a, width = high - low;
    if (!(width > 0)) continue;
    unsigned const k = j % 32;
    unsigned const number = random_block(key, first, 16ull * (j / 32) + k % 16).numbers[k / 16];
    float const divisor = width > 1e-7f ? width : 1e-7f, u = uniform(number) * (1 - 2 * unit);
    float const b1 = spread(1.f + 2.f * low / divisor, u, eta), b2 = spread(1.f + 2.f * (1.f - high) / divisor, u, eta);
    float c1 = 0.5f * (low + high - b1 * width), c2 = 0.5f * (low + high + b2 * width);
    c1 = c1 > 0.f ? c1 : 0.f;
    c2 = c2 < 1.f ? c2 : 1.f;
    float const mean = 0.5f * (c1 + c2), half = signed_by(number, 0.5f * (c1 - c2));
    one[j] = mean + half;
    other[j] = mean - half;
  }
}
)cuda"};

}  // namespace pareidolia::detail::cuda
