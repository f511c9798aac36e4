// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/png.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

struct decoded {
  std::size_t channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;
};

decoded decode(std::vector<std::byte> const& bytes) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()) != 0);
  decoded result{PNG_IMAGE_SAMPLE_CHANNELS(header.format), header.height, header.width, {}};
  result.pixels.resize(PNG_IMAGE_SIZE(header));
  REQUIRE(png_image_finish_read(&header, nullptr, result.pixels.data(), 0, nullptr) != 0);
  return result;
}

TEST_CASE("every k / 255 is stored as k, and what is between as the nearest") {
  auto image = filled<float, 3>({1, 16, 16});
  for (std::size_t k = 0; k < 256; ++k) image.data()[k] = static_cast<float>(k) / 255.f;
  auto const result = decode(encode_png(as_view(image)));
  REQUIRE(result.channels == 1);
  REQUIRE(result.pixels.size() == 256);
  for (std::size_t k = 0; k < 256; ++k) CHECK(result.pixels[k] == k);

  auto few = filled<float, 3>({1, 1, 6});
  float const values[] = {0.49f / 255, 0.51f / 255, 254.49f / 255, 254.51f / 255, -3.f, 1.5f};
  std::copy(std::begin(values), std::end(values), few.data());
  CHECK(decode(encode_png(as_view(few))).pixels == std::vector<std::uint8_t>{0, 1, 254, 255, 0, 255});
}

TEST_CASE("channels become colours, rows stay rows") {
  auto image = filled<float, 3>({3, 2, 3});
  image(0, 0, 0) = 1;  // red, above left
  image(1, 0, 2) = 1;  // green, above right
  image(2, 1, 0) = 1;  // blue, below left
  auto const result = decode(encode_png(as_view(image)));
  CHECK(result.channels == 3);
  CHECK(result.height == 2);
  CHECK(result.width == 3);
  CHECK(result.pixels == std::vector<std::uint8_t>{255, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("the same image is the same file") {
  temporary_folder const folder;
  auto const image = filled<float, 3>({3, 20, 30}, 0.3f);
  write_png(folder / "a.png", as_view(image));
  write_png(folder / "b.png", as_view(image));
  CHECK(detail::read_file(folder / "a.png") == detail::read_file(folder / "b.png"));
  CHECK(detail::read_file(folder / "a.png").size() == encode_png(as_view(image)).size());
}

TEST_CASE("what is no image is refused") {
  auto const refusal = [](tensor<float, 3> const& image) { return error_of([&] { (void)encode_png(as_view(image)); }); };
  CHECK(contains(refusal(filled<float, 3>({2, 4, 4})), "2 channels; give 1 (grey) or 3 (RGB)"));
  CHECK(contains(refusal(filled<float, 3>({1, 0, 4})), "0x4"));
  CHECK(contains(refusal(filled<float, 3>({1, 1, 16385})), "1x16385"));
  auto image = filled<float, 3>({1, 2, 2});
  image(0, 1, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(contains(refusal(image), "pixel 3 of channel 0 is not a number"));
}

TEST_CASE("a contact sheet places, spaces and enlarges its images") {
  auto images = filled<float, 4>({3, 1, 1, 2});
  for (std::size_t i = 0; i < 6; ++i) images.data()[i] = static_cast<float>(i) / 10;
  auto const sheet = contact_sheet(as_view(images), 2, 1, 2);
  REQUIRE(sheet.shape()[0] == 1);
  REQUIRE(sheet.shape()[1] == 2 * 2 + 3);
  REQUIRE(sheet.shape()[2] == 2 * 4 + 3);
  for (std::size_t y = 0; y < 7; ++y)
    for (std::size_t x = 0; x < 11; ++x) {
      bool const gap = y % 3 == 0 || x % 5 == 0;
      std::size_t const image = 2 * (y / 3) + x / 5, pixel = (x % 5 - 1) / 2;
      CHECK(sheet(0, y, x) == (gap || image > 2 ? 1.f : images(image, 0, 0, pixel)));
    }
  CHECK(contact_sheet(as_view(images), 9, 0).shape()[2] == 6);
  CHECK(contains(error_of([&] { (void)contact_sheet(as_view(images), 0); }), "one column"));
}

}  // namespace
