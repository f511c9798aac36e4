// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/hasher.hpp>

#include <nvrtc.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace pareidolia::detail::cuda {

/// A translation unit of kernels, C++17 without any include. Kernels are extern "C".
struct kernel_source {
  std::string_view name;  ///< for messages
  std::string_view text;
  bool of_values = false;  ///< written for arrays of any number, as cuda_numbers.hpp says
};

/// Where compiled kernels are kept: pareidolia/ in XDG_CACHE_HOME, else in ~/.cache; empty where neither is known.
[[nodiscard]] inline std::filesystem::path kernel_cache() {
  auto const folder = [](char const* variable) {
    char const* const value = std::getenv(variable);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (auto const cache = folder("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "pareidolia";
  if (auto const home = folder("HOME"); home.is_absolute()) return home / ".cache" / "pareidolia";
  return {};
}

namespace nvrtc {

inline void check(nvrtcResult status, std::string const& what) {
  if (status != NVRTC_SUCCESS) fail("cuda engine: ", what, ": ", nvrtcGetErrorString(status));
}

/// Compiles for compute capability `architecture`, 90 for 9.0, without looking at any cache. Needs no device. Errors: NVRTC's log.
[[nodiscard]] inline std::string compile(kernel_source const& source, int architecture) {
  struct program_owner {
    nvrtcProgram handle = nullptr;
    ~program_owner() {
      if (handle != nullptr) static_cast<void>(nvrtcDestroyProgram(&handle));
    }
  } program;
  std::string const text(source.text), name = std::string(source.name) + ".cu";
  check(nvrtcCreateProgram(&program.handle, text.c_str(), name.c_str(), 0, nullptr, nullptr), "NVRTC could not be started");
  std::string const target = "-arch=sm_" + std::to_string(architecture);
  std::array<char const*, 2> const options{target.c_str(), "-std=c++17"};
  if (nvrtcResult const status = nvrtcCompileProgram(program.handle, options.size(), options.data()); status != NVRTC_SUCCESS) {
    std::size_t size = 0;
    std::string log;
    if (nvrtcGetProgramLogSize(program.handle, &size) == NVRTC_SUCCESS && size > 1) {
      log.resize(size);
      static_cast<void>(nvrtcGetProgramLog(program.handle, log.data()));
      log.resize(size - 1);
    }
    fail("cuda engine: the kernels '", source.name, "' could not be compiled for sm_", architecture, " (", nvrtcGetErrorString(status),
         "); a device newer than the installed NVRTC needs a newer CUDA Toolkit. ", log);
  }
  std::size_t size = 0;
  check(nvrtcGetCUBINSize(program.handle, &size), "NVRTC gave no cubin");
  std::string cubin(size, '\0');
  check(nvrtcGetCUBIN(program.handle, cubin.data()), "NVRTC gave no cubin");
  return cubin;
}

}  // namespace nvrtc

namespace kernel_files {

[[nodiscard]] inline std::uint64_t checksum(std::string_view bytes) {
  hasher h;
  h.add(bytes);
  return h.value();
}

/// The contents of a cache file, empty if it is missing or damaged: it ends with the checksum of the rest.
[[nodiscard]] inline std::string read(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::uint64_t expected = 0;
  if (bytes.size() <= sizeof expected) return {};
  std::memcpy(&expected, bytes.data() + bytes.size() - sizeof expected, sizeof expected);
  bytes.resize(bytes.size() - sizeof expected);
  return checksum(bytes) == expected ? bytes : std::string();
}

/// Writes the file complete or not at all, and does nothing where it cannot: a cache may fail.
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

}  // namespace kernel_files

/// The cubin of `source` for `architecture`: from the cache, or compiled and put there.
[[nodiscard]] inline std::string cubin(kernel_source const& source, int architecture, std::filesystem::path const& cache = kernel_cache()) {
  if (cache.empty()) return nvrtc::compile(source, architecture);
  int major = 0, minor = 0;
  nvrtc::check(nvrtcVersion(&major, &minor), "NVRTC does not tell its version");
  auto const file = cache / text(source.name, "-", std::hex, kernel_files::checksum(source.text), std::dec, "-sm", architecture, "-nvrtc",
                                 major, ".", minor, ".cubin");
  if (auto cached = kernel_files::read(file); !cached.empty()) return cached;
  auto compiled = nvrtc::compile(source, architecture);
  kernel_files::write(file, compiled);
  return compiled;
}

}  // namespace pareidolia::detail::cuda
