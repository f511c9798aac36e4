// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/nvrtc.hpp>

namespace pareidolia::detail::cuda {

/// Pastes patches as detail/pasting.hpp does: the same places, which are exact, and the same operations in the same order, so that values
/// differ by the rounding of a product within a sum at most.
inline constexpr kernel_source patch_kernels{"patch", R"cuda(
namespace {

// What encodings/device/patch.hpp packs.
struct shown_patch {
  unsigned long long source;  // of its first value
  int top, left, height, width;
  int source_height, source_width;
  float opacity;
};
struct scene {
  unsigned channels, height, width, canvases, genotypes;
  unsigned donor_width, donor_plane;
  float feather;
};

__device__ float feathered(int j, int n, float feather) {
  float const u = float(min(j, n - 1 - j) + 1) / (feather + 1);
  return u < 1.f ? u : 1.f;
}

// Pixel j of n between pixels of a source: (j + 1/2) size / n - 1/2, in units of 1 / (2 n).
struct place {
  int low, high;
  float share;

  __device__ place(int j, int n, int size) : low(j), high(j), share(0) {
    if (size == n) return;
    long long const unit = 2ll * n, at = max((2ll * j + 1) * size - n, 0ll);
    low = int(at / unit);
    high = min(low + 1, size - 1);
    share = float(at % unit) / float(unit);
  }
};

}  // namespace

// Image i shows list i mod genotypes, [ends[g - 1], ends[g]) of the patches, on canvas i mod canvases. n = images * height * width.
extern "C" __global__ void paste_patches(float const* canvas, float const* donors, shown_patch const* patches, unsigned const* ends,
                                         float* x, scene s, unsigned n) {
  unsigned const plane = s.height * s.width;
  for (unsigned j = blockIdx.x * blockDim.x + threadIdx.x; j < n; j += gridDim.x * blockDim.x) {
    unsigned const image = j / plane, pixel = j % plane, genotype = image % s.genotypes;
    int const line = int(pixel / s.width), column = int(pixel % s.width);
    size_t const length = size_t(s.channels) * plane;
    float const* const from = canvas + image % s.canvases * length + pixel;
    float* const to = x + image * length + pixel;
    for (unsigned c = 0; c < s.channels; ++c) to[size_t(c) * plane] = from[size_t(c) * plane];
    for (unsigned k = genotype == 0 ? 0 : ends[genotype - 1]; k < ends[genotype]; ++k) {
      shown_patch const& p = patches[k];
      if (line < p.top || column < p.left || line - p.top >= p.height || column - p.left >= p.width) continue;
      place const v(line - p.top, p.height, p.source_height), h(column - p.left, p.width, p.source_width);
      float const weight = p.opacity * feathered(line - p.top, p.height, s.feather) * feathered(column - p.left, p.width, s.feather);
      for (unsigned c = 0; c < s.channels; ++c) {
        float const* const source = donors + p.source + size_t(c) * s.donor_plane;
        float const* const above = source + size_t(v.low) * s.donor_width;
        float const* const below = source + size_t(v.high) * s.donor_width;
        float const upper = above[h.low] + h.share * (above[h.high] - above[h.low]);
        float const lower = below[h.low] + h.share * (below[h.high] - below[h.low]);
        float const value = upper + v.share * (lower - upper);
        float& y = to[size_t(c) * plane];
        y = weight == 1 ? value : y + weight * (value - y);
      }
    }
  }
}
)cuda"};

}  // namespace pareidolia::detail::cuda
