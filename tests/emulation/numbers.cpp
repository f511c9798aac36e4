// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include "emulation/numbers.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

TEST_CASE("the emulated device rounds floats to the nearest number of 16 bits, ties to the even one") {
  auto const check = [](auto const& widened, auto const& narrowed, std::uint16_t infinity) {
    for (std::uint32_t k = 0; k < infinity; ++k) {
      auto const bits = static_cast<std::uint16_t>(k), above = static_cast<std::uint16_t>(k + 1);
      std::uint16_t const nearer_zero = k + 1 == infinity ? static_cast<std::uint16_t>(k - 1) : bits;  // infinity is as far as that
      float const low = widened(bits), step = widened(static_cast<std::uint16_t>(nearer_zero + 1)) - widened(nearer_zero);
      float const middle = low + step / 2;
      REQUIRE(narrowed(low) == bits);
      REQUIRE(narrowed(middle) == (k % 2 == 0 ? bits : above));
      REQUIRE(narrowed(std::nextafter(middle, 0.f)) == bits);
      REQUIRE(narrowed(-std::nextafter(middle, INFINITY)) == (above | 0x8000));
    }
    CHECK(narrowed(INFINITY) == infinity);
    CHECK(std::isnan(widened(narrowed(NAN))));
  };
  check(widened_fp16, narrowed_fp16, 0x7c00);
  check(widened_bf16, narrowed_bf16, 0x7f80);
}
