// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace pareidolia::detail {

static_assert(std::endian::native == std::endian::little, "the file formats are little endian and are copied as they are");

/// All bytes of a file. Errors: missing, a folder, unreadable, larger than `limit` bytes.
[[nodiscard]] inline std::string read_file(std::filesystem::path const& path, std::uintmax_t limit = std::uintmax_t{1} << 36) {
  std::string const where = path.string() + ": ";
  std::error_code failure;
  auto const status = std::filesystem::status(path, failure);
  if (status.type() == std::filesystem::file_type::not_found) fail(where, "there is no such file");
  if (is_directory(status)) fail(where, "this is a folder; name a file in it");
  if (failure) fail(where, failure.message());
  if (!is_regular_file(status)) fail(where, "this is a device or a pipe; give a regular file");
  std::uintmax_t const size = std::filesystem::file_size(path, failure);
  if (failure) fail(where, failure.message());
  if (size > limit) fail(where, "the file has ", size, " bytes; more than ", limit, " are not read");

  std::ifstream file(path, std::ios::binary);
  if (!file) fail(where, "the file cannot be opened; check its permissions");
  std::string bytes(static_cast<std::size_t>(size), '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (static_cast<std::uintmax_t>(file.gcount()) != size) fail(where, "the file could not be read to its end");
  return bytes;
}

/// The T whose bytes start at `from`, which need not be aligned.
template <class T>
[[nodiscard]] T load(char const* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace pareidolia::detail
