// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/half_floats.hpp>
#include <pareidolia/detail/message_reader.hpp>
#include <pareidolia/detail/onnx_message.hpp>
#include <pareidolia/models/graph.hpp>

#include <protozero/exception.hpp>
#include <protozero/varint.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace pareidolia::detail::onnx {

constexpr std::size_t most_axes = 32;
using extents = std::vector<std::int64_t>;

/// TensorProto.DataType, those that are read.
enum class element : std::uint64_t { float32 = 1, int32 = 6, int64 = 7, boolean = 9, float16 = 10, float64 = 11, bfloat16 = 16 };

inline bool is_real(element kind) { return kind != element::int32 && kind != element::int64 && kind != element::boolean; }

inline std::size_t width_of(element kind) {
  switch (kind) {
    case element::float32:
    case element::int32:
      return 4;
    case element::int64:
    case element::float64:
      return 8;
    case element::float16:
    case element::bfloat16:
      return 2;
    case element::boolean:
      return 1;
  }
  fail("its elements have type ", static_cast<std::uint64_t>(kind),
       "; float, double, float16, bfloat16, int32, int64 and bool are read (1, 11, 10, 16, 6, 7, 9)");
}

inline std::string to_text(extents const& dims) {
  std::string out = "(";
  for (std::size_t i = 0; i < dims.size(); ++i) out += (i ? ", " : "") + std::to_string(dims[i]);
  return out + ")";
}

inline extents const& checked_rank(extents const& dims) {
  if (dims.size() > most_axes) fail("it has ", dims.size(), " dimensions; at most ", most_axes, " are read");
  return dims;
}

/// The product of some extents, which are not negative.
inline std::uint64_t count_of(extents const& dims) {
  std::uint64_t count = 1;
  for (std::int64_t const extent : dims) {
    if (extent < 0) fail("its shape ", to_text(dims), " has a negative extent");
    auto const n = static_cast<std::uint64_t>(extent);
    if (n > 0 && count > largest_array / n) fail("an array of shape ", to_text(dims), " is too large");
    count *= n;
  }
  return count;
}

/// A constant tensor: its shape, and where its values are. They stay there until they are asked for, so that reshaping costs nothing.
struct array {
  extents dims;
  element kind = element::float32;
  std::optional<message_reader> field = {};      ///< the field of the model they are in,
  std::string external = {};                     ///< or the other file,
  std::uint64_t first = 0;                       ///< and where they begin in it,
  std::shared_ptr<std::string const> made = {};  ///< or they themselves, if they are in no file as they are

  [[nodiscard]] std::uint64_t count() const { return count_of(dims); }
};

/// Where the constants of a model are.
class store {
 public:
  store(std::uint64_t model_size, std::filesystem::path folder) : folder_(std::move(folder)) { memory.add_file(model_size); }

  ledger memory;

  /// A TensorProto. Errors: a type that is not read, values that are not as many as the shape says, external data outside the folder.
  array read(message_reader const& tensor) {
    array result;
    std::uint64_t kind = 0;
    bool is_external = false;
    for (auto fields = tensor; fields.next();) switch (fields.tag_and_type()) {
        case packed(1):
        case varint(1):
          append_integers(fields, result.dims);
          break;
        case varint(2):
          kind = fields.bits();
          break;
        case message(9):
          result.field = fields;
          break;
        case varint(14):
          is_external = fields.bits() == 1;
          break;
      }
    checked_rank(result.dims);
    result.kind = static_cast<element>(kind);
    std::uint64_t const size = result.count() * width_of(result.kind);
    if (is_external)
      find_external(tensor, size, result);
    else if (!result.field)
      read_typed(tensor, size, result);
    else
      check_size(result.field->size(), size, result.dims);
    return result;
  }

  [[nodiscard]] array make(extents dims, std::vector<std::int64_t> const& values) { return make(std::move(dims), element::int64, values); }
  [[nodiscard]] array make(extents dims, std::vector<float> const& values) { return make(std::move(dims), element::float32, values); }

  /// Calls visit(value) with each value as a double or, for integers, as an std::int64_t.
  template <class Visit>
  void each(array const& a, Visit const& visit) const {
    switch (a.kind) {
      case element::float32:
        return each_as<float>(a, [&](float v) { visit(double{v}); });
      case element::float64:
        return each_as<double>(a, visit);
      case element::float16:
        return each_as<std::uint16_t>(a, [&](std::uint16_t v) { visit(double{from_half(v)}); });
      case element::bfloat16:
        return each_as<std::uint16_t>(a, [&](std::uint16_t v) { visit(double{from_bfloat(v)}); });
      case element::int32:
        return each_as<std::int32_t>(a, [&](std::int32_t v) { visit(std::int64_t{v}); });
      case element::int64:
        return each_as<std::int64_t>(a, visit);
      case element::boolean:
        return each_as<char>(a, [&](char v) { visit(std::int64_t{v != 0}); });
    }
  }

  /// The values of a short list of integers: a shape, axes, pads.
  [[nodiscard]] std::vector<std::int64_t> integers(array const& a) const {
    if (is_real(a.kind)) fail("whole numbers are wanted where it has real ones");
    if (a.count() > longest_list) fail("a list of whole numbers has ", a.count(), "; at most ", longest_list, " are read");
    std::vector<std::int64_t> values;
    each(a, [&](auto v) { values.push_back(static_cast<std::int64_t>(v)); });
    return values;
  }

  /// The values as finite floats, times `factor`.
  [[nodiscard]] std::vector<float> floats(array const& a, float factor = 1) {
    return placed(a, factor, [](std::size_t i) { return i; });
  }

  /// The transpose of a matrix: of all that are made, the one that is often large, so it is filled as the file is read.
  [[nodiscard]] std::vector<float> transposed(array const& a, float factor = 1) {
    auto const rows = static_cast<std::size_t>(a.dims.at(0)), columns = static_cast<std::size_t>(a.dims.at(1));
    return placed(a, factor, [=](std::size_t i) { return i % columns * rows + i / columns; });
  }

 private:
  static void check_size(std::uint64_t given, std::uint64_t wanted, extents const& dims) {
    if (given != wanted) fail("its shape ", to_text(dims), " takes ", wanted, " bytes of values, it has ", given);
  }

  template <class Place>
  std::vector<float> placed(array const& a, float factor, Place const& place) {
    auto const count = static_cast<std::size_t>(a.count());
    memory.charge(count * sizeof(float));
    std::vector<float> values(count);
    std::size_t i = 0;
    each(a, [&](auto value) {
      double const v = static_cast<double>(value) * double{factor};
      if (!(std::abs(v) <= double{std::numeric_limits<float>::max()}))
        fail("value ", i, " is ", v, ", not a finite float; the training that made this file diverged, or the file is damaged");
      values[place(i++)] = static_cast<float>(v);
    });
    return values;
  }

  template <class T, class Visit>
  void each_as(array const& a, Visit const& visit) const {
    std::uint64_t const size = a.count() * sizeof(T);
    if (a.made) {
      for (std::uint64_t at = 0; at < size; at += sizeof(T)) visit(load<T>(a.made->data() + at));
    } else if (a.field) {
      a.field->each<T>(visit);
    } else {
      for_each_value<T>(file_reader(folder_ / a.external), a.first, a.first + size, visit);
    }
  }

  template <class T>
  array make(extents dims, element kind, std::vector<T> const& values) {
    std::size_t const size = values.size() * sizeof(T);
    memory.charge(size);
    auto bytes = std::make_shared<std::string>(size, '\0');
    if (size > 0) std::memcpy(bytes->data(), values.data(), size);
    return {.dims = std::move(dims), .kind = kind, .made = std::move(bytes)};
  }

  /// The fields float_data, int32_data, int64_data, double_data: packed reals are left where they are, all else is unpacked.
  void read_typed(message_reader const& tensor, std::uint64_t size, array& result) {
    bool const is_fixed = result.kind == element::float32 || result.kind == element::float64;
    std::uint32_t const number = result.kind == element::float32   ? 4
                                 : result.kind == element::float64 ? 10
                                 : result.kind == element::int64   ? 7
                                                                   : 5;
    std::size_t const width = width_of(result.kind);
    std::uint64_t lists = 0, singles = 0, bytes = 0;
    for (auto fields = tensor; fields.next();)
      if (fields.tag_and_type() == packed(number)) {
        result.field = fields;
        bytes += fields.size();
        ++lists;
      } else if (fields.tag_and_type() >> 3 == number) {
        ++singles;
      }
    if (is_fixed && lists == 1 && singles == 0) return check_size(bytes, size, result.dims);
    // Each value takes at least a byte of the file: a size that the file has no values for must not be allocated.
    if (size / width > bytes + singles) fail("its shape ", to_text(result.dims), " asks for ", size / width, " values, it has fewer");
    memory.charge(size + bytes);
    auto values = std::make_shared<std::string>();
    values->reserve(static_cast<std::size_t>(size));
    auto const append = [&](std::uint64_t bits) {
      if (values->size() == size) fail("its shape ", to_text(result.dims), " asks for ", size / width, " values, it has more");
      values->append(reinterpret_cast<char const*>(&bits), width);
    };
    for (auto fields = tensor; fields.next();)
      if (fields.tag_and_type() == packed(number)) {
        std::string const packed_values = fields.bytes(static_cast<std::size_t>(bytes));
        for (char const *at = packed_values.data(), *const end = at + packed_values.size(); at != end;)
          append(result.kind == element::float32   ? take<std::uint32_t>(at, end)
                 : result.kind == element::float64 ? take<std::uint64_t>(at, end)
                                                   : protozero::decode_varint(&at, end));
      } else if (fields.tag_and_type() >> 3 == number) {
        append(fields.bits());
      }
    memory.refund(bytes);
    check_size(values->size(), size, result.dims);
    result.field.reset();
    result.made = std::move(values);
  }
  template <class T>
  static T take(char const*& at, char const* end) {
    if (static_cast<std::size_t>(end - at) < sizeof(T)) throw protozero::invalid_length_exception{};
    at += sizeof(T);
    return load<T>(at - sizeof(T));
  }

  static std::uint64_t to_number(std::string const& text) {
    std::uint64_t value = 0;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size()) fail("the place of its external data is '", text, "', not a number");
    return value;
  }

  void find_external(message_reader tensor, std::uint64_t size, array& result) {
    std::uint64_t given = size;
    while (tensor.next()) {
      if (tensor.tag_and_type() != message(13)) continue;
      std::string key, value;
      for (auto entry = tensor.message(); entry.next();) {
        if (entry.tag_and_type() == message(1)) key = name_of(entry);
        if (entry.tag_and_type() == message(2)) value = name_of(entry);
      }
      if (key == "location") result.external = value;
      if (key == "offset") result.first = to_number(value);
      if (key == "length") given = to_number(value);
    }
    check_size(given, size, result.dims);
    std::filesystem::path const location(result.external);
    if (location.empty() || location.is_absolute() || std::find(location.begin(), location.end(), "..") != location.end())
      fail("its data are in '", result.external, "'; only files in the folder of the model are read");
    file_reader const file(folder_ / location);
    if (given > file.size() || result.first > file.size() - given)
      fail("its data are bytes ", result.first, " to ", result.first + given, " of '", result.external, "', which has ", file.size());
    if (external_.insert(result.external).second) memory.add_file(file.size());
  }

  std::filesystem::path folder_;
  std::set<std::string> external_;  // that are read
};

}  // namespace pareidolia::detail::onnx
