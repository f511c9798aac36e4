// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/file.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "support/files.hpp"

namespace {

using namespace pareidolia_test;
using pareidolia::detail::file_reader, pareidolia::detail::for_each_value, pareidolia::detail::read_file;

std::string numbered(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * i >> 8);
  return bytes;
}

TEST_CASE("a file is read at any place, in any pieces") {
  temporary_folder const folder;
  std::string const bytes = numbered(10'000);
  file_reader file(put(folder / "f", bytes));
  CHECK(file.size() == bytes.size());
  CHECK(read_file(folder / "f") == bytes);
  std::string piece(5000, '\0');
  file.read(3000, piece);
  CHECK(piece == bytes.substr(3000, 5000));

  for (std::size_t const first : {0u, 1u, 4095u, 4096u, 9990u, 5u, 9999u}) {
    CAPTURE(first);
    auto const seen = file.peek(first, 10);
    CHECK(seen.size() >= std::min<std::size_t>(10, bytes.size() - first));
    CHECK(seen == bytes.substr(first, seen.size()));
  }
  CHECK(file.peek(10'000, 1).empty());
  CHECK(file.peek(20'000, 1).empty());
  CHECK(file_reader(put(folder / "empty", "")).size() == 0);
  CHECK(read_file(folder / "empty").empty());
}

TEST_CASE("values are visited in order, whole ones only") {
  temporary_folder const folder;
  std::string const bytes = numbered(100'003);
  file_reader const file(put(folder / "f", bytes));
  std::vector<std::uint32_t> values;
  for_each_value<std::uint32_t>(file, 1, bytes.size(), [&](std::uint32_t v) { values.push_back(v); });
  REQUIRE(values.size() == 25'000);
  for (std::size_t i = 0; i < values.size(); ++i) CHECK_UNARY(values[i] == pareidolia::detail::load<std::uint32_t>(&bytes[1 + 4 * i]));
}

TEST_CASE("what cannot be opened is an error with the name of the file") {
  temporary_folder const folder;
  auto const message = [](std::filesystem::path const& path, std::uint64_t limit) { return error_of([&] { file_reader(path, limit); }); };
  put(folder / "f", "12345");
  CHECK(message(folder / "f", 5) == "no error");
  CHECK(message(folder / "f", 4) == (folder / "f").string() + ": the file has 5 bytes; more than 4 are not read");
  CHECK(message(folder / "none", 5) == (folder / "none").string() + ": there is no such file");
  CHECK(contains(message(folder.path(), 5), "this is a folder"));
  CHECK(contains(message("/dev/zero", 5), "/dev/zero: this is a device"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(contains(message(folder / "pipe", 5), "a pipe"));
}

TEST_CASE("a file that becomes shorter while it is read is an error") {
  temporary_folder const folder;
  file_reader file(put(folder / "f", numbered(10'000)));
  CHECK(file.peek(0, 10).size() >= 10);
  std::filesystem::resize_file(folder / "f", 5000);
  std::string piece(4000, '\0');
  CHECK(error_of([&] { file.read(0, piece); }) == "no error");
  for (std::uint64_t const first : {4000u, 5000u, 6000u})
    CHECK(contains(error_of([&] { file.read(first, piece); }), "the file ended before its size"));
  CHECK(contains(error_of([&] { (void)file.peek(6000, 10); }), "the file ended before its size"));
  CHECK(contains(error_of([&] { for_each_value<float>(file, 0, 8000, [](float) {}); }), "the file ended before its size"));
}

}  // namespace
