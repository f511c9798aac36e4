// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/colour_spaces.hpp>
#include <pareidolia/detail/variation.hpp>
#include <pareidolia/detail/vector_math.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

// Images of three channels whose genes are not red, green and blue but those of another colour space; for detail/dispatch.hpp.

namespace pareidolia::detail {

/// v, three spans of the same length end to end, is loaded into three vectors from `j` on; beyond the end they are 0.
template <class Floats>
[[gnu::always_inline]] inline void load_planes(std::span<float const> v, std::size_t j, Floats (&lanes)[3]) {
  std::size_t const plane = v.size() / 3, bytes = std::min(sizeof(Floats), (plane - j) * sizeof(float));
  for (std::size_t c = 0; c < 3; ++c) {
    lanes[c] = Floats{};
    if (bytes == sizeof(Floats))
      load(&v[c * plane + j], lanes[c]);
    else
      std::memcpy(&lanes[c], &v[c * plane + j], bytes);
  }
}
template <class Floats>
[[gnu::always_inline]] inline void store_planes(Floats const (&lanes)[3], std::span<float> v, std::size_t j) {
  std::size_t const plane = v.size() / 3, bytes = std::min(sizeof(Floats), (plane - j) * sizeof(float));
  for (std::size_t c = 0; c < 3; ++c) {
    if (bytes == sizeof(Floats))
      store(lanes[c], &v[c * plane + j]);
    else
      std::memcpy(&v[c * plane + j], &lanes[c], bytes);
  }
}

/// x <- the colours of v: three genes of a place are clipped and take one of `levels` values as in `quantisation`, become red, green and
/// blue, and these are rounded to the nearest of as many.
template <class Space>
struct painting {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(std::span<float const> const& v, std::span<float> const& x, float const& levels,
                                         float const& turns) {
    for (std::size_t j = 0; j < v.size() / 3; j += Lanes) {
      typename vectors<Lanes>::floats lanes[3];
      load_planes(v, j, lanes);
      for (auto& gene : lanes) quantisation::quantise(gene, levels);
      Space::to_rgb(turns, lanes);
      if (levels > 0)
        for (auto& channel : lanes) {
          channel = channel * (levels - 1) + 0.5f;
          vector_truncate(channel);
          channel = channel / (levels - 1);
        }
      store_planes(lanes, x, j);
    }
  }
};

/// dx, the derivatives with respect to the image, becomes those with respect to v; clipping and rounding let them through.
template <class Space>
struct painting_pullback {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(std::span<float const> const& v, std::span<float> const& dx, float const& levels,
                                         float const& turns) {
    for (std::size_t j = 0; j < v.size() / 3; j += Lanes) {
      typename vectors<Lanes>::floats lanes[3], derivatives[3];
      load_planes(v, j, lanes);
      load_planes(dx, j, derivatives);
      for (auto& gene : lanes) quantisation::quantise(gene, levels);
      Space::pullback(turns, lanes, derivatives);
      store_planes(derivatives, dx, j);
    }
  }
};

}  // namespace pareidolia::detail
