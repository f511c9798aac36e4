// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/vector_math.hpp>

#include <algorithm>
#include <cstddef>

// Colour spaces of encodings, for kernels of detail/dispatch.hpp: `v` is three vectors of numbers in [0, 1]. A hue of 1 is `turns` times
// round the colour wheel.

namespace pareidolia::detail {

/// x <- x without its fraction, |x| < 2^31.
template <class Floats>
[[gnu::always_inline]] inline void vector_truncate(Floats& x) {
  x = __builtin_convertvector(__builtin_convertvector(x, ints_of<Floats>), Floats);
}

/// The hue in turns, in [0, 1), of red, green and blue whose largest is `high` and smallest `low`; 0 of a grey.
[[nodiscard]] inline float hue_of(float const (&v)[3], float low, float high) {
  float const width = high - low;
  if (!(width > 0)) return 0;
  float const sector = v[0] == high ? (v[1] - v[2]) / width : v[1] == high ? 2 + (v[2] - v[0]) / width : 4 + (v[0] - v[1]) / width;
  return (sector < 0 ? sector + 6 : sector) / 6;
}

/// Hue, saturation, value.
struct hsv_space {
  /// Channel n is V - V S f with f = clamp(min(k, 4 - k), 0, 1), k = (n + 6 H) mod 6 and n = 5, 3, 1.
  template <class Floats>
  [[gnu::always_inline]] static void to_rgb(float turns, Floats (&v)[3]) {
    Floats const hue = v[0] * turns, chroma = v[1] * v[2], value = v[2];
    for (std::size_t c = 0; c < 3; ++c) {
      Floats k, f;
      wheel(hue, c, k, f);
      v[c] = value - chroma * f;
    }
  }

  /// dv, the derivatives with respect to red, green and blue, becomes those with respect to v; at the corners of f to its flat side.
  template <class Floats>
  [[gnu::always_inline]] static void pullback(float turns, Floats const (&v)[3], Floats (&dv)[3]) {
    Floats const hue = v[0] * turns, zero{}, one = zero + 1.f;
    Floats d[3]{};
    for (std::size_t c = 0; c < 3; ++c) {
      Floats k, f;
      wheel(hue, c, k, f);
      Floats const inside = f > 0.f ? (f < 1.f ? one : zero) : zero, slope = k < 2.f ? inside : -inside;
      d[0] = d[0] - dv[c] * v[1] * v[2] * slope * (6 * turns);
      d[1] = d[1] - dv[c] * v[2] * f;
      d[2] = d[2] + dv[c] * (1.f - v[1] * f);
    }
    for (std::size_t c = 0; c < 3; ++c) dv[c] = d[c];
  }

  /// Of one colour, with its hue in turns.
  static void from_rgb(float (&v)[3]) {
    float const low = std::min({v[0], v[1], v[2]}), high = std::max({v[0], v[1], v[2]});
    v[0] = hue_of(v, low, high);
    v[1] = high > 0 ? (high - low) / high : 0;
    v[2] = high;
  }

 private:
  template <class Floats>
  [[gnu::always_inline]] static void wheel(Floats const& hue, std::size_t c, Floats& k, Floats& f) {
    Floats const zero{}, one = zero + 1.f;
    k = hue + (5.f - 2.f * static_cast<float>(c)) / 6.f;
    Floats whole = k;
    vector_truncate(whole);
    k = (k - whole) * 6.f;
    f = 4.f - k;
    f = k < f ? k : f;
    f = f < zero ? zero : f;
    f = f > one ? one : f;
  }
};

/// Hue, lightness, saturation.
struct hls_space {
  /// Channel n is L - S min(L, 1 - L) f with f = clamp(min(k - 3, 9 - k), -1, 1), k = (n + 12 H) mod 12 and n = 0, 8, 4.
  template <class Floats>
  [[gnu::always_inline]] static void to_rgb(float turns, Floats (&v)[3]) {
    Floats const hue = v[0] * turns, lightness = v[1], dark = 1.f - v[1];
    Floats const chroma = v[2] * (lightness < dark ? lightness : dark);
    for (std::size_t c = 0; c < 3; ++c) {
      Floats k, f;
      wheel(hue, c, k, f);
      v[c] = lightness - chroma * f;
    }
  }

  /// dv, the derivatives with respect to red, green and blue, becomes those with respect to v; at the corners of f to its flat side.
  template <class Floats>
  [[gnu::always_inline]] static void pullback(float turns, Floats const (&v)[3], Floats (&dv)[3]) {
    Floats const hue = v[0] * turns, dark = 1.f - v[1], zero{}, one = zero + 1.f;
    Floats const reach = v[1] < dark ? v[1] : dark, side = v[1] < dark ? one : -one;
    Floats d[3]{};
    for (std::size_t c = 0; c < 3; ++c) {
      Floats k, f;
      wheel(hue, c, k, f);
      Floats const inside = f > -1.f ? (f < 1.f ? one : zero) : zero, slope = k < 6.f ? inside : -inside;
      d[0] = d[0] - dv[c] * v[2] * reach * slope * (12 * turns);
      d[1] = d[1] + dv[c] * (1.f - v[2] * side * f);
      d[2] = d[2] - dv[c] * reach * f;
    }
    for (std::size_t c = 0; c < 3; ++c) dv[c] = d[c];
  }

  /// Of one colour, with its hue in turns.
  static void from_rgb(float (&v)[3]) {
    float const low = std::min({v[0], v[1], v[2]}), high = std::max({v[0], v[1], v[2]}), sum = low + high;
    float const widest = std::min(sum, 2 - sum);
    v[0] = hue_of(v, low, high);
    v[1] = sum / 2;
    v[2] = widest > 0 ? (high - low) / widest : 0;
  }

 private:
  template <class Floats>
  [[gnu::always_inline]] static void wheel(Floats const& hue, std::size_t c, Floats& k, Floats& f) {
    Floats const one = Floats{} + 1.f;
    k = hue + static_cast<float>((3 - c) % 3) / 3.f;
    Floats whole = k;
    vector_truncate(whole);
    k = (k - whole) * 12.f;
    f = k - 3.f;
    f = f < 9.f - k ? f : 9.f - k;
    f = f < -one ? -one : f;
    f = f > one ? one : f;
  }
};

}  // namespace pareidolia::detail
