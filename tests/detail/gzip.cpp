// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/gzip.hpp>

#include <doctest/doctest.h>

#include <string>

#include "support/files.hpp"

namespace {

using namespace pareidolia_test;

TEST_CASE("a gzip file that grows beyond the limit is refused, one that just fits is read") {
  std::string content(1 << 20, 'a'), bytes(4096, '\0');
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(content.data());
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);

  CHECK(pareidolia::detail::is_gzip(bytes));
  CHECK(pareidolia::detail::gunzip(bytes, content.size()) == content);
  for (std::size_t const limit : {content.size() - 1, std::size_t{1000}, std::size_t{0}})
    CHECK(
        contains(error_of([&] { (void)pareidolia::detail::gunzip(bytes, limit); }), "holds more than " + std::to_string(limit) + " bytes"));
}

}  // namespace
