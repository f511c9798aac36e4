// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/io/atomic_file.hpp>

#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace pareidolia {

/// A PNG of one image (channels, height, width) of 1 (grey) or 3 (RGB) channels, 8 bits each.
///
/// byte = round(255 x), so k / 255 is stored exactly; values outside [0, 1] are stored as the nearest end.
/// Errors: another number of channels, an empty image or one of more than 16384 pixels a side, a NaN.
[[nodiscard]] inline std::vector<std::byte> encode_png(view<float const, 3> image) {
  auto const [channels, height, width] = image.shape;
  constexpr std::size_t longest = 16384;
  if (channels != 1 && channels != 3) detail::fail("png: the image has ", channels, " channels; give 1 (grey) or 3 (RGB)");
  if (height == 0 || width == 0 || height > longest || width > longest)
    detail::fail("png: the image is ", height, "x", width, "; sides must be 1 to ", longest);

  std::vector<std::uint8_t> pixels(image.size());
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t i = 0; i < height * width; ++i) {
      float const v = image.data[c * height * width + i];
      if (std::isnan(v)) detail::fail("png: pixel ", i, " of channel ", c, " is not a number");
      pixels[i * channels + c] = static_cast<std::uint8_t>(std::lround(255.f * std::clamp(v, 0.f, 1.f)));
    }

  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(width);
  header.height = static_cast<png_uint_32>(height);
  header.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::vector<std::byte> bytes(size);
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, pixels.data(), 0, nullptr) == 0)
    detail::fail("png: the image could not be encoded (", header.message, ")");
  bytes.resize(size);
  return bytes;
}

/// Writes the PNG of one image (channels, height, width), complete or not at all. Errors: those of encode_png and atomic_file.
inline void write_png(std::filesystem::path const& path, view<float const, 3> image) { detail::write_file(path, {encode_png(image)}); }

/// Images (count, channels, height, width) side by side, in rows of `columns`, on white, `gap` pixels apart and around; each pixel becomes
/// scale x scale. Returns (channels, height', width').
[[nodiscard]] inline tensor<float, 3> contact_sheet(view<float const, 4> images, std::size_t columns, std::size_t gap = 2,
                                                    std::size_t scale = 1) {
  auto const [count, channels, height, width] = images.shape;
  if (count == 0 || columns == 0 || scale == 0) detail::fail("contact_sheet: give at least one image, one column and a scale of 1");
  columns = std::min(columns, count);
  std::size_t const rows = (count + columns - 1) / columns;
  auto sheet = filled<float, 3>({channels, rows * (scale * height + gap) + gap, columns * (scale * width + gap) + gap}, 1.f);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t const top = gap + i / columns * (scale * height + gap), left = gap + i % columns * (scale * width + gap);
    float const* const pixels = images.row(i).data();
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t y = 0; y < scale * height; ++y)
        for (std::size_t x = 0; x < scale * width; ++x) sheet(c, top + y, left + x) = pixels[(c * height + y / scale) * width + x / scale];
  }
  return sheet;
}

}  // namespace pareidolia
