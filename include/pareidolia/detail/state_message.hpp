// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/state.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pareidolia::detail {

inline constexpr std::array<std::string_view, 7> state_types{"F32", "F64", "U8", "I32", "U32", "I64", "U64"};

/// A state as bytes for another process of the same program: numbers as they lie in memory, each text and array behind its length.
[[nodiscard]] inline std::vector<std::byte> to_message(saved_state const& state) {
  std::vector<std::byte> message;
  auto const put = [&](std::span<std::byte const> bytes) { message.insert(message.end(), bytes.begin(), bytes.end()); };
  auto const number = [&](std::uint64_t n) { put(std::as_bytes(std::span(&n, 1))); };
  auto const text = [&](std::string const& t) { number(t.size()), put(std::as_bytes(std::span(t))); };
  number(state.settings.size());
  for (auto const& [name, value] : state.settings) text(name), text(value);
  number(state.arrays.size());
  for (auto const& [name, array] : state.arrays) {
    text(name);
    number(static_cast<std::uint64_t>(std::find(state_types.begin(), state_types.end(), array.type) - state_types.begin()));
    number(array.shape.size());
    for (std::size_t extent : array.shape) number(extent);
    number(array.bytes.size());
    put(array.bytes);
  }
  return message;
}

/// The state of to_message(). Errors: bytes that are none.
[[nodiscard]] inline saved_state from_message(std::span<std::byte const> message) {
  auto const take = [&](std::uint64_t count) {
    if (count > message.size()) fail("a state from another process is cut short; all processes must run the same program");
    auto const taken = message.first(static_cast<std::size_t>(count));
    message = message.subspan(taken.size());
    return taken;
  };
  auto const number = [&] {
    std::uint64_t n = 0;
    std::memcpy(&n, take(sizeof n).data(), sizeof n);
    return n;
  };
  auto const text = [&] {
    auto const bytes = take(number());
    return std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  };
  saved_state state;
  for (std::uint64_t k = number(); k > 0; --k) {
    std::string const name = text();
    state.settings[name] = text();
  }
  for (std::uint64_t k = number(); k > 0; --k) {
    state_array& array = state.arrays[text()];
    std::uint64_t const type = number();
    if (type >= state_types.size()) fail("a state from another process has an unknown type; all processes must run the same program");
    array.type = state_types[static_cast<std::size_t>(type)];
    for (std::uint64_t d = number(); d > 0; --d) array.shape.push_back(static_cast<std::size_t>(number()));
    auto const bytes = take(number());
    array.bytes.assign(bytes.begin(), bytes.end());
  }
  return state;
}

}  // namespace pareidolia::detail
