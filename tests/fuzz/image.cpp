// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/image.hpp>

#include <zlib.h>

#include <string>

#include "images.hpp"

namespace {

/// The bytes with the checksums of a PNG's chunks made right, without which libpng looks at nothing.
std::string with_checksums(std::string bytes) {
  auto const number = [&](std::size_t at) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  };
  constexpr std::size_t signature = 8, frame = 12;
  for (std::size_t at = signature; bytes.size() >= frame && at <= bytes.size() - frame;) {
    std::size_t const size = number(at);
    if (size > bytes.size() - frame - at) break;
    auto const sum = crc32(0, reinterpret_cast<Bytef const*>(bytes.data()) + at + 4, static_cast<uInt>(size + 4));
    for (std::size_t i = 0; i < 4; ++i) bytes[at + 8 + size + i] = static_cast<char>(sum >> (24 - 8 * i));
    at += frame + size;
  }
  return bytes;
}

}  // namespace

// A byte of a PNG can be 8 x 1032 pixels; in memory a pixel is 4 bytes as decoded and 12 as floats. A JPEG stays below that.
extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  constexpr std::uint64_t most_pixels = std::uint64_t{1} << 26, bytes_a_pixel = 16;
  std::uint64_t const pixels = std::min(most_pixels, 8 * pareidolia::detail::largest_deflate_ratio * size);
  std::uint64_t const limit = pareidolia::detail::allocation_limit(size) + bytes_a_pixel * pixels;
  auto const are_pixels = [](auto const& image) { return pareidolia_test::are_pixels(image); };
  std::string const bytes(data, size);
  pareidolia_test::fuzz(bytes.starts_with("\x89PNG") ? with_checksums(bytes) : bytes, limit, pareidolia::read_image, are_pixels);
  return 0;
}
