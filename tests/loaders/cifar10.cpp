// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/cifar10.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>

#include "support/data.hpp"
#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

/// One record whose byte k of the pixels is k + label, modulo 256.
std::string record(char label) {
  std::string bytes(1, label);
  for (int k = 0; k < 3072; ++k) bytes.push_back(static_cast<char>(k + label));
  return bytes;
}

TEST_CASE("records become planes of red, green and blue") {
  temporary_folder const folder;
  auto const read = read_cifar10(put(folder / "batch.bin", record(7) + record(0)));
  CHECK(read.labels == std::vector<int>{7, 0});
  REQUIRE(read.size() == 2);
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t y = 0; y < 32; ++y)
      for (std::size_t x = 0; x < 32; ++x) {
        REQUIRE(read.images(0, c, y, x) == static_cast<float>((c * 1024 + y * 32 + x + 7) % 256) / 255.f);
        REQUIRE(read.images(1, c, y, x) == static_cast<float>((c * 1024 + y * 32 + x) % 256) / 255.f);
      }
}

TEST_CASE("a file that is not whole records of ten classes is refused") {
  temporary_folder const folder;
  auto const message = [&](std::string const& bytes) { return error_of([&] { (void)read_cifar10(put(folder / "batch.bin", bytes)); }); };
  std::string const good = record(1) + record(2);
  for (std::size_t const size : {std::size_t{0}, std::size_t{1}, std::size_t{3072}, std::size_t{3074}, good.size() - 1})
    CHECK(contains(message(good.substr(0, size)), "batch.bin: the file has " + std::to_string(size) + " bytes, not a multiple of 3073"));
  CHECK(contains(message(record(1) + record(10)), "batch.bin: label 1 is 10; classes are 0 to 9"));
  CHECK(contains(message(record(-1)), "label 0 is 255"));
  CHECK(contains(error_of([&] { (void)read_cifar10(folder / "missing.bin"); }), "missing.bin: there is no such file"));
}

TEST_CASE("data: the first thousand test images") {
  auto const set = read_cifar10(data_path("cifar10/cifar10_test_first1000.bin"));
  REQUIRE(set.size() == 1000);
  CHECK(std::vector<int>(set.labels.begin(), set.labels.begin() + 10) == std::vector<int>{3, 8, 8, 0, 6, 6, 1, 6, 3, 1});
  CHECK(set.images(0, 0, 0, 0) == 158 / 255.f);
}

}  // namespace
