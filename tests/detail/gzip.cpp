// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/gzip.hpp>

#include <doctest/doctest.h>

#include <string>

#include "support/files.hpp"
#include "support/gzip.hpp"

namespace {

using namespace pareidolia_test;
using pareidolia::detail::file_reader, pareidolia::detail::gzip_reader, pareidolia::detail::is_gzip;

/// What a gzip file with these bytes holds, read in pieces.
std::string unpacked(std::string const& bytes, std::size_t piece) {
  temporary_folder const folder;
  file_reader file(put(folder / "a.gz", bytes));
  REQUIRE(is_gzip(file));
  gzip_reader content(file);
  std::string result, next(piece, '\0');
  for (std::size_t count = piece; count == piece;) {
    count = content.read(next);
    result.append(next, 0, count);
  }
  CHECK(content.read(next) == 0);
  return result;
}

TEST_CASE("a gzip file gives its content, in pieces of any size") {
  std::string content;
  for (unsigned i = 0; i < 100'000; ++i) content += static_cast<char>(i * i >> 7);  // more than one piece when packed too
  for (std::size_t const piece : {1u, 1000u, 100'000u, 200'000u}) CHECK(unpacked(gzip(content), piece) == content);
  CHECK(unpacked(gzip(""), 1) == "");
}

TEST_CASE("no gzip file expands beyond the ratio that is believed") {
  std::string const content(1 << 22, 'a');
  CHECK(content.size() < gzip(content).size() * pareidolia::detail::largest_deflate_ratio);
  CHECK(content.size() > gzip(content).size() * (pareidolia::detail::largest_deflate_ratio - 32));
}

TEST_CASE("a gzip file that is cut short, damaged or followed by bytes is refused") {
  std::string const good = gzip("some text, some text");
  auto const refusal = [](std::string const& bytes) { return error_of([&] { (void)unpacked(bytes, 7); }); };
  CHECK(refusal(good) == "no error");
  for (std::size_t size = 2; size < good.size(); ++size) CHECK(refusal(good.substr(0, size)) == "the gzip file is cut short");
  CHECK(refusal(good + "xy") == "the gzip file is followed by 2 other bytes");
  std::string bad = good;
  bad[good.size() - 6] ^= 1;  // its checksum
  CHECK(refusal(bad) == "the gzip file is damaged");
}

}  // namespace
