// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

// Elementary functions on vectors of floats, in the compiler's vector extensions, for kernels run by detail/dispatch.hpp. Each replaces
// its argument. The polynomials are minimax fits made for this file; errors are against double, with and without fused multiply-add.
//
// Range reduction relies on the order of its operations, so -ffast-math must not change it: precise arithmetic is switched on for Clang
// here, and keep() shields each step from GCC.

namespace pareidolia::detail {

#ifdef __clang__
#pragma float_control(push)
#pragma float_control(precise, on)
#endif

/// `vectors<16>::floats` is 16 floats that are added, multiplied and compared as one.
template <std::size_t Lanes>
struct vectors {
  typedef float floats __attribute__((vector_size(Lanes * sizeof(float))));
};
template <class Floats>
using ints_of = decltype(std::declval<Floats>() < std::declval<Floats>());  ///< as many ints

template <class Floats>
[[gnu::always_inline]] inline void load(float const* source, Floats& x) {
  std::memcpy(&x, source, sizeof x);
}
template <class Floats>
[[gnu::always_inline]] inline void store(Floats const& x, float* target) {
  std::memcpy(target, &x, sizeof x);
}

/// The values from j on; past the end of `source`, `beyond`.
template <class Floats>
[[gnu::always_inline]] inline void load_part(std::span<float const> source, std::size_t j, float beyond, Floats& x) {
  if (std::size_t const bytes = (source.size() - j) * sizeof(float); bytes >= sizeof x) {
    load(&source[j], x);
  } else {
    x = Floats{} + beyond;
    std::memcpy(&x, &source[j], bytes);
  }
}
/// As much of x as `target` has room for from j on.
template <class Floats>
[[gnu::always_inline]] inline void store_part(Floats const& x, std::span<float> target, std::size_t j) {
  if (std::size_t const bytes = (target.size() - j) * sizeof(float); bytes >= sizeof x)
    store(x, &target[j]);
  else
    std::memcpy(&target[j], &x, bytes);
}

/// A barrier to the re-association that -ffast-math allows: x is computed as written before it is used. Costs nothing otherwise.
template <class Floats>
[[gnu::always_inline]] inline void keep([[maybe_unused]] Floats& x) {
#if defined(__ASSOCIATIVE_MATH__) && !defined(__clang__)
#ifdef __x86_64__
  asm("" : "+x"(x));  // GCC 12 takes vectors apart for __builtin_assoc_barrier
#else
  x = __builtin_assoc_barrier(x);
#endif
#endif
}

/// Adding it rounds |x| < 2^22 to the nearest integer, which is then in the low bits.
inline constexpr float round_shift = 0x1.8p23f;
inline constexpr int round_shift_bits = 0x4b400000;

/// x <- x - k pi in [-pi/2, pi/2], for |x| <= 1e5; k is odd where the lowest bit of `turns` is set. Exact in three steps (Cody and Waite):
/// the first two parts of pi have 8 and 9 bits, so their products with |k| < 2^15 are exact in a float.
template <class Floats>
[[gnu::always_inline]] inline void vector_reduce(Floats& x, ints_of<Floats>& turns) {
  Floats shifted = x * 0.318309886f + round_shift;
  keep(shifted);
  Floats k = shifted - round_shift;
  keep(k);
  x = x - k * 0x1.92p+1f;
  keep(x);
  x = x - k * 0x1.fbp-11f;
  keep(x);
  x = x - k * 6.27832957e-7f;
  keep(x);
  turns = (ints_of<Floats>)shifted;
}

/// x <- sin x for |x| <= pi/2: error below 2e-7.
template <class Floats>
[[gnu::always_inline]] inline void vector_reduced_sin(Floats& x) {
  Floats const square = x * x;
  x = x + x * square * (-0.16666657f + square * (8.3330164e-3f + square * (-1.9806547e-4f + square * 2.5999033e-6f)));
}

/// x <- sin x for |x| <= 1e5: error below 2e-7.
template <class Floats>
[[gnu::always_inline]] inline void vector_sin(Floats& x) {
  ints_of<Floats> turns;
  vector_reduce(x, turns);
  vector_reduced_sin(x);
  x = (Floats)((ints_of<Floats>)x ^ turns << 31);  // odd k turn the sign
}

/// x <- sin x and c <- cos x = 1 - 2 sin^2 (x / 2), likewise.
template <class Floats>
[[gnu::always_inline]] inline void vector_sin_cos(Floats& x, Floats& c) {
  ints_of<Floats> turns;
  vector_reduce(x, turns);
  c = x * 0.5f;
  vector_reduced_sin(c);
  c = 1.f - 2.f * c * c;
  vector_reduced_sin(x);
  x = (Floats)((ints_of<Floats>)x ^ turns << 31);
  c = (Floats)((ints_of<Floats>)c ^ turns << 31);
}

/// x <- e^x: relative error below 2e-7 for x in [-87.3, 88], to which x is clamped.
template <class Floats>
[[gnu::always_inline]] inline void vector_exp(Floats& x) {
  Floats const low = Floats{} - 87.3f, high = Floats{} + 88.f;
  x = x < low ? low : x;
  x = x > high ? high : x;
  Floats shifted = x * 1.44269504f + round_shift;
  keep(shifted);
  Floats n = shifted - round_shift;
  keep(n);
  x = x - n * 0x1.63p-1f;
  keep(x);
  x = x + n * 2.12194440e-4f;
  keep(x);
  x = 1.f + (x + x * x * (0.5f + x * (0.16666577f + x * (0.041666374f + x * (8.363235e-3f + x * 1.3941219e-3f)))));
  x = (Floats)((ints_of<Floats>)x + (((ints_of<Floats>)shifted - round_shift_bits) << 23));  // times 2^n
}

/// x <- log x for normal x > 0: error below 2e-7 max(1, |log x|). Zero gives about -88.
/// With x = 2^e m, m in [sqrt(1/2), sqrt(2)), and s = (m - 1) / (m + 1): log m = 2 atanh s.
template <class Floats>
[[gnu::always_inline]] inline void vector_log(Floats& x) {
  constexpr int sqrt_half_bits = 0x3f3504f3;
  auto const bits = (ints_of<Floats>)x;
  ints_of<Floats> const exponent = (bits - sqrt_half_bits) >> 23;
  Floats const e = __builtin_convertvector(exponent, Floats), m = (Floats)(bits - (exponent << 23));
  Floats const s = (m - 1.f) / (m + 1.f), square = s * s;
  x = 2.f * s + s * square * (0.66666777f + square * (0.39977496f + square * 0.29873074f));
  x = x - e * 2.12194440e-4f;
  keep(x);
  x = x + e * 0x1.63p-1f;
}

#ifdef __clang__
#pragma float_control(pop)
#endif

}  // namespace pareidolia::detail
