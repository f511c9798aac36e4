// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/io/atomic_file.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace pareidolia {

/// An array of any rank as NumPy stores it, row-major.
struct npy_array {
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

namespace detail::npy {

constexpr std::size_t most_axes = 32;

/// Reads the header, a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (10000, 10), }
class header_parser {
 public:
  explicit header_parser(std::string_view text) : rest_(text) {}

  std::vector<std::size_t> shape() {
    std::vector<std::size_t> result;
    bool has_kind = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      auto const key = quoted();
      expect(':');
      if (key == "descr" && !has_kind) {
        if (auto const kind = quoted(); kind != "<f4")
          fail("its type is '", kind.substr(0, 16), "'; only '<f4' (float32, little endian) is read");
        has_kind = true;
      } else if (key == "fortran_order" && !has_order) {
        if (word() != "False") fail("it is in Fortran order; save it with numpy.ascontiguousarray");
        has_order = true;
      } else if (key == "shape" && !has_shape) {
        result = tuple();
        has_shape = true;
      } else {
        damaged();
      }
      if (!accept(',') && next() != '}') damaged();
    }
    if (!has_kind || !has_order || !has_shape || next() != '\0') damaged();
    return result;
  }

 private:
  [[noreturn]] static void damaged() { fail("its header is damaged"); }

  char next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size()));
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool accept(char c) {
    if (next() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) damaged();
  }
  std::string_view take(std::size_t count) {
    auto const taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view quoted() {
    expect('\'');
    auto const end = rest_.find('\'');
    if (end == std::string_view::npos) damaged();
    auto const text = take(end);
    rest_.remove_prefix(1);
    return text;
  }
  std::string_view word() {
    next();
    return take(rest_.find_first_of(",} \n"));
  }
  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> result;
    expect('(');
    while (!accept(')')) {
      next();
      std::size_t extent = 0;
      auto const [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (code != std::errc{}) damaged();
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      if (result.size() == most_axes) fail("its shape has more than ", most_axes, " dimensions");
      result.push_back(extent);
      if (!accept(',') && next() != ')') damaged();
    }
    return result;
  }

  std::string_view rest_;
};

inline npy_array parse(std::string_view file) {
  if (!file.starts_with("\x93NUMPY") || file.size() < 10) fail("this is no .npy file");
  int const major = file[6];
  if (major < 1 || major > 3) fail("its format version is ", major, "; versions 1 to 3 are read");
  std::size_t const start = major == 1 ? 10 : 12;
  if (file.size() < start) fail("the file is cut short");
  std::size_t const length = major == 1 ? load<std::uint16_t>(file.data() + 8) : load<std::uint32_t>(file.data() + 8);
  if (length > file.size() - start) fail("the file is cut short");

  npy_array result{header_parser(file.substr(start, length)).shape(), {}};
  std::string_view const data = file.substr(start + length);
  std::size_t count = 1;
  for (std::size_t const extent : result.shape) {
    if (extent != 0 && count > std::numeric_limits<std::size_t>::max() / sizeof(float) / extent) fail("its shape is too large");
    count *= extent;
  }
  if (data.size() != count * sizeof(float)) fail("its shape asks for ", count * sizeof(float), " bytes, it holds ", data.size());
  result.values.resize(count);
  std::copy(data.begin(), data.end(), reinterpret_cast<char*>(result.values.data()));
  return result;
}

}  // namespace detail::npy

/// Reads a .npy file (numpy.save) of float32, row-major, little endian, format versions 1 to 3. NaN and infinities are kept.
/// Errors: a missing, truncated or damaged file, another type or order.
[[nodiscard]] inline npy_array read_npy(std::filesystem::path const& path) {
  std::string const bytes = detail::read_file(path);
  try {
    return detail::npy::parse(bytes);
  } catch (error const& e) {
    detail::fail(path.string(), ": ", e.what());
  }
}

/// The same as a tensor. Error also: another number of dimensions.
template <std::size_t Rank>
[[nodiscard]] tensor<float, Rank> read_npy_tensor(std::filesystem::path const& path) {
  npy_array const array = read_npy(path);
  if (array.shape.size() != Rank) detail::fail(path.string(), ": it has ", array.shape.size(), " dimensions, not ", Rank);
  std::array<std::size_t, Rank> shape{};
  std::copy(array.shape.begin(), array.shape.end(), shape.begin());
  auto result = filled<float, Rank>(shape);
  std::copy(array.values.begin(), array.values.end(), result.data());
  return result;
}

/// Writes values (row-major) as .npy, format version 1, complete or not at all.
/// Errors: a shape that disagrees with the values, a file that cannot be written.
inline void write_npy(std::filesystem::path const& path, std::span<std::size_t const> shape, std::span<float const> values) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  std::size_t count = 1;
  for (std::size_t const extent : shape) {
    header += std::to_string(extent) + ", ";
    count *= extent;
  }
  header += "), }";
  if (count != values.size()) detail::fail(path.string(), ": the shape asks for ", count, " values, there are ", values.size());
  if (header.size() > 60000) detail::fail(path.string(), ": an array of ", shape.size(), " dimensions is not written");
  constexpr std::size_t preamble = 10, alignment = 64;
  header.append(alignment - 1 - (preamble + header.size()) % alignment, ' ').push_back('\n');
  auto const length = static_cast<std::uint16_t>(header.size());
  std::string start("\x93NUMPY\x01\x00", 8);
  start.push_back(static_cast<char>(length & 255));
  start.push_back(static_cast<char>(length >> 8));
  detail::write_file(path, {std::as_bytes(std::span(start)), std::as_bytes(std::span(header)), std::as_bytes(values)});
}
template <class T, std::size_t Rank>
requires std::same_as<T const, float const>
void write_npy(std::filesystem::path const& path, view<T, Rank> array) { write_npy(path, array.shape, array.flat()); }

}  // namespace pareidolia
