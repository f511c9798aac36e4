// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/mnist.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "support/data.hpp"
#include "support/files.hpp"
#include "support/gzip.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

std::string big_endian(std::vector<std::uint32_t> const& numbers) {
  std::string bytes;
  for (std::uint32_t const n : numbers)
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(n >> shift & 255));
  return bytes;
}

std::string const images = big_endian({2051, 3, 2, 2}) + std::string("\x00\x01\x33\xff\x80\x7f\x00\x00\x01\x02\x03\x04", 12);
std::string const labels = big_endian({2049, 3}) + std::string("\x00\x09\x05", 3);

struct pair_of_files {
  temporary_folder folder;
  std::filesystem::path first, second;

  pair_of_files(std::string const& a, std::string const& b) : first(put(folder / "images", a)), second(put(folder / "labels", b)) {}
  [[nodiscard]] labelled_images read() const { return read_mnist(first, second); }
};

std::string refusal(std::string const& a, std::string const& b) {
  pair_of_files const files(a, b);
  return error_of([&] { (void)files.read(); });
}

TEST_CASE("plain and gzip IDX files give pixels over 255 and labels") {
  for (bool const zipped : {false, true}) {
    auto const read = pair_of_files(zipped ? gzip(images) : images, zipped ? gzip(labels) : labels).read();
    REQUIRE(read.size() == 3);
    CHECK(read.images.shape()[1] == 1);
    CHECK(read.images.shape()[2] == 2);
    CHECK(read.images.shape()[3] == 2);
    CHECK(read.images(0, 0, 0, 0) == 0.f);
    CHECK(read.images(0, 0, 0, 1) == 1.f / 255.f);
    CHECK(read.images(0, 0, 1, 1) == 1.f);
    CHECK(read.images(2, 0, 1, 1) == 4.f / 255.f);
    CHECK(read.labels == std::vector<int>{0, 9, 5});
  }
}

TEST_CASE("files that are not MNIST are refused by name") {
  CHECK(contains(refusal("hello, I am a text", labels), "images: this is neither gzip nor an IDX file"));
  CHECK(contains(refusal("", labels), "images: the file is too short"));
  CHECK(contains(refusal(labels + std::string(9, '\0'), labels), "these are labels; images are wanted"));
  CHECK(contains(refusal(images, images), "labels: these are images; labels are wanted"));
  CHECK(contains(refusal(images.substr(0, 20), labels), "claims 12 bytes, it holds at most 4; the file is cut short"));
  CHECK(contains(refusal(images + "x", labels), "something follows the data"));
  CHECK(contains(refusal(big_endian({2051, 0, 2, 2}), labels), "it is empty"));
  CHECK(contains(refusal(big_endian({2051, 0xffffffff, 0xffffffff, 0xffffffff}), labels), "its header claims more than"));
  CHECK(contains(refusal(images, big_endian({2049, 2}) + std::string(2, '\0')), "3 images"));
  CHECK(contains(refusal(images, big_endian({2049, 3}) + std::string("\x01\x0a\x01", 3)), "labels: label 1 is 10; classes are 0 to 9"));
  CHECK(contains(error_of([] { (void)read_mnist("nothing-here", "nothing-here"); }), "nothing-here: there is no such file"));
}

TEST_CASE("damaged gzip is refused by name") {
  std::string const zipped = gzip(images);
  CHECK(contains(refusal(zipped.substr(0, zipped.size() - 1), labels), "images: the gzip file is cut short"));
  CHECK(contains(refusal(zipped + "x", labels), "followed by 1 other bytes"));
  std::string bad = zipped;
  bad[zipped.size() - 6] ^= 1;  // its checksum
  CHECK(contains(refusal(bad, labels), "images: the gzip file is damaged"));
}

TEST_CASE("no pixels are allocated for a header that the file cannot fill") {
  std::string const much = big_endian({2051, 3, 16384, 16384});
  CHECK(contains(refusal(much, labels), "claims 805306368 bytes, it holds at most 0; the file is cut short"));
  CHECK(contains(refusal(gzip(much), labels), "claims 805306368 bytes, it holds at most "));
  CHECK(contains(refusal(gzip(images.substr(0, images.size() - 1)), labels), "claims more bytes than it holds"));
  CHECK(contains(refusal(gzip(images + "x"), labels), "something follows the data"));
}

TEST_CASE("every damaged IDX file is read or refused, every cut one refused") {
  pair_of_files const files(images, labels);
  for (std::string const& good : {images, gzip(images)}) {
    auto const result = read_damaged(files.first, good, [&](auto const& path) { return read_mnist(path, files.second); });
    CHECK(result.refused_when_cut == good.size());
  }
}

TEST_CASE("data: MNIST has its counts and label histograms") {
  auto const histogram = [](labelled_images const& set) {
    std::array<int, 10> counts{};
    for (int const label : set.labels) ++counts[static_cast<std::size_t>(label)];
    return counts;
  };
  auto const test = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  CHECK(test.size() == 10000);
  CHECK(test.images.shape()[2] == 28);
  CHECK(histogram(test) == std::array<int, 10>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
  auto const training = read_mnist(data_path("mnist/train-images-idx3-ubyte.gz"), data_path("mnist/train-labels-idx1-ubyte.gz"));
  CHECK(training.size() == 60000);
  CHECK(histogram(training) == std::array<int, 10>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  double sum = 0;
  for (float const v : training.images) sum += double{v};
  CHECK(sum / static_cast<double>(training.images.size()) == doctest::Approx(0.1306604762738429));  // the mean that everybody subtracts
}

}  // namespace
