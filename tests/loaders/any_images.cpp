// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/any_images.hpp>

#include <pareidolia/io/png.hpp>

#include <doctest/doctest.h>

#include <support/data.hpp>
#include <support/files.hpp>

#include <filesystem>
#include <string>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

void write_grey(std::filesystem::path const& path, float grey) {
  auto const image = filled<float, 3>({1, 4, 4}, grey);
  write_png(path, as_view(image));
}

}  // namespace

TEST_CASE("files and folders are read in their order, as many as are wanted") {
  temporary_folder const folder;
  std::filesystem::create_directory(folder / "more");
  write_grey(folder / "z.png", .2f);
  write_grey(folder / "more/a.png", .4f);
  write_grey(folder / "more/b.png", .6f);
  std::vector<std::string> const files{(folder / "z.png").string(), (folder / "more").string(), (folder / "z.png").string()};
  auto const all = read_any_images(files, {3, 2, 2}, 100);
  REQUIRE(all.shape()[0] == 4);
  float const greys[] = {.2f, .4f, .6f, .2f};
  for (std::size_t i = 0; i < 4; ++i)
    for (float v : as_view(all).row(i)) CHECK(v == doctest::Approx(greys[i]).epsilon(.01));
  CHECK(read_any_images(files, {1, 4, 4}, 2).shape()[0] == 2);
}

TEST_CASE("no images are one sentence") {
  CHECK_THROWS_WITH_AS(static_cast<void>(read_any_images({}, {1, 4, 4}, 5)), doctest::Contains("no images were given"), error);
}

TEST_CASE("data: digits come from MNIST's own files, at their size alone") {
  std::vector<std::string> const files{data_path("mnist/t10k-images-idx3-ubyte.gz").string()};
  CHECK(read_any_images(files, {1, 28, 28}, 7).shape()[0] == 7);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_any_images(files, {3, 28, 28}, 7)), doctest::Contains("wanted are 3x28x28"), error);
}

TEST_CASE("data: a file of CIFAR-10 is its images") {
  std::vector<std::string> const files{data_path("cifar10/cifar10_test_first1000.bin").string()};
  CHECK(read_any_images(files, {3, 32, 32}, 1000).shape()[0] == 1000);
}
