// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/nvrtc.hpp>

namespace pareidolia::detail::cuda {

/// Renders networks as detail/cppn_kernel.hpp does: a block has 256 pixels of one image, so all its threads take the same steps.
inline constexpr kernel_source cppn_kernels{"cppn", R"cuda(
namespace {

constexpr unsigned threads = 256, slots = 48;

// The order is that of cppn_activation and of cppn_colours.
enum activation : unsigned { sine, sigmoid, gaussian, linear };
enum colour_space : unsigned { grey, hsv, hls };

// What detail/cuda_cppn_programs.hpp packs.
struct term {
  float weight;
  unsigned slot;
};
struct step {
  unsigned activation, slot;
  float constant;
  unsigned last_term;
};
struct program {
  unsigned first_step, last_step, first_term;
  unsigned outputs[3];
};
struct scene {
  unsigned channels, height, width, genotypes, raw, colours;
  float hue_turns, levels;
};

__device__ float activated(unsigned activation, float p) {
  switch (activation) {
    case sine:
      return sinf(p);
    case sigmoid:
      return 1.f - 2.f / (1.f + expf(p));
    case gaussian:
      return expf(-p * p);
    default:
      return fminf(fmaxf(p, -3.f), 3.f) * (1 / 3.f);
  }
}

// In [-1, 1], exactly odd around the centre.
__device__ float centred(unsigned i, unsigned size) {
  return size == 1 ? 0.f : (2.f * float(i) - float(size - 1)) / float(size - 1);
}

__device__ float clamped(float x, float low, float high) { return fminf(fmaxf(x, low), high); }

// trunc(x (levels - 1) + shift) / (levels - 1) for levels > 0, at most 1. x >= 0.
__device__ float quantised(float x, float levels, float shift) {
  x = fminf(x, 1.f);
  return levels > 0 ? truncf(x * (levels - 1) + shift) / (levels - 1) : x;
}

__device__ void hsv_to_rgb(float turns, float* v) {
  float const hue = v[0] * turns, chroma = v[1] * v[2], value = v[2];
  for (int c = 0; c < 3; ++c) {
    float k = hue + (5.f - 2.f * float(c)) / 6.f;
    k = (k - truncf(k)) * 6.f;
    v[c] = value - chroma * clamped(fminf(k, 4.f - k), 0.f, 1.f);
  }
}
__device__ void hls_to_rgb(float turns, float* v) {
  float const hue = v[0] * turns, lightness = v[1], chroma = v[2] * fminf(lightness, 1.f - lightness);
  for (int c = 0; c < 3; ++c) {
    float k = hue + float((3 - c) % 3) / 3.f;
    k = (k - truncf(k)) * 12.f;
    v[c] = lightness - chroma * clamped(fminf(k - 3.f, 9.f - k), -1.f, 1.f);
  }
}

}  // namespace

// x (count, channels, height, width); block b has tile b mod tiles of image b / tiles, which shows genotype (b / tiles) mod genotypes.
extern "C" __global__ void render_cppn(program const* programs, step const* steps, term const* terms, float* x, scene s) {
  __shared__ float values[slots][threads];  // of nodes; a thread sees its own alone
  unsigned const pixels = s.height * s.width, tiles = (pixels + threads - 1) / threads;
  unsigned const image = blockIdx.x / tiles, pixel = blockIdx.x % tiles * threads + threadIdx.x;
  if (pixel >= pixels) return;
  program const own = programs[image % s.genotypes];
  unsigned const row = pixel / s.width, column = pixel % s.width;
  float const x_centred = centred(column, s.width), y_centred = centred(row, s.height);
  values[0][threadIdx.x] = s.raw ? float(column) : x_centred;
  values[1][threadIdx.x] = s.raw ? float(row) : y_centred;
  values[2][threadIdx.x] = sqrtf(x_centred * x_centred + y_centred * y_centred);
  for (unsigned k = own.first_step, t = own.first_term; k < own.last_step; ++k) {
    step const now = steps[k];
    float sum = now.constant;
    for (; t < now.last_term; ++t) sum += terms[t].weight * values[terms[t].slot][threadIdx.x];
    values[now.slot][threadIdx.x] = activated(now.activation, sum);
  }
  float v[3];
  for (int c = 0; c < 3; ++c) v[c] = quantised(fabsf(values[own.outputs[c]][threadIdx.x]), s.levels, 0.f);
  if (s.colours == hsv) hsv_to_rgb(s.hue_turns, v);
  if (s.colours == hls) hls_to_rgb(s.hue_turns, v);
  for (unsigned c = 0; c < s.channels; ++c)
    x[(size_t(image) * s.channels + c) * pixels + pixel] = s.colours == grey ? v[c] : quantised(v[c], s.levels, 0.5f);
}
)cuda"};

}  // namespace pareidolia::detail::cuda
