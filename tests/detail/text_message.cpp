// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/text_message.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pareidolia;

TEST_CASE("fields keep their order and their text; the last of a name wins; messages nest with or without a colon") {
  auto const m = detail::text_parser("a: 1 a: -2.5e3 # no: 3\nb { c: 'x y' } b: { c: \"z\" d {} } e: ENUM_VALUE").parse();
  CHECK(m.all("a") == std::vector<std::string>{"1", "-2.5e3"});
  CHECK(m.one("a") == "-2.5e3");
  CHECK(m.one("none", "else") == "else");
  CHECK(m.child("b").one("c") == "z");
  CHECK(m.child("b").line == 2);
  CHECK(m.child("none").fields.empty());
  CHECK(m.one("e") == "ENUM_VALUE");
  CHECK(m.fields.size() == 5);
}
