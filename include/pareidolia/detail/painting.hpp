// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/colour_spaces.hpp>
#include <pareidolia/detail/variation.hpp>
#include <pareidolia/detail/vector_math.hpp>

#include <cstddef>
#include <span>

// Images of three channels whose genes are not red, green and blue but those of another colour space; for detail/dispatch.hpp.

namespace pareidolia::detail {

/// Channel c of three that stand one behind the other.
[[nodiscard]] inline std::span<float const> channel(std::span<float const> v, std::size_t c) {
  return v.subspan(c * v.size() / 3, v.size() / 3);
}
[[nodiscard]] inline std::span<float> channel(std::span<float> v, std::size_t c) { return v.subspan(c * v.size() / 3, v.size() / 3); }

/// x <- the colours of v: three genes of a place are clipped and take one of `levels` values as in `quantisation`, become red, green and
/// blue, and these are rounded to the nearest of as many.
template <class Space>
struct painting {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(std::span<float const> const& v, std::span<float> const& x, float const& levels,
                                         float const& turns) {
    for (std::size_t j = 0; j < v.size() / 3; j += Lanes) {
      typename vectors<Lanes>::floats lanes[3];
      for (std::size_t c = 0; c < 3; ++c) {
        load_part(channel(v, c), j, 0.f, lanes[c]);
        quantisation::quantise(lanes[c], levels);
      }
      Space::to_rgb(turns, lanes);
      for (std::size_t c = 0; c < 3; ++c) {
        if (levels > 0) {
          lanes[c] = lanes[c] * (levels - 1) + 0.5f;
          vector_truncate(lanes[c]);
          lanes[c] = lanes[c] / (levels - 1);
        }
        store_part(lanes[c], channel(x, c), j);
      }
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
      for (std::size_t c = 0; c < 3; ++c) {
        load_part(channel(v, c), j, 0.f, lanes[c]);
        load_part(channel(dx, c), j, 0.f, derivatives[c]);
        quantisation::quantise(lanes[c], levels);
      }
      Space::pullback(turns, lanes, derivatives);
      for (std::size_t c = 0; c < 3; ++c) store_part(derivatives[c], channel(dx, c), j);
    }
  }
};

}  // namespace pareidolia::detail
