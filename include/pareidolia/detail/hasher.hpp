// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

namespace pareidolia::detail {

/// 64-bit FNV-1a, eight bytes at a time: tells networks apart, keeps no secrets.
class hasher {
 public:
  void add(std::uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3u; }
  void add(std::string_view text) {
    for (char c : text) add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    add(text.size());
  }
  void add(std::span<float const> numbers) {
    for (float v : numbers) {
      add(std::uint64_t{std::bit_cast<std::uint32_t>(v)});
      value_ ^= value_ >> 32;
    }
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

}  // namespace pareidolia::detail
