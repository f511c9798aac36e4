// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/image_limits.hpp>

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pareidolia::detail {

/// libpng reading from memory. It reports errors by longjmp, which must not skip a destructor, so each use of it is a `step` that runs
/// under a setjmp of its own, with nothing but trivial objects between the two.
class png_decoder {
 public:
  explicit png_decoder(std::string_view bytes) : rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      fail("libpng could not be started; the headers and the library may be of different versions");
    }
    png_set_read_fn(png_, this, on_read);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // texts and profiles, which may unpack to megabytes
  }
  png_decoder(png_decoder const&) = delete;
  png_decoder& operator=(png_decoder const&) = delete;
  ~png_decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }

  /// Calls step(png, info). False when libpng found an error, which is then in message().
  template <class Step>
  [[nodiscard]] bool run(Step step) {
    static_assert(std::is_trivially_destructible_v<Step>);
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    step(png_, info_);
    return true;
  }

  [[nodiscard]] char const* message() const { return message_.data(); }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto& self = *static_cast<png_decoder*>(png_get_error_ptr(png));
    std::strncpy(self.message_.data(), message, self.message_.size() - 1);
    png_longjmp(png, 1);
  }
  // What libpng only warns of (an odd colour profile, say) leaves the pixels whole.
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep out, std::size_t count) {
    auto& self = *static_cast<png_decoder*>(png_get_io_ptr(png));
    if (count > self.rest_.size()) png_error(png, "the file is cut short");
    std::memcpy(out, self.rest_.data(), count);
    self.rest_.remove_prefix(count);
  }

  std::string_view rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::array<char, 200> message_{};
};

/// The image (channels, height, width) of a PNG's bytes; the conventions are those of read_image. `where` starts the sentence of an error.
[[nodiscard]] inline tensor<float, 3> decode_png(std::string_view bytes, std::string const& where) {
  struct header {
    std::size_t height, width, channels, bits, row;
  } is{};
  png_decoder decoder(bytes);
  auto const damaged = [&] { fail(where, "the PNG is damaged (", decoder.message(), ")"); };
  auto const read_header = [&is](png_structp png, png_infop info) {
    png_read_info(png, info);
    is.height = png_get_image_height(png, info);
    is.width = png_get_image_width(png, info);
    is.bits = png_get_bit_depth(png, info) * std::size_t{png_get_channels(png, info)};
  };
  auto const expand = [&is](png_structp png, png_infop info) {
    png_set_expand(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    is.channels = png_get_channels(png, info);
    is.bits = png_get_bit_depth(png, info);
    is.row = png_get_rowbytes(png, info);
  };
  if (!decoder.run(read_header)) damaged();
  check_image_size(where, is.height, is.width, largest_deflate_ratio * 8 / is.bits * bytes.size());
  if (!decoder.run(expand)) damaged();

  std::vector<std::uint8_t> pixels(is.height * is.row);
  std::vector<png_bytep> rows(is.height);
  for (std::size_t y = 0; y < is.height; ++y) rows[y] = pixels.data() + y * is.row;
  if (!decoder.run([&rows](png_structp png, png_infop) {
        png_read_image(png, rows.data());
        png_read_end(png, nullptr);
      }))
    damaged();

  std::size_t const colours = is.channels < 3 ? 1 : 3, count = is.height * is.width;
  bool const transparent = is.channels != colours, wide = is.bits == 16;
  auto const sample = [&](std::size_t i) {
    return wide ? static_cast<float>(pixels[2 * i] << 8 | pixels[2 * i + 1]) / 65535.f : static_cast<float>(pixels[i]) / 255.f;
  };
  auto image = filled<float, 3>({colours, is.height, is.width});
  for (std::size_t i = 0; i < count; ++i) {
    float const opacity = transparent ? sample(i * is.channels + colours) : 1.f;
    for (std::size_t c = 0; c < colours; ++c) image.data()[c * count + i] = opacity * sample(i * is.channels + c);
  }
  return image;
}

}  // namespace pareidolia::detail
