// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstdint>
#include <limits>

namespace pareidolia {

/// An image that became the champion of a class. One image may take several classes in its generation: as many births with one id.
struct birth {
  static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t id = 0;          ///< of the image
  std::uint64_t parent = none;   ///< id of the champion it was made of; none if it was drawn
  std::uint64_t generation = 0;  ///< that made it
  std::uint32_t cell = 0;        ///< the class it became the champion of
  std::uint32_t from = 0;        ///< the class whose champion its parent was when it was chosen; `cell` if it was drawn
  float value = 0;               ///< its objective for `cell`

  friend bool operator==(birth const&, birth const&) = default;
};

}  // namespace pareidolia
