// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/hasher.hpp>

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

// Files of what takes long to find out and is the same each time: compiled kernels, plans of convolutions. A cache may fail: a file that is
// missing, damaged or cannot be written costs time, never a result.

namespace pareidolia::detail::cuda::cache {

/// Where the files are: pareidolia/ in XDG_CACHE_HOME, else in ~/.cache; empty where neither is known.
[[nodiscard]] inline std::filesystem::path folder() {
  auto const named = [](char const* variable) {
    char const* const value = std::getenv(variable);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (auto const cache = named("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "pareidolia";
  if (auto const home = named("HOME"); home.is_absolute()) return home / ".cache" / "pareidolia";
  return {};
}

[[nodiscard]] inline std::uint64_t checksum(std::string_view bytes) {
  hasher h;
  h.add(bytes);
  return h.value();
}

/// The contents of a file, empty if it is missing or damaged: it ends with the checksum of the rest.
[[nodiscard]] inline std::string read(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::uint64_t expected = 0;
  if (bytes.size() <= sizeof expected) return {};
  std::memcpy(&expected, bytes.data() + bytes.size() - sizeof expected, sizeof expected);
  bytes.resize(bytes.size() - sizeof expected);
  return checksum(bytes) == expected ? bytes : std::string();
}

/// Writes the file complete or not at all, and does nothing where it cannot.
inline void write(std::filesystem::path const& path, std::string bytes) {
  std::error_code failed;
  std::filesystem::create_directories(path.parent_path(), failed);
  if (failed) return;
  std::uint64_t const sum = checksum(bytes);
  bytes.append(reinterpret_cast<char const*>(&sum), sizeof sum);
  auto const temporary = path.parent_path() / (path.filename().string() + "." + std::to_string(::getpid()));
  {
    std::ofstream file(temporary, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) {
      std::filesystem::remove(temporary, failed);
      return;
    }
  }
  std::filesystem::rename(temporary, path, failed);
  if (failed) std::filesystem::remove(temporary, failed);
}

}  // namespace pareidolia::detail::cuda::cache
