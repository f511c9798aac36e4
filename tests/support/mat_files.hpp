// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gzip.hpp"

// MATLAB files, element by element.

namespace pareidolia_test::mat {

template <class T>
std::string bytes_of(std::vector<T> const& values) {
  return {reinterpret_cast<char const*>(values.data()), values.size() * sizeof(T)};
}

/// A tag and the bytes, padded to 8; at most 4 bytes are put into the tag.
inline std::string element(std::uint32_t type, std::string bytes) {
  auto const size = static_cast<std::uint32_t>(bytes.size());
  bool const small = size > 0 && size <= 4;
  std::string const tag = small ? bytes_of<std::uint32_t>({size << 16 | type}) : bytes_of<std::uint32_t>({type, size});
  bytes.resize(small ? 4 : (size + 7) / 8 * 8, '\0');
  return tag + bytes;
}

inline std::string matrix(std::string const& content) {
  return bytes_of<std::uint32_t>({14, static_cast<std::uint32_t>(content.size())}) + content;
}

/// Dimensions, name and values of an array, whose class and type of values are numbers of the format.
template <class T>
std::string array(std::string const& name, std::uint32_t kind, std::vector<std::int32_t> const& size, std::uint32_t type,
                  std::vector<T> const& values) {
  return matrix(element(6, bytes_of<std::uint32_t>({kind, 0})) + element(5, bytes_of(size)) + element(1, name) +
                element(type, bytes_of(values)));
}

inline std::string compressed(std::string const& element) {
  std::string const packed = deflated(element);
  return bytes_of<std::uint32_t>({15, static_cast<std::uint32_t>(packed.size())}) + packed;
}

inline std::string file(std::vector<std::string> const& elements, std::string const& version = std::string("\0\1IM", 4)) {
  std::string result = "MATLAB 5.0 MAT-file";
  result.resize(124, ' ');
  result += version;
  for (auto const& e : elements) result += e;
  return result;
}

}  // namespace pareidolia_test::mat
