// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/gzip.hpp>
#include <pareidolia/models/weights.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Level 5 MAT-files: a header of 128 bytes, then elements. An element is a type, a size and that many bytes, padded to 8; an array is an
// element of elements, and may be an element of deflated bytes.

namespace pareidolia::detail::mat5 {

enum type : std::uint32_t { int8 = 1, uint8, int16, uint16, int32, uint32, single, real = 9, int64 = 12, uint64, matrix, compressed };

constexpr std::uint64_t header_size = 128, most_values = std::uint64_t{1} << 28;
constexpr std::size_t most_axes = 32, longest_name = 63;
constexpr std::uint32_t first_numeric_class = 6, last_numeric_class = 15, complex_flag = 0x800;

/// What comes before the bytes of an element. One of at most 4 bytes may have them in its tag.
struct tag {
  std::uint32_t type, size;
  bool small = false;
  std::array<char, 4> bytes{};
};

/// The bytes [first, last) of a file, or what they hold if they are packed, in order.
class element_reader {
 public:
  element_reader(file_reader const& file, std::uint64_t first, std::uint64_t last, bool packed)
      : file_(file), at_(first), room_((packed ? largest_deflate_ratio : 1) * (last - first)) {
    if (packed) inflated_.emplace(file, first, last, MAX_WBITS, "a compressed array");
  }

  /// No more than `size` bytes will be asked for.
  void narrow(std::uint64_t size) {
    if (size > room_) cut_short();
    room_ = size;
  }
  [[nodiscard]] std::uint64_t room() const { return room_; }

  void read(std::span<char> out) {
    if (out.size() > room_) cut_short();
    room_ -= out.size();
    if (!inflated_) {
      file_.read(at_, out);
      at_ += out.size();
    } else if (inflated_->read(out) < out.size()) {
      cut_short();
    }
  }
  template <class T>
  [[nodiscard]] T number() {
    std::array<char, sizeof(T)> bytes;
    read(bytes);
    return load<T>(bytes.data());
  }
  [[nodiscard]] tag next() {
    auto const word = number<std::uint32_t>();
    if (word >> 16 == 0) return {word, number<std::uint32_t>()};
    if (word >> 16 > 4) fail("the tag of an element is damaged");
    return {word & 0xffff, word >> 16, true, number<std::array<char, 4>>()};
  }

  /// Calls visit(piece) for the bytes of an element in order; all but the last piece have 4096.
  template <class Visit>
  void for_each_piece(tag const& t, Visit const& visit) {
    if (t.small) return visit(std::span(t.bytes).first(t.size));
    if (t.size > room_) cut_short();
    std::array<char, 4096> piece;
    for (std::size_t rest = t.size; rest > 0;) {
      auto const bytes = std::span(piece).first(std::min(rest, piece.size()));
      read(bytes);
      visit(std::span<char const>(bytes));
      rest -= bytes.size();
    }
    std::uint64_t const padding = (8 - t.size % 8) % 8;  // which the last element of a file may lack
    read(std::span(piece).first(static_cast<std::size_t>(std::min(padding, room_))));
  }

  void check_end() {
    std::array<char, 1> more;
    if (room_ != 0 || (inflated_ && inflated_->read(more) != 0)) fail("something follows the values of an array");
  }

 private:
  [[noreturn]] static void cut_short() { fail("an array is cut short"); }

  file_reader const& file_;
  std::uint64_t at_, room_;
  std::optional<inflate_reader> inflated_;
};

/// Where the elements of an array lie in row-major order, asked for with the first index fastest.
class row_major_walk {
 public:
  explicit row_major_walk(std::vector<std::size_t> const& shape) : shape_(shape), index_(shape.size()), strides_(shape.size(), 1) {
    for (std::size_t d = shape.size() - 1; d > 0; --d) strides_[d - 1] = strides_[d] * shape[d];
  }
  std::size_t next() {
    std::size_t const result = at_;
    for (std::size_t d = 0; d < shape_.size(); ++d) {
      at_ += strides_[d];
      if (++index_[d] < shape_[d]) break;
      at_ -= strides_[d] * shape_[d];
      index_[d] = 0;
    }
    return result;
  }

 private:
  std::vector<std::size_t> const& shape_;
  std::vector<std::size_t> index_, strides_;
  std::size_t at_ = 0;
};

template <class T>
void read_values(element_reader& in, tag const& t, parameter& array) {
  if (t.size != sizeof(T) * array.values.size()) fail("an array of ", array.values.size(), " values has ", t.size, " bytes of them");
  row_major_walk walk(array.shape);
  in.for_each_piece(t, [&](std::span<char const> piece) {
    for (std::size_t j = 0; j < piece.size(); j += sizeof(T)) array.values[walk.next()] = static_cast<float>(load<T>(&piece[j]));
  });
}

inline void read_values(element_reader& in, parameter& array) {
  tag const t = in.next();
  switch (t.type) {
    case int8:
      return read_values<std::int8_t>(in, t, array);
    case uint8:
      return read_values<std::uint8_t>(in, t, array);
    case int16:
      return read_values<std::int16_t>(in, t, array);
    case uint16:
      return read_values<std::uint16_t>(in, t, array);
    case int32:
      return read_values<std::int32_t>(in, t, array);
    case uint32:
      return read_values<std::uint32_t>(in, t, array);
    case single:
      return read_values<float>(in, t, array);
    case real:
      return read_values<double>(in, t, array);
    case int64:
      return read_values<std::int64_t>(in, t, array);
    case uint64:
      return read_values<std::uint64_t>(in, t, array);
    default:
      fail("the values of an array are of the unknown type ", t.type);
  }
}

/// The array of a matrix element with its name; no name if it is not one of numbers.
[[nodiscard]] inline std::pair<std::string, parameter> read_array(element_reader& in) {
  if (tag const flags = in.next(); flags.type != uint32 || flags.size != 8 || flags.small)
    fail("an array has no flags; the file is damaged");
  auto const kind = in.number<std::uint32_t>();
  static_cast<void>(in.number<std::uint32_t>());  // of sparse arrays
  if (auto const number = kind & 0xff; number < first_numeric_class || number > last_numeric_class || (kind & complex_flag) != 0) return {};

  tag const axes = in.next();
  if (axes.type != int32 || axes.small || axes.size % 4 != 0 || axes.size < 8) fail("an array has no dimensions; the file is damaged");
  if (axes.size > 4 * most_axes) fail("an array has more than ", most_axes, " dimensions");
  std::pair<std::string, parameter> result;
  auto& [name, array] = result;
  in.for_each_piece(axes, [&, &shape = array.shape](std::span<char const> bytes) {
    for (std::size_t d = 0; d < bytes.size(); d += 4) shape.push_back(load<std::uint32_t>(&bytes[d]));
  });
  tag const named = in.next();
  if (named.type != int8 || named.size > longest_name) fail("the name of an array is damaged");
  in.for_each_piece(named, [&text = name](std::span<char const> bytes) { text.assign(bytes.begin(), bytes.end()); });
  if (name.empty()) return {};

  std::uint64_t count = 1;
  for (std::size_t const extent : array.shape) {
    if (extent > most_values || count * extent > most_values) fail("the array ", name, " is larger than ", most_values, " values");
    count *= extent;
  }
  if (count > in.room()) fail("the array ", name, " claims ", count, " values in ", in.room(), " bytes; the file is damaged");
  array.values.resize(static_cast<std::size_t>(count));
  read_values(in, array);
  in.check_end();
  return result;
}

[[nodiscard]] inline std::map<std::string, parameter> read(file_reader const& file) {
  std::array<char, header_size> header{};
  if (file.size() < header_size) fail("this is no MATLAB file of version 5");
  file.read(0, header);
  auto const version = load<std::uint16_t>(&header[124]);
  std::string_view const order(&header[126], 2);
  if (order == "MI") fail("it was written on a big-endian machine; load and save it on another one");
  if (order == "IM" && version == 0x200) fail("it is of version 7.3; save it with the option -v7");
  if (order != "IM" || version != 0x100) fail("this is no MATLAB file of version 5");

  std::map<std::string, parameter> result;
  for (std::uint64_t at = header_size; at < file.size();) {
    element_reader top(file, at, file.size(), false);
    tag const outer = top.next();
    if (outer.small || (outer.type != matrix && outer.type != compressed)) fail("an element is no array; the file is damaged");
    top.narrow(outer.size);
    at += 8;
    element_reader in(file, at, at + outer.size, outer.type == compressed);
    at += outer.size;
    if (outer.type == compressed) {
      tag const inner = in.next();
      if (inner.small || inner.type != matrix) fail("a compressed element is no array; the file is damaged");
      in.narrow(inner.size);
    }
    auto [name, array] = read_array(in);
    if (name.empty()) continue;
    if (auto const [found, added] = result.try_emplace(name, std::move(array)); !added) fail("two arrays are named ", name);
  }
  return result;
}

}  // namespace pareidolia::detail::mat5
