// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <jpeglib.h>
#include <png.h>

namespace pareidolia_test {

/// What a JPEG is made of: 8-bit samples, row by row, channels side by side. CMYK when there are 4.
struct jpeg_recipe {
  std::size_t height, width, channels;
  std::vector<std::uint8_t> samples;
  bool progressive = false;
  std::string exif = {};
  int quality = 100;
  std::vector<jpeg_scan_info> scans = {};
};

[[nodiscard]] inline std::string make_jpeg(jpeg_recipe const& is) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_height = static_cast<JDIMENSION>(is.height);
  info.image_width = static_cast<JDIMENSION>(is.width);
  info.input_components = static_cast<int>(is.channels);
  info.in_color_space = is.channels == 1 ? JCS_GRAYSCALE : is.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, is.quality, TRUE);
  info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;  // colours at full resolution
  if (is.progressive) jpeg_simple_progression(&info);
  if (!is.scans.empty()) {
    info.scan_info = is.scans.data();
    info.num_scans = static_cast<int>(is.scans.size());
  }
  jpeg_start_compress(&info, TRUE);
  if (!is.exif.empty())
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<JOCTET const*>(is.exif.data()), static_cast<unsigned>(is.exif.size()));
  for (std::size_t y = 0; y < is.height; ++y) {
    auto* row = const_cast<JSAMPROW>(is.samples.data() + y * is.width * is.channels);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes(reinterpret_cast<char const*>(memory), size);
  std::free(memory);
  return bytes;
}

/// What a PNG is made of: packed rows as the format stores them, one after another.
struct png_recipe {
  std::size_t height, width;
  int bits, colour;
  std::vector<std::uint8_t> rows;
  bool interlaced = false;
  std::vector<png_color> palette = {};
  std::vector<std::uint8_t> palette_alpha = {};
};

[[nodiscard]] inline std::string make_png(png_recipe const& is) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::string bytes;
  auto const append = [](png_structp p, png_bytep from, std::size_t count) {
    static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<char const*>(from), count);
  };
  png_set_write_fn(png, &bytes, append, [](png_structp) {});
  png_set_IHDR(png, info, static_cast<png_uint_32>(is.width), static_cast<png_uint_32>(is.height), is.bits, is.colour,
               is.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!is.palette.empty()) png_set_PLTE(png, info, is.palette.data(), static_cast<int>(is.palette.size()));
  if (!is.palette_alpha.empty()) png_set_tRNS(png, info, is.palette_alpha.data(), static_cast<int>(is.palette_alpha.size()), nullptr);
  png_write_info(png, info);
  std::vector<png_bytep> rows(is.height);
  for (std::size_t y = 0; y < is.height; ++y) rows[y] = const_cast<png_bytep>(is.rows.data() + y * (is.rows.size() / is.height));
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

}  // namespace pareidolia_test
