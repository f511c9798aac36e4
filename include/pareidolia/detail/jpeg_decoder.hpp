// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/image_limits.hpp>

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>  // jpeglib.h uses FILE and size_t without including anything
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <jpeglib.h>

namespace pareidolia::detail {

/// libjpeg reading from memory. Errors leave it by longjmp, which must not skip a destructor, so each use of it is a `step` that runs under
/// a setjmp of its own, with nothing but trivial objects between the two. Its warnings (data that ends early, a wrong code) are errors
/// here: what it would return is partly invented.
class jpeg_decoder {
 public:
  jpeg_decoder() {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = on_error;
    errors_.emit_message = [](j_common_ptr info, int level) {
      if (level < 0) on_error(info);
    };
    progress_.progress_monitor = on_progress;
  }
  jpeg_decoder(jpeg_decoder const&) = delete;
  jpeg_decoder& operator=(jpeg_decoder const&) = delete;
  ~jpeg_decoder() { jpeg_destroy_decompress(&info_); }

  /// Calls step(info). False when libjpeg found an error, which is then in message().
  template <class Step>
  [[nodiscard]] bool run(Step step) {
    static_assert(std::is_trivially_destructible_v<Step>);
    if (setjmp(failed_) != 0) return false;
    step(info_);
    return true;
  }

  /// Reads the header of the JPEG `bytes`, which must outlive the decoder. Once.
  [[nodiscard]] bool open(std::string_view bytes) {
    return run([this, bytes](jpeg_decompress_struct& info) {
      jpeg_create_decompress(&info);
      info.progress = &progress_;
      jpeg_mem_src(&info, reinterpret_cast<unsigned char const*>(bytes.data()), static_cast<unsigned long>(bytes.size()));
      jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
      jpeg_read_header(&info, TRUE);
    });
  }

  [[nodiscard]] jpeg_decompress_struct const& header() const { return info_; }
  [[nodiscard]] char const* message() const { return message_.data(); }

 private:
  [[noreturn]] static void on_error(j_common_ptr info) {
    auto& self = *static_cast<jpeg_decoder*>(info->client_data);
    info->err->format_message(info, self.message_.data());
    std::longjmp(self.failed_, 1);
  }
  // Each scan of a progressive file, however short, costs a pass over the whole image; real files have about ten.
  static void on_progress(j_common_ptr info) {
    auto& self = *static_cast<jpeg_decoder*>(info->client_data);
    if (self.info_.input_scan_number <= 500) return;
    std::snprintf(self.message_.data(), self.message_.size(), "it has more than 500 scans");
    std::longjmp(self.failed_, 1);
  }

  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf failed_;
  std::array<char, JMSG_LENGTH_MAX> message_{};
};

/// The orientation tag (0x0112) of an EXIF block: 1 (upright) to 8, and 1 where there is none or the block makes no sense.
[[nodiscard]] inline int exif_orientation(std::string_view block) {
  constexpr std::string_view start("Exif\0\0", 6);
  if (!block.starts_with(start)) return 1;
  block.remove_prefix(start.size());
  bool const little = block.starts_with("II");
  if (!little && !block.starts_with("MM")) return 1;
  auto const number = [&](std::size_t at, std::size_t width) {
    std::size_t value = 0;
    if (at > block.size() || block.size() - at < width) return value;
    for (std::size_t i = 0; i < width; ++i) value = value << 8 | static_cast<unsigned char>(block[at + (little ? width - 1 - i : i)]);
    return value;
  };
  if (number(2, 2) != 42) return 1;
  std::size_t const directory = number(4, 4), entries = number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    constexpr std::size_t tag = 0x0112, type_short = 3;
    std::size_t const at = directory + 2 + 12 * i;
    if (number(at, 2) != tag) continue;
    std::size_t const value = number(at + 8, 2);
    return number(at + 2, 2) == type_short && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

/// The image (channels, height, width) of a JPEG's bytes; the conventions are those of read_image. `where` starts the sentence of an error.
[[nodiscard]] inline tensor<float, 3> decode_jpeg(std::string_view bytes, std::string const& where) {
  jpeg_decoder decoder;
  auto const damaged = [&] { fail(where, "the JPEG is damaged or of an unknown kind (", decoder.message(), ")"); };
  if (!decoder.open(bytes)) damaged();
  auto const& header = decoder.header();
  std::size_t const height = header.image_height, width = header.image_width;
  constexpr std::uint64_t pixels_per_byte = 512;  // a block of 8x8 takes a bit at least
  check_image_size(where, height, width, pixels_per_byte * bytes.size());
  bool const grey = header.jpeg_color_space == JCS_GRAYSCALE;
  if (!grey && header.jpeg_color_space != JCS_YCbCr && header.jpeg_color_space != JCS_RGB)
    fail(where, "the colours of the JPEG are neither grey nor RGB (CMYK, most likely); convert it to RGB first");
  std::size_t const channels = grey ? 1 : 3;
  int orientation = 1;
  for (jpeg_saved_marker_ptr marker = header.marker_list; marker != nullptr && orientation == 1; marker = marker->next)
    orientation = exif_orientation({reinterpret_cast<char const*>(marker->data), marker->data_length});

  std::vector<std::uint8_t> pixels(channels * height * width);
  if (!decoder.run([&](jpeg_decompress_struct& info) {
        info.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
        jpeg_start_decompress(&info);
        while (info.output_scanline < info.output_height) {
          JSAMPROW row = pixels.data() + info.output_scanline * width * channels;
          jpeg_read_scanlines(&info, &row, 1);
        }
        jpeg_finish_decompress(&info);
      }))
    damaged();

  // Pixel (y, x) upright is pixel (row, column) of the file: exchanged for 5 to 8, then counted from the other end where flipped.
  bool const turned = orientation >= 5;
  bool const flip_row = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  bool const flip_column = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  auto image = filled<float, 3>({channels, turned ? width : height, turned ? height : width});
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t y = 0; y < image.shape()[1]; ++y)
      for (std::size_t x = 0; x < image.shape()[2]; ++x) {
        std::size_t row = turned ? x : y, column = turned ? y : x;
        if (flip_row) row = height - 1 - row;
        if (flip_column) column = width - 1 - column;
        image(c, y, x) = static_cast<float>(pixels[(row * width + column) * channels + c]) / 255.f;
      }
  return image;
}

}  // namespace pareidolia::detail
