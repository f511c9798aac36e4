// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/message_reader.hpp>

#include <doctest/doctest.h>

#include <protozero/pbf_writer.hpp>

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia_test;
using pareidolia::detail::file_reader, pareidolia::detail::message_reader;
namespace wire = pareidolia::detail::wire;

TEST_CASE("fields of every wire type are read, wherever they lie in the window") {
  std::vector<float> const floats{1, -2.5f, std::numeric_limits<float>::infinity()};
  for (std::size_t const filler : {0u, 4080u, 4085u, 4090u, 100'000u}) {
    CAPTURE(filler);
    std::string inner, bytes;
    protozero::pbf_writer{inner}.add_packed_float(2, floats.begin(), floats.end());
    protozero::pbf_writer fields{bytes};
    fields.add_string(1, std::string(filler, 'x'));
    fields.add_int64(2, -3);
    fields.add_double(3, .1);
    fields.add_float(4, .5f);
    fields.add_message(500'000'000, inner);
    fields.add_string(6, "end");

    temporary_folder const folder;
    file_reader file(put(folder / "m", bytes));
    message_reader m(file);
    REQUIRE(m.next());
    CHECK(m.tag_and_type() == wire::message(1));
    CHECK(m.size() == filler);
    CHECK(m.bytes(filler) == std::string(filler, 'x'));
    REQUIRE(m.next());
    CHECK(m.tag_and_type() == wire::varint(2));
    CHECK(static_cast<std::int64_t>(m.bits()) == -3);
    REQUIRE(m.next());
    CHECK(m.tag_and_type() == wire::fixed64(3));
    CHECK(std::bit_cast<double>(m.bits()) == .1);
    REQUIRE(m.next());
    CHECK(m.tag_and_type() == wire::fixed32(4));
    CHECK(std::bit_cast<float>(static_cast<std::uint32_t>(m.bits())) == .5f);
    REQUIRE(m.next());
    CHECK(m.tag_and_type() == wire::message(500'000'000));
    for (int twice = 0; twice < 2; ++twice) {  // a nested reader leaves its parent where it is
      auto nested = m.message();
      REQUIRE(nested.next());
      CHECK(nested.tag_and_type() == wire::packed(2));
      std::vector<float> found;
      nested.each<float>([&](float v) { found.push_back(v); });
      CHECK(found == floats);
      CHECK(!nested.next());
    }
    REQUIRE(m.next());
    CHECK(m.bytes(3) == "end");
    CHECK(contains(error_of([&] { (void)m.bytes(2); }), "has 3 bytes; at most 2 are read"));
    CHECK(!m.next());
    CHECK(!m.next());
  }
}

TEST_CASE("damage is protozero's exception") {
  temporary_folder const folder;
  auto const read = [&](std::string_view bytes) {
    file_reader file(put(folder / "m", bytes));
    for (message_reader m(file); m.next();)
      if (m.tag_and_type() == wire::packed(2)) m.each<float>([](float) {});
  };
  using namespace std::string_view_literals;
  CHECK_NOTHROW(read(""));
  CHECK_NOTHROW(read("\x08\x01"));
  CHECK_THROWS_AS(read("\x08"), protozero::end_of_buffer_exception);          // no value
  CHECK_THROWS_AS(read("\x08\x80"), protozero::end_of_buffer_exception);      // half a value
  CHECK_THROWS_AS(read("\x09xxxxxxx"), protozero::end_of_buffer_exception);   // 7 of 8 bytes
  CHECK_THROWS_AS(read("\x0dxxx"), protozero::end_of_buffer_exception);       // 3 of 4
  CHECK_THROWS_AS(read("\x0a\x05xxxx"), protozero::end_of_buffer_exception);  // 4 of 5
  CHECK_THROWS_AS(read("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), protozero::end_of_buffer_exception);
  CHECK_THROWS_AS(read("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), protozero::varint_too_long_exception);
  CHECK_THROWS_AS(read("\0\x01"sv), protozero::invalid_tag_exception);                  // field 0
  CHECK_THROWS_AS(read("\xf8\xff\xff\xff\x7f\x01"), protozero::invalid_tag_exception);  // a number above 2^29
  CHECK_THROWS_AS(read("\x0b\x0c"), protozero::unknown_pbf_wire_type_exception);        // a group
  CHECK_THROWS_AS(read("\x12\x05xxxxx"), protozero::invalid_length_exception);          // floats of 5 bytes
}

}  // namespace
