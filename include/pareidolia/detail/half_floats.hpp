// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace pareidolia::detail {

/// IEEE binary16 to binary32, exactly.
inline float from_half(std::uint16_t bits) {
  int const exponent = (bits >> 10) & 31, mantissa = bits & 1023;
  float const sign = (bits & 0x8000) != 0 ? -1.f : 1.f;
  if (exponent == 31) return mantissa != 0 ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  return sign *
         (exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24) : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25));
}

/// bfloat16, the upper half of a binary32, exactly.
inline float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

}  // namespace pareidolia::detail
