// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/half_floats.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

// What the device's instructions make of a float that is stored in 16 bits, and back: rounded to the nearest, ties to even.

inline float widened_bf16(std::uint16_t bits) { return pareidolia::detail::from_bfloat(bits); }
inline float widened_fp16(std::uint16_t bits) { return pareidolia::detail::from_half(bits); }

inline std::uint16_t narrowed_bf16(float v) {
  if (std::isnan(v)) return 0x7fff;
  auto const bits = std::bit_cast<std::uint32_t>(v);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline std::uint16_t narrowed_fp16(float v) {
  if (std::isnan(v)) return 0x7fff;
  float const size = std::abs(v);
  int const sign = std::signbit(v) ? 0x8000 : 0;
  if (size >= 65520) return static_cast<std::uint16_t>(sign | 0x7c00);  // infinity
  int const exponent = size < 0x1p-14f ? -14 : std::ilogb(size);
  int const digits = static_cast<int>(std::nearbyint(std::ldexp(size, 10 - exponent)));  // 1024 and more but for the smallest
  return static_cast<std::uint16_t>(sign | (((exponent + 14) << 10) + digits));
}

namespace pareidolia_test::emulation {

enum class number { float32, bfloat16, float16 };

/// Value i of an array.
inline float load(void const* array, number type, std::size_t i) {
  if (type == number::float32) return static_cast<float const*>(array)[i];
  std::uint16_t const bits = static_cast<std::uint16_t const*>(array)[i];
  return type == number::bfloat16 ? widened_bf16(bits) : widened_fp16(bits);
}
inline void store(void* array, number type, std::size_t i, float v) {
  if (type == number::float32)
    static_cast<float*>(array)[i] = v;
  else
    static_cast<std::uint16_t*>(array)[i] = type == number::bfloat16 ? narrowed_bf16(v) : narrowed_fp16(v);
}

}  // namespace pareidolia_test::emulation
