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

TEST_CASE("names and values have an end") {
  auto const read = [](std::string const& text) { (void)detail::text_parser(text).parse(); };
  std::string const longest(4096, 'x');
  CHECK_NOTHROW(read(longest + ": '" + longest + "'"));
  for (std::string const& text : {longest + "x: 1", "a: " + longest + "x", "a: '" + longest + "x'"})
    CHECK_THROWS_WITH_AS(read(text), "line 1: a name or a value of more than 4096 characters", error);
}

TEST_CASE("a text of nothing but short fields is refused before they need several times its size") {
  std::string many = "a{}";
  while (many.size() < (1 << 20)) many += many;
  CHECK_THROWS_WITH_AS((void)detail::text_parser(many).parse(), "line 1: more fields than a text of this size should have", error);
  std::string usual = "  pad_of_one: 1\n";
  while (usual.size() < (1 << 19)) usual += usual;
  CHECK(detail::text_parser(usual).parse().fields.size() == usual.size() / 16);
}
