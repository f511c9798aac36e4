// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/cuda_cache.hpp>

#include <nvrtc.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <ios>
#include <string>
#include <string_view>

namespace pareidolia::detail::cuda {

/// A translation unit of kernels, C++17 without any include. Kernels are extern "C".
struct kernel_source {
  std::string_view name;  ///< for messages
  std::string_view text;
  bool of_values = false;  ///< written for arrays of any number, as cuda_numbers.hpp says
};

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

/// The cubin of `source` for `architecture`: from the cache, or compiled and put there.
[[nodiscard]] inline std::string cubin(kernel_source const& source, int architecture,
                                       std::filesystem::path const& folder = cache::folder()) {
  if (folder.empty()) return nvrtc::compile(source, architecture);
  int major = 0, minor = 0;
  nvrtc::check(nvrtcVersion(&major, &minor), "NVRTC does not tell its version");
  auto const file = folder / text(source.name, "-", std::hex, cache::checksum(source.text), std::dec, "-sm", architecture, "-nvrtc", major,
                                  ".", minor, ".cubin");
  if (auto cached = cache::read(file); !cached.empty()) return cached;
  auto compiled = nvrtc::compile(source, architecture);
  cache::write(file, compiled);
  return compiled;
}

}  // namespace pareidolia::detail::cuda
