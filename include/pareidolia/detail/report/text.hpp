// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// Text of reports. Numbers do not depend on the locale.

namespace pareidolia::detail {

/// Plain text as it may stand in an HTML element or a quoted attribute.
[[nodiscard]] inline std::string escape_html(std::string_view text) {
  std::string out;
  for (char const c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

/// A name for files and anchors: a-z, 0-9 and single dashes, at most 40 of them; `fallback` if nothing is left.
[[nodiscard]] inline std::string slug(std::string_view text, std::string_view fallback) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    bool const kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (kept)
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  out.resize(std::min<std::size_t>(out.size(), 40));
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? std::string(fallback) : out;
}

[[nodiscard]] inline std::string base64(std::span<std::byte const> bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t const count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

/// v with `decimals` digits after the point.
[[nodiscard]] inline std::string fixed(double v, int decimals) {
  char digits[400];
  auto const [end, code] = std::to_chars(digits, digits + sizeof digits, v, std::chars_format::fixed, decimals);
  return {digits, end};
}

/// v with at most so many significant digits.
[[nodiscard]] inline std::string general(double v, int significant = 6) {
  char digits[64];
  auto const [end, code] = std::to_chars(digits, digits + sizeof digits, v, std::chars_format::general, significant);
  return {digits, end};
}

/// 1234567 as 1,234,567.
[[nodiscard]] inline std::string grouped(std::size_t n) {
  std::string out = std::to_string(n);
  for (std::size_t at = out.size(); at > 3;) out.insert(at -= 3, ",");
  return out;
}

/// v rounded to a whole number, as -1,234,567.
[[nodiscard]] inline std::string grouped_signed(double v) {
  auto const whole = static_cast<std::size_t>(std::round(std::abs(v)));
  return (v < 0 && whole != 0 ? "-" : "") + grouped(whole);
}

/// The number of one of `count` things, with zeros in front that make all of them equally long.
[[nodiscard]] inline std::string padded(std::size_t index, std::size_t count) {
  std::string const digits = std::to_string(index);
  return std::string(std::to_string(count - 1).size() - digits.size(), '0') + digits;
}

[[nodiscard]] inline std::string hexadecimal(std::uint64_t n) {
  char digits[16];
  auto const [end, code] = std::to_chars(digits, digits + sizeof digits, n, 16);
  std::string const text(digits, end);
  return std::string(16 - text.size(), '0') + text;
}

[[nodiscard]] inline std::string plural(std::size_t n, std::string const& noun) { return grouped(n) + " " + noun + (n == 1 ? "" : "s"); }

/// The name of a class among those given, or its number.
[[nodiscard]] inline std::string class_text(int k, std::span<std::string const> names) {
  auto const index = static_cast<std::size_t>(k);
  return index < names.size() && !names[index].empty() ? names[index] : "class " + std::to_string(k);
}

[[nodiscard]] inline std::string duration(double seconds) {
  if (seconds < 0.0995) return fixed(1e3 * seconds, 1) + " ms";
  if (seconds < 59.95) return fixed(seconds, 1) + " s";
  auto const whole = static_cast<std::size_t>(seconds + 0.5);
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

/// A probability p as a percentage, from its doubt 1 - p, to the first two digits that differ from 9 (or from 0), never rounded up to 100
/// %.
[[nodiscard]] inline std::string percentage(double doubt) {
  if (doubt < 1e-6) return "> 99.9999 %";
  if (doubt > 0.999) return "< 0.1 %";
  int const nines = static_cast<int>(-std::log10(std::min(doubt, 1.)));
  int const decimals = std::clamp(nines, 1, 4);
  double const scale = std::pow(10., decimals);
  return fixed(std::floor(100 * (1 - doubt) * scale + 1e-6) / scale, decimals) + " %";
}

}  // namespace pareidolia::detail
