// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/folder.hpp>

#include <doctest/doctest.h>

#include <pareidolia/io/png.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/data.hpp"
#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

/// A grey image whose columns are `levels` / 255, `height` rows of them.
tensor<float, 3> columns(std::vector<int> const& levels, std::size_t height) {
  auto image = filled<float, 3>({1, height, levels.size()});
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < levels.size(); ++x) image(0, y, x) = static_cast<float>(levels[x]) / 255.f;
  return image;
}

std::vector<float> values(tensor<float, 3> const& image) { return {image.data(), image.data() + image.size()}; }

TEST_CASE("a wide image loses its sides, a high one its top and bottom") {
  auto const wide = columns({10, 20, 30, 40, 50, 60}, 2);
  CHECK(values(fit_image(as_view(wide), {1, 2, 2})) == values(columns({30, 40}, 2)));
  CHECK(values(fit_image(as_view(wide), {1, 2, 4})) == values(columns({20, 30, 40, 50}, 2)));
  auto high = filled<float, 3>({1, 5, 1});
  for (std::size_t y = 0; y < 5; ++y) high(0, y, 0) = static_cast<float>(y);
  CHECK(values(fit_image(as_view(high), {1, 1, 1})) == std::vector<float>{2});
  CHECK(values(fit_image(as_view(high), {1, 3, 1})) == std::vector<float>{1, 2, 3});
}

TEST_CASE("stretching keeps everything") {
  auto const wide = columns({0, 0, 0, 255, 255, 255}, 2);
  auto const result = fit_image(as_view(wide), {1, 2, 2}, framing::stretch);
  auto const expected = resize(as_view(wide), 2, 2);
  CHECK(values(result) == values(expected));
  CHECK(result(0, 0, 0) < 0.2f);
  CHECK(result(0, 0, 0) > 0);
}

TEST_CASE("grey becomes RGB by repetition, RGB grey by luma") {
  auto const grey = columns({51, 102}, 1);
  CHECK(values(fit_image(as_view(grey), {3, 1, 2})) == std::vector<float>{0.2f, 0.4f, 0.2f, 0.4f, 0.2f, 0.4f});
  auto colour = filled<float, 3>({3, 1, 1});
  colour(0, 0, 0) = 1, colour(1, 0, 0) = 0.5f, colour(2, 0, 0) = 0.25f;
  CHECK(fit_image(as_view(colour), {1, 1, 1})(0, 0, 0) == doctest::Approx(0.299 + 0.587 / 2 + 0.114 / 4));
  CHECK(values(fit_image(as_view(colour), {3, 1, 1})) == values(colour));
}

TEST_CASE("a needle is no reason to allocate a field") {
  auto const needle = filled<float, 3>({1, 1, 16384}, 0.5f);
  auto const result = fit_image(as_view(needle), {3, 8, 8});
  CHECK(values(result) == std::vector<float>(3 * 64, 0.5f));
}

TEST_CASE("other channels and empty images are refused") {
  auto const two = filled<float, 3>({2, 4, 4}), grey = filled<float, 3>({1, 4, 4}), none = filled<float, 3>({1, 0, 4});
  CHECK(contains(error_of([&] { (void)fit_image(as_view(two), {3, 4, 4}); }), "from 2 to 3 channels"));
  CHECK(contains(error_of([&] { (void)fit_image(as_view(grey), {4, 4, 4}); }), "from 1 to 4 channels"));
  CHECK(contains(error_of([&] { (void)fit_image(as_view(grey), {1, 0, 4}); }), "empty"));
  CHECK(contains(error_of([&] { (void)fit_image(as_view(none), {1, 4, 4}); }), "empty"));
}

TEST_CASE("a folder is read in the order of names, a list in its own with its labels") {
  temporary_folder const folder;
  write_png(folder / "b.png", as_view(columns({102}, 1)));
  write_png(folder / "a b.png", as_view(columns({51}, 1)));
  write_png(folder / "c", as_view(columns({153, 153}, 2)));
  put(folder / ".hidden", "no image");
  std::filesystem::create_directory(folder / "below");

  auto const all = read_images(folder.path(), {1, 1, 1});
  REQUIRE(all.size() == 3);
  CHECK(all.labels.empty());
  CHECK(std::vector<float>(all.images.data(), all.images.data() + 3) == std::vector<float>{0.2f, 0.4f, 0.6f});

  auto const some = read_images(put(folder / "below/list.txt", "../c 7\r\n\n../a b.png\t 0\n../b.png 12"), {3, 2, 2});
  CHECK(some.labels == std::vector<int>{7, 0, 12});
  REQUIRE(some.images.shape() == tensor<float, 4>::shape_type{3, 3, 2, 2});
  CHECK(some.images(0, 2, 1, 1) == 0.6f);
  CHECK(some.images(1, 0, 0, 0) == 0.2f);
  CHECK(some.images(2, 1, 0, 1) == 0.4f);
}

TEST_CASE("nothing is left out in silence") {
  temporary_folder const folder;
  auto const message = [&](std::filesystem::path const& path) { return error_of([&] { (void)read_images(path, {1, 4, 4}); }); };
  CHECK(contains(message(folder.path()), "there are no images"));
  CHECK(contains(message(folder / "missing"), "no such file"));
  for (char const* const line : {"a.png", "a.png x", "a.png -1", " 3", "3", "a.png 3.5", "a.png 99999999999"})
    CHECK(contains(message(put(folder / "list", std::string("\n") + line)), "list: line 2 is not a file name, a space and a class index"));
  CHECK(contains(message(put(folder / "list", "\n \n")), "there are no images"));
  CHECK(contains(message(put(folder / "list", "a.png 3")), "a.png: there is no such file"));
  CHECK(contains(message(folder.path()), "list: this is neither a PNG nor a JPEG"));
  std::filesystem::create_symlink("nowhere", folder / "link");
  std::filesystem::remove(folder / "list");
  CHECK(contains(message(folder.path()), "link: there is no such file"));
}

TEST_CASE("no room is made for images before all of them are there") {
  temporary_folder const folder;
  write_png(folder / "a.png", as_view(columns({102}, 1)));
  auto const list = put(folder / "list", "a.png 0\nb.png 1\n");
  std::size_t const most = std::size_t{1} << 30;  // squared, more than any machine has
  CHECK(contains(error_of([&] { (void)read_images(list, {1, most, most}); }), "b.png: there is no such file"));
}

TEST_CASE("data: sample images by a list, for a network of 224 x 224") {
  temporary_folder const folder;
  std::ifstream names(data_path("imagenet/samples_labels.txt"));
  std::ofstream list(folder / "list.txt");
  auto const samples = data_path("imagenet/samples256");
  std::string line;
  for (int i = 0; i < 20 && std::getline(names, line); ++i) list << (samples / line).string() << '\n';
  list.close();
  auto const set = read_images(folder / "list.txt", {3, 224, 224});
  REQUIRE(set.images.shape() == tensor<float, 4>::shape_type{20, 3, 224, 224});
  for (int i = 0; i < 20; ++i) CHECK(set.labels[static_cast<std::size_t>(i)] == i);
}

}  // namespace
