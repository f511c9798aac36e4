// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/image.hpp>

#include <doctest/doctest.h>

#include <pareidolia/io/png.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "support/data.hpp"
#include "support/files.hpp"
#include "support/images.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

using bytes_of = std::vector<std::uint8_t>;

tensor<float, 3> read_bytes(std::string const& bytes) {
  temporary_folder const folder;
  return read_image(put(folder / "picture", bytes));
}

std::string refusal(std::string const& bytes) {
  return error_of([&] { (void)read_bytes(bytes); });
}

std::vector<float> values(tensor<float, 3> const& image) { return {image.data(), image.data() + image.size()}; }

std::vector<float> divided(std::vector<int> const& levels, float largest = 255) {
  std::vector<float> result;
  for (int const level : levels) result.push_back(static_cast<float>(level) / largest);
  return result;
}

image_shape shape_of(tensor<float, 3> const& image) { return {image.shape()[0], image.shape()[1], image.shape()[2]}; }

/// Blocks of 8x8 pixels, 2 rows of 3, grey levels 20 to 220.
jpeg_recipe six_blocks() {
  jpeg_recipe recipe{16, 24, 1, {}};
  for (std::size_t y = 0; y < 16; ++y)
    for (std::size_t x = 0; x < 24; ++x) recipe.samples.push_back(static_cast<std::uint8_t>(20 + 40 * (y / 8 * 3 + x / 8)));
  return recipe;
}

/// The letters a to f of the blocks, row by row, rows ended by '/'; '?' for a block that is none or not constant.
std::string letters(tensor<float, 3> const& image) {
  std::string result;
  for (std::size_t y = 0; y < image.shape()[1]; y += 8) {
    for (std::size_t x = 0; x < image.shape()[2]; x += 8) {
      auto const letter = [&](std::size_t i, std::size_t j) {
        float const exact = (255 * image(0, y + i, x + j) - 20) / 40;
        return std::abs(exact - std::round(exact)) < 0.05f ? static_cast<char>('a' + std::lround(exact)) : '?';
      };
      result += letter(0, 0) == letter(7, 7) && letter(0, 7) == letter(7, 0) && letter(0, 0) == letter(0, 7) ? letter(0, 0) : '?';
    }
    result += '/';
  }
  return result;
}

std::string exif(bool little, int orientation) {
  auto const number = [little](unsigned value, int width) {
    std::string bytes;
    for (int i = 0; i < width; ++i) bytes.push_back(static_cast<char>(value >> 8 * (little ? i : width - 1 - i) & 255));
    return bytes;
  };
  auto const entry = [&](unsigned tag, unsigned value) {
    return number(tag, 2) + number(3, 2) + number(1, 4) + number(value, 2) + number(0, 2);
  };
  return std::string("Exif\0\0", 6) + (little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(2, 2) + entry(0x0111, 5) +
         entry(0x0112, static_cast<unsigned>(orientation)) + number(0, 4);
}

TEST_CASE("what write_png writes comes back, grey and RGB") {
  temporary_folder const folder;
  for (std::size_t const channels : {1u, 3u}) {
    auto image = filled<float, 3>({channels, 5, 7});
    for (std::size_t i = 0; i < image.size(); ++i) image.data()[i] = static_cast<float>(i * 2) / 255.f;
    write_png(folder / "image.jpg", as_view(image));  // the name lies
    auto const back = read_image(folder / "image.jpg");
    CHECK(shape_of(back) == image_shape{channels, 5, 7});
    CHECK(values(back) == values(image));
  }
}

TEST_CASE("a PNG of 16 bits keeps them, one of a single bit is black and white") {
  auto const deep = read_bytes(make_png({1, 3, 16, PNG_COLOR_TYPE_GRAY, {0, 1, 0x12, 0x34, 0xff, 0xff}}));
  CHECK(values(deep) == divided({1, 0x1234, 0xffff}, 65535));
  auto const flat = read_bytes(make_png({2, 3, 1, PNG_COLOR_TYPE_GRAY, {0b10100000, 0b01000000}}));
  CHECK(shape_of(flat) == image_shape{1, 2, 3});
  CHECK(values(flat) == std::vector<float>{1, 0, 1, 0, 1, 0});
}

TEST_CASE("a palette becomes RGB, transparency a black background") {
  std::vector<png_color> const palette{{255, 0, 0}, {10, 20, 30}, {0, 102, 255}};
  bytes_of const indices{0x01, 0x20};  // 0 1 2 in four bits each
  CHECK(values(read_bytes(make_png({1, 3, 4, PNG_COLOR_TYPE_PALETTE, indices, false, palette}))) ==
        divided({255, 10, 0, 0, 20, 102, 0, 30, 255}));
  CHECK(values(read_bytes(make_png({1, 3, 4, PNG_COLOR_TYPE_PALETTE, indices, false, palette, {0, 255, 255}}))) ==
        divided({0, 10, 0, 0, 20, 102, 0, 30, 255}));

  auto const grey = read_bytes(make_png({1, 3, 8, PNG_COLOR_TYPE_GRAY_ALPHA, {200, 255, 200, 0, 100, 51}}));
  CHECK(shape_of(grey) == image_shape{1, 1, 3});
  CHECK(grey(0, 0, 0) == 200 / 255.f);
  CHECK(grey(0, 0, 1) == 0);
  CHECK(grey(0, 0, 2) == doctest::Approx(100 / 255. / 5));
  auto const colour = read_bytes(make_png({1, 1, 16, PNG_COLOR_TYPE_RGB_ALPHA, {0xff, 0xff, 0x80, 0, 0, 0, 0x80, 0}}));
  CHECK(shape_of(colour) == image_shape{3, 1, 1});
  CHECK(colour(0, 0, 0) == doctest::Approx(32768 / 65535.));
  CHECK(colour(1, 0, 0) == doctest::Approx(32768 / 65535. * 32768 / 65535.));
  CHECK(colour(2, 0, 0) == 0);
}

TEST_CASE("an interlaced PNG is the same image") {
  png_recipe recipe{13, 11, 8, PNG_COLOR_TYPE_RGB, {}};
  for (std::size_t i = 0; i < std::size_t{13} * 11 * 3; ++i) recipe.rows.push_back(static_cast<std::uint8_t>(i * 7));
  auto const plain = read_bytes(make_png(recipe));
  recipe.interlaced = true;
  CHECK(values(read_bytes(make_png(recipe))) == values(plain));
  CHECK(plain(1, 2, 3) == static_cast<float>(((2 * 11 + 3) * 3 + 1) * 7 % 256) / 255.f);
}

TEST_CASE("a JPEG is read to three levels, baseline and progressive") {
  jpeg_recipe recipe{20, 30, 3, {}};
  for (std::size_t y = 0; y < 20; ++y)
    for (std::size_t x = 0; x < 30; ++x)
      for (std::size_t const level : {8 * x, 12 * y, 255 - 4 * (x + y)}) recipe.samples.push_back(static_cast<std::uint8_t>(level));
  for (bool const progressive : {false, true}) {
    recipe.progressive = progressive;
    auto const image = read_bytes(make_jpeg(recipe));
    REQUIRE(shape_of(image) == image_shape{3, 20, 30});
    float worst = 0;
    for (std::size_t i = 0; i < recipe.samples.size(); ++i)
      worst = std::max(worst, std::abs(255 * image.data()[i % 3 * 600 + i / 3] - static_cast<float>(recipe.samples[i])));
    CHECK(worst < 3.5f);
  }
  CHECK(letters(read_bytes(make_jpeg(six_blocks()))) == "abc/def/");
}

TEST_CASE("a JPEG is turned upright") {
  std::array<char const*, 8> const upright{"abc/def/",  "cba/fed/",  "fed/cba/",  "def/abc/",
                                           "ad/be/cf/", "da/eb/fc/", "fc/eb/da/", "cf/be/ad/"};
  auto recipe = six_blocks();
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (bool const little : {true, false}) {
      CAPTURE(orientation);
      recipe.exif = exif(little, orientation);
      CHECK(letters(read_bytes(make_jpeg(recipe))) == upright[static_cast<std::size_t>(orientation - 1)]);
    }
  for (int const nonsense : {0, 9, 65535}) {
    recipe.exif = exif(true, nonsense);
    CHECK(letters(read_bytes(make_jpeg(recipe))) == "abc/def/");
  }
}

TEST_CASE("an EXIF block that is cut short or damaged is at worst no orientation") {
  std::string const good = exif(false, 6);
  for (std::size_t size = 0; size < good.size(); ++size) {
    int const found = detail::exif_orientation(good.substr(0, size));
    CHECK((found == 1 || found == 6));
  }
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int value = 0; value < 256; ++value) {
      std::string bad = good;
      bad[i] = static_cast<char>(value);
      int const found = detail::exif_orientation(bad);
      CHECK((found >= 1 && found <= 8));
    }
}

TEST_CASE("what is no image is refused with a sentence that names the file") {
  temporary_folder const folder;
  auto const message = [](std::filesystem::path const& path) {
    auto const text = error_of([&] { (void)read_image(path); });
    CHECK(text.starts_with(path.string() + ": "));
    return text;
  };
  CHECK(contains(message(folder / "missing.png"), "no such file"));
  CHECK(contains(message(folder.path()), "folder"));
  CHECK(contains(message(put(folder / "empty.png", "")), "empty"));
  CHECK(contains(message(put(folder / "text.png", "GIF89a, perhaps")), "neither a PNG nor a JPEG"));
  CHECK(contains(message(put(folder / "cut.png", "\x89PNG\r\n\x1a\n")), "cut short"));
  CHECK(contains(message(put(folder / "cut.jpg", "\xff\xd8\xff")), "damaged"));
  CHECK(contains(message(put(folder / "cmyk.jpg", make_jpeg({8, 8, 4, bytes_of(256, 99)}))), "CMYK"));
}

TEST_CASE("an image that claims to be too large is refused before its pixels are read") {
  CHECK(contains(refusal(make_png({1, 16385, 8, PNG_COLOR_TYPE_GRAY, bytes_of(16385)})), "1x16385; sides must be 1 to 16384"));
  CHECK(shape_of(read_bytes(make_png({1, 16384, 8, PNG_COLOR_TYPE_GRAY, bytes_of(16384)}))) == image_shape{1, 1, 16384});
  CHECK(contains(refusal(make_jpeg({16385, 1, 1, bytes_of(16385)})), "16385x1; sides must be 1 to 16384"));

  std::string jpeg = make_jpeg(six_blocks());
  std::size_t const frame = jpeg.find("\xff\xc0");
  REQUIRE(frame != jpeg.npos);
  jpeg.replace(frame + 5, 4, std::string("\x30\x00\x30\x00", 4));
  CHECK(contains(refusal(jpeg), "12288x12288, more than 67108864 pixels"));
}

TEST_CASE("an image that its file cannot hold is refused before room is made for it, the flattest is read") {
  std::string png = make_png({8, 8, 1, PNG_COLOR_TYPE_GRAY, bytes_of(8)});
  std::size_t const chunk = png.find("IHDR");
  png.replace(chunk + 4, 8, std::string("\0\0\x1f\0\0\0\x1f\0", 8));
  auto const sum = crc32(0, reinterpret_cast<Bytef const*>(png.data()) + chunk, 17);
  for (std::size_t i = 0; i < 4; ++i) png[chunk + 17 + i] = static_cast<char>(sum >> (24 - 8 * i));
  CHECK(contains(refusal(png), "7936x7936, more than a file of its size can hold"));
  CHECK(shape_of(read_bytes(make_png({1024, 8192, 1, PNG_COLOR_TYPE_GRAY, bytes_of(1024 * 1024)}))) == image_shape{1, 1024, 8192});

  std::string jpeg = make_jpeg(six_blocks());
  jpeg.replace(jpeg.find("\xff\xc0") + 5, 4, std::string("\x10\x00\x10\x00", 4));
  CHECK(contains(refusal(jpeg), "4096x4096, more than a file of its size can hold"));
  jpeg_recipe flat{2048, 2048, 1, bytes_of(2048 * 2048, 255)};
  flat.scans = {{1, {0}, 0, 0, 0, 0}, {1, {0}, 1, 63, 0, 0}};
  CHECK(shape_of(read_bytes(make_jpeg(flat))) == image_shape{1, 2048, 2048});
}

TEST_CASE("a JPEG whose many scans would take hours is refused") {
  auto recipe = six_blocks();
  recipe.scans = {{1, {0}, 0, 0, 0, 0}, {1, {0}, 1, 63, 0, 0}};
  std::string const jpeg = make_jpeg(recipe);
  CHECK(letters(read_bytes(jpeg)) == "abc/def/");
  std::string const scan = jpeg.substr(jpeg.rfind("\xff\xda"), jpeg.size() - 2 - jpeg.rfind("\xff\xda"));
  std::string many = jpeg.substr(0, jpeg.size() - 2);
  for (int i = 0; i < 600; ++i) many += scan;
  CHECK(contains(refusal(many + "\xff\xd9"), "more than 500 scans"));
}

TEST_CASE("a file that is cut short anywhere is refused, a damaged one read or refused") {
  temporary_folder const folder;
  png_recipe png{6, 5, 8, PNG_COLOR_TYPE_RGB, {}};
  for (int i = 0; i < 6 * 5 * 3; ++i) png.rows.push_back(static_cast<std::uint8_t>(i * 37));
  jpeg_recipe jpeg{11, 9, 3, {}};
  for (int i = 0; i < 11 * 9 * 3; ++i) jpeg.samples.push_back(static_cast<std::uint8_t>(i * 37));
  jpeg.quality = 75;
  jpeg.exif = exif(true, 6);
  std::vector<std::string> files{make_png(png), make_jpeg(jpeg)};
  png.interlaced = jpeg.progressive = true;
  files.push_back(make_png(png));
  files.push_back(make_jpeg(jpeg));
  for (std::string const& good : files) {
    auto const report = read_damaged(folder / "image", good, [](auto const& path) { return read_image(path); });
    CHECK(report.refused_when_cut == good.size());
    CHECK(report.refused > report.refused_when_cut);
  }
}

TEST_CASE("data: the thousand sample images are read, and are what another decoder made of them") {
  std::ifstream labels(data_path("imagenet/samples_labels.txt"));
  std::ifstream raw(data_path("imagenet/subset100_256x256_rgb.u8"), std::ios::binary);
  std::size_t count = 0, compared = 0;
  std::string name;
  for (int label = 0; labels >> name >> label; ++count) {
    auto const image = read_image(data_path("imagenet/samples256/" + name));
    REQUIRE(shape_of(image) == image_shape{3, 256, 256});
    if (label % 10 != 0) continue;
    bytes_of expected(image.size());
    raw.read(reinterpret_cast<char*>(expected.data()), static_cast<std::streamsize>(expected.size()));
    REQUIRE(raw);
    float worst = 0;
    double sum = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      float const difference = std::abs(255 * image.data()[i % 3 * 65536 + i / 3] - static_cast<float>(expected[i]));
      worst = std::max(worst, difference);
      sum += static_cast<double>(difference);
    }
    CAPTURE(name);
    CHECK(worst < 4);
    CHECK(sum / static_cast<double>(expected.size()) < 0.1);
    ++compared;
  }
  CHECK(count == 1000);
  CHECK(compared == 100);
}

}  // namespace
