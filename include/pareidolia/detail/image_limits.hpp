// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace pareidolia::detail {

/// Checks what the header of an image file claims, before anything of that size is allocated: sides, pixels, and that there are at most
/// `held`, the pixels that the best compression could put into the file. `where` starts the sentence.
inline void check_image_size(std::string const& where, std::size_t height, std::size_t width, std::uint64_t held) {
  constexpr std::size_t longest = 16384, most = std::size_t{1} << 26;
  if (height == 0 || width == 0 || height > longest || width > longest)
    fail(where, "the image is ", height, "x", width, "; sides must be 1 to ", longest);
  if (height * width > most) fail(where, "the image is ", height, "x", width, ", more than ", most, " pixels; make it smaller first");
  if (height * width > held) fail(where, "the image is ", height, "x", width, ", more than a file of its size can hold; it is damaged");
}

}  // namespace pareidolia::detail
