// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/half_floats.hpp>
#include <pareidolia/detail/safetensors_header.hpp>
#include <pareidolia/io/atomic_file.hpp>
#include <pareidolia/models/weights.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace pareidolia {
namespace detail::safetensors {

inline std::vector<float> read_values(file_reader const& file, std::uint64_t data, entry const& tensor) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>((tensor.end - tensor.begin) / width_of(tensor.kind)));
  auto const append = [&](double v) {
    if (!(std::abs(v) <= double{std::numeric_limits<float>::max()})) fail("value ", values.size(), " is ", v, ", not a finite float");
    values.push_back(static_cast<float>(v));
  };
  std::uint64_t const first = data + tensor.begin, last = data + tensor.end;
  if (tensor.kind == "F64")
    for_each_value<double>(file, first, last, append);
  else if (tensor.kind == "F32")
    for_each_value<float>(file, first, last, append);
  else if (tensor.kind == "F16")
    for_each_value<std::uint16_t>(file, first, last, [&](std::uint16_t bits) { append(double{from_half(bits)}); });
  else
    for_each_value<std::uint16_t>(file, first, last, [&](std::uint16_t bits) { append(double{from_bfloat(bits)}); });
  return values;
}

inline weights parse(file_reader const& file) {
  if (file.size() < 8) fail("the file has ", file.size(), " bytes; a safetensors file has at least 8");
  std::uint64_t length = 0;
  for_each_value<std::uint64_t>(file, 0, sizeof length, [&](std::uint64_t found) { length = found; });
  if (length > file.size() - 8) fail("its header claims ", length, " bytes; the file is no safetensors file, or it is cut short");
  if (length > longest_header(file.size()))
    fail("its header has ", length, " bytes; at most ", longest_header(file.size()), " are read of a file of ", file.size());

  weights result;
  std::uint64_t const data = 8 + length;
  auto const tensors = [&] {
    std::string header(static_cast<std::size_t>(length), '\0');
    file.read(8, header);
    // Line breaks mean what spaces mean; but nlohmann quotes them in its errors, with eight characters each.
    std::replace_if(
        header.begin(), header.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    return header_reader(result, file.size() - data).read(header);
  }();
  for (entry const& tensor : tensors) try {
      tensor.content->second.values = read_values(file, data, tensor);
    } catch (error const& e) {
      fail("tensor '", tensor.content->first, "': ", e.what());
    }
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
  if (std::uint64_t const most = longest_header(sizeof(std::uint64_t) + text.size() + offset); text.size() > most)
    fail("the names and metadata need ", text.size(), " bytes; beside this data at most ", most, " can be read again");
  std::uint64_t const length = text.size();
  std::string result(sizeof length, '\0');
  std::memcpy(result.data(), &length, sizeof length);
  return result + text;
}

}  // namespace detail::safetensors

/// The tensors of a safetensors file (https://huggingface.co/docs/safetensors), as float, and its metadata.
///
/// F32 as it is, F16 and BF16 exactly, F64 rounded; tensors of whole numbers, such as PyTorch's counters, are left out. Everything the
/// format asks for is checked: each byte of the data belongs to one tensor. Memory: the values, read straight from the file, and while the
/// header is parsed a few times the header, which may be an eighth of the file or 64 KB; at most allocation_limit(). Errors: a missing,
/// truncated or damaged file, another type, values that are NaN or infinite.
[[nodiscard]] inline weights read_safetensors(std::filesystem::path const& path) {
  detail::file_reader const file(path);
  try {
    weights result = detail::safetensors::parse(file);
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
