// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/arena.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

namespace pareidolia::detail {

/// When the arrays of a straight-line program are in use. Steps from `backward` to `end` may run any number of times after those before:
/// what they read of these keeps its place to the end.
class liveness {
 public:
  liveness(std::vector<std::size_t> const& sizes, std::size_t backward, std::size_t end) : backward_(backward), end_(end) {
    for (std::size_t const size : sizes) lives_.push_back({size, unused, 0});
  }

  /// Step `when` reads or writes the array.
  void touch(std::size_t array, std::size_t when) {
    lifetime& life = lives_[array];
    bool const kept = when >= backward_ && life.first < backward_;
    life.first = std::min(life.first, when);
    life.last = std::max(life.last, kept ? end_ : when);
  }
  /// The array is read behind the program, or written before step `first`: it keeps its place from there to the end.
  void pin(std::size_t array, std::size_t first) {
    touch(array, first);
    touch(array, end_);
  }

  /// Arrays that were never touched have no size.
  [[nodiscard]] arena_layout places(std::size_t alignment) const {
    std::vector<lifetime> lives = lives_;
    for (lifetime& life : lives)
      if (life.first == unused) life = {};
    return arrange(lives, alignment);
  }

 private:
  static constexpr std::size_t unused = std::numeric_limits<std::size_t>::max();

  std::size_t backward_, end_;
  std::vector<lifetime> lives_;
};

}  // namespace pareidolia::detail
