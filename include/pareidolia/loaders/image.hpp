// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/jpeg_decoder.hpp>
#include <pareidolia/detail/png_decoder.hpp>

#include <cstddef>
#include <filesystem>
#include <string>

namespace pareidolia {

/// The image of a PNG or JPEG file: (channels, height, width) in [0, 1], 1 channel when the file is grey and 3 (RGB) otherwise.
///
/// The first bytes decide the kind, not the name. Stored values are only divided by their largest (255, or 65535 for a PNG of 16 bits):
/// colour profiles and gamma are ignored, as classifiers are trained.
/// PNG: every depth, palettes, interlaced. Transparency is a black background, value * alpha: colours nobody sees do not matter.
/// JPEG: grey, YCbCr or RGB, baseline or progressive, turned upright as its EXIF orientation says. Decoders differ by a few of 255 levels.
/// Memory: the file, the decoded bytes and four bytes a value. Sides are 1 to 16384, and an image has at most 2^26 pixels and at most as
/// many as the best compression could put into its file: 8256 a byte for a PNG of one bit a pixel (344 in colour), 512 for a JPEG.
/// Errors: a missing, damaged or truncated file, another format, CMYK, an image above these limits.
[[nodiscard]] inline tensor<float, 3> read_image(std::filesystem::path const& path) {
  constexpr std::size_t largest = std::size_t{1} << 30;
  std::string const bytes = detail::read_file(path, largest), where = path.string() + ": ";
  if (bytes.empty()) detail::fail(where, "the file is empty");
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return detail::decode_png(bytes, where);
  if (bytes.starts_with("\xff\xd8\xff")) return detail::decode_jpeg(bytes, where);
  detail::fail(where, "this is neither a PNG nor a JPEG; convert it to one of them");
}

}  // namespace pareidolia
