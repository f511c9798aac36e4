// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/report/text.hpp>

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <string_view>

namespace {

using namespace pareidolia::detail;

TEST_CASE("text in a page cannot be markup") {
  CHECK(escape_html("<a href=\"x\">&'</a>") == "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;");
  CHECK(escape_html("plain \xc3\xa9") == "plain \xc3\xa9");
}

TEST_CASE("slugs are safe file names") {
  CHECK(slug("CPPN encoding (paper's)", "x") == "cppn-encoding-paper-s");
  CHECK(slug("../../etc/passwd", "x") == "etc-passwd");
  CHECK(slug("  ", "section") == "section");
  CHECK(slug("\xc3\xa9", "class-3") == "class-3");
  CHECK(slug(std::string(39, 'a') + " bcd", "x") == std::string(39, 'a'));
}

TEST_CASE("base64 is that of RFC 4648") {
  auto const encoded = [](std::string_view text) { return base64(std::as_bytes(std::span(text))); };
  CHECK(encoded("").empty());
  CHECK(encoded("f") == "Zg==");
  CHECK(encoded("fo") == "Zm8=");
  CHECK(encoded("foo") == "Zm9v");
  CHECK(encoded("foobar") == "Zm9vYmFy");
  CHECK(encoded("\xff\xfe\xfd") == "//79");
}

TEST_CASE("percentages show how far from certain they are, and never more than there is") {
  CHECK(percentage(0.5) == "50.0 %");
  CHECK(percentage(0.0279) == "97.2 %");
  CHECK(percentage(0.01) == "99.00 %");
  CHECK(percentage(1e-4) == "99.9900 %");
  CHECK(percentage(1.8e-4) == "99.982 %");
  CHECK(percentage(1.2e-6) == "99.9998 %");
  CHECK(percentage(1e-7) == "> 99.9999 %");
  CHECK(percentage(0) == "> 99.9999 %");
  CHECK(percentage(0.97) == "3.0 %");
  CHECK(percentage(0.99999) == "< 0.1 %");
  CHECK(percentage(1) == "< 0.1 %");
}

TEST_CASE("numbers are written for people") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(hexadecimal(0xab) == "00000000000000ab");
  CHECK(hexadecimal(~std::uint64_t{0}) == "ffffffffffffffff");
  CHECK(duration(0.0012) == "1.2 ms");
  CHECK(duration(3.44) == "3.4 s");
  CHECK(duration(59.97) == "1 min 0 s");
  CHECK(duration(3725) == "1 h 2 min");
}

}  // namespace
