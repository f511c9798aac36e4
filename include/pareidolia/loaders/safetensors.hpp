// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/io/atomic_file.hpp>
#include <pareidolia/models/weights.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia {
namespace detail::safetensors {

constexpr std::size_t largest_header = 100'000'000;

/// IEEE binary16 to binary32, exactly.
inline float from_half(std::uint16_t bits) {
  int const exponent = (bits >> 10) & 31, mantissa = bits & 1023;
  float const sign = (bits & 0x8000) != 0 ? -1.f : 1.f;
  if (exponent == 31) return mantissa != 0 ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  return sign *
         (exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24) : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25));
}
inline float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

/// Where a tensor lies in the file, checked as far as its own entry goes.
struct entry {
  std::string name, kind;
  std::vector<std::size_t> shape;
  std::size_t begin = 0, end = 0;
};

inline std::size_t width_of(std::string_view kind) {
  if (kind == "F64") return 8;
  if (kind == "F32") return 4;
  if (kind == "F16" || kind == "BF16") return 2;
  fail("its type is ", kind, "; only F32, F64, F16 and BF16 are read");
}

inline entry read_entry(std::string const& name, nlohmann::json const& description, std::size_t available) {
  auto const find = [&](char const* key) -> nlohmann::json const& {
    auto const found = description.find(key);
    if (found == description.end()) fail("it has no ", key);
    return *found;
  };
  auto const whole = [](nlohmann::json const& number, char const* what) {
    if (!number.is_number_unsigned()) fail("its ", what, " must be whole numbers from 0");
    return number.get<std::size_t>();
  };
  if (!description.is_object()) fail("its entry in the header is not an object");

  entry result{name, {}, {}};
  auto const& kind = find("dtype");
  if (!kind.is_string()) fail("its dtype is not a text");
  result.kind = kind.get<std::string>();
  auto const& offsets = find("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2) fail("its data_offsets are not two numbers");
  result.begin = whole(offsets[0], "data_offsets");
  result.end = whole(offsets[1], "data_offsets");
  if (result.begin > result.end || result.end > available)
    fail("its bytes ", result.begin, " to ", result.end, " are not inside the ", available,
         " bytes of data; the file is cut short or damaged");

  auto const& shape = find("shape");
  if (!shape.is_array()) fail("its shape is not a list");
  std::size_t bytes = width_of(result.kind);
  bool empty = false, overflow = false;
  for (auto const& number : shape) {
    std::size_t const extent = whole(number, "shape");
    result.shape.push_back(extent);
    empty = empty || extent == 0;
    if (extent != 0 && !overflow) overflow = bytes > std::numeric_limits<std::size_t>::max() / extent;
    if (!overflow) bytes *= extent;
  }
  if (empty) bytes = 0;
  if ((overflow && !empty) || bytes != result.end - result.begin)
    fail("its shape and type disagree with its ", result.end - result.begin, " bytes");
  return result;
}

template <class Stored, class Convert>
std::vector<float> convert(std::string_view bytes, Convert const& to_float) {
  std::vector<float> values(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto const stored = load<Stored>(bytes.data() + i * sizeof(Stored));
    double const v = to_float(stored);
    if (!(std::abs(v) <= double{std::numeric_limits<float>::max()})) fail("value ", i, " is ", v, ", not a finite float");
    values[i] = static_cast<float>(v);
  }
  return values;
}

inline std::vector<float> read_values(entry const& tensor, std::string_view data) {
  std::string_view const bytes = data.substr(tensor.begin, tensor.end - tensor.begin);
  if (tensor.kind == "F64") return convert<double>(bytes, [](double v) { return v; });
  if (tensor.kind == "F16") return convert<std::uint16_t>(bytes, from_half);
  if (tensor.kind == "BF16") return convert<std::uint16_t>(bytes, from_bfloat);
  return convert<float>(bytes, [](float v) { return v; });
}

/// The header as JSON. The format knows objects of objects of lists, and every name once; anything else is refused while it is read.
inline nlohmann::json parse_header(std::string_view text) {
  using event = nlohmann::json::parse_event_t;
  std::set<std::string> names;
  auto const guard = [&](int depth, event what, nlohmann::json& parsed) {
    if ((what == event::object_start || what == event::array_start) && depth > 2) fail("the header is nested too deeply");
    if (what == event::key && depth == 1 && !names.insert(parsed.get<std::string>()).second)
      fail("two tensors are named '", parsed.get<std::string>(), "'");
    return true;
  };
  if (text.empty() || text.front() != '{') fail("its header does not start with '{'; this is no safetensors file");
  try {
    return nlohmann::json::parse(text, guard);
  } catch (nlohmann::json::exception const& e) {
    fail("its header is not valid JSON (", e.what(), ")");
  }
}

inline weights parse(std::string_view file) {
  if (file.size() < 8) fail("the file has ", file.size(), " bytes; a safetensors file has at least 8");
  auto const length = load<std::uint64_t>(file.data());
  if (length > largest_header || length > file.size() - 8)
    fail("its header claims ", length, " bytes; the file is no safetensors file, or it is cut short");
  auto const header = parse_header(file.substr(8, static_cast<std::size_t>(length)));
  std::string_view const data = file.substr(8 + static_cast<std::size_t>(length));

  weights result;
  std::vector<entry> entries;
  for (auto const& [name, description] : header.items()) {
    if (name == "__metadata__") {
      if (!description.is_object()) fail("its metadata is not an object");
      for (auto const& [key, value] : description.items()) {
        if (!value.is_string()) fail("its metadata '", key, "' is not a text");
        result.metadata.emplace(key, value.get<std::string>());
      }
      continue;
    }
    try {
      entries.push_back(read_entry(name, description, data.size()));
    } catch (error const& e) {
      fail("tensor '", name, "': ", e.what());
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](entry const& a, entry const& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::size_t covered = 0;
  for (entry const& tensor : entries) {
    if (tensor.begin != covered)
      fail("tensor '", tensor.name, "' ", tensor.begin < covered ? "overlaps another" : "leaves a gap before it");
    covered = tensor.end;
    try {
      result.parameters.emplace(tensor.name, parameter{tensor.shape, read_values(tensor, data)});
    } catch (error const& e) {
      fail("tensor '", tensor.name, "': ", e.what());
    }
  }
  if (covered != data.size()) fail("it has ", data.size() - covered, " bytes that belong to no tensor");
  return result;
}

/// The header of the canonical file, with its length before and padding behind it.
inline std::string header_of(weights const& content) {
  auto header = nlohmann::json::object();
  if (!content.metadata.empty()) header["__metadata__"] = content.metadata;
  std::size_t offset = 0;
  for (auto const& [name, tensor] : content.parameters) {
    if (name == "__metadata__") fail("no tensor may be named '__metadata__'");
    std::size_t count = 1;
    for (std::size_t const extent : tensor.shape) count *= extent;
    if (count != tensor.values.size()) fail("tensor '", name, "': its shape asks for ", count, " values, it has ", tensor.values.size());
    std::size_t const end = offset + sizeof(float) * count;
    header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (nlohmann::json::exception const&) {
    fail("a name or a metadata text is not UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > largest_header) fail("the names and metadata need ", text.size(), " bytes; the format allows ", largest_header);
  std::uint64_t const length = text.size();
  std::string result(sizeof length, '\0');
  std::memcpy(result.data(), &length, sizeof length);
  return result + text;
}

}  // namespace detail::safetensors

/// The tensors of a safetensors file (https://huggingface.co/docs/safetensors), as float, and its metadata.
///
/// F32 as it is, F16 and BF16 exactly, F64 rounded. Everything the format asks for is checked: each byte of the data belongs to one tensor.
/// Memory: the file and its values. Errors: a missing, truncated or damaged file, another type, values that are NaN or infinite.
[[nodiscard]] inline weights read_safetensors(std::filesystem::path const& path) {
  std::string const bytes = detail::read_file(path);
  try {
    weights result = detail::safetensors::parse(bytes);
    result.source = path.string();
    return result;
  } catch (error const& e) {
    detail::fail(path.string(), ": ", e.what());
  }
}

/// Writes the tensors and metadata as F32 safetensors, complete or not at all (atomic_file).
///
/// Canonical: names sorted, data in their order, header padded with spaces to 8 bytes; the same content is the same bytes.
/// Errors: a shape that disagrees with its values, text that is not UTF-8, a file that cannot be written.
inline void write_safetensors(std::filesystem::path const& path, weights const& content) {
  std::string header;
  try {
    header = detail::safetensors::header_of(content);
  } catch (error const& e) {
    detail::fail(path.string(), ": ", e.what());
  }
  atomic_file file(path);
  file.write(header);
  for (auto const& [name, tensor] : content.parameters) file.write(std::as_bytes(std::span(tensor.values)));
  file.commit();
}

}  // namespace pareidolia
