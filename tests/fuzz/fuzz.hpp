// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

// What every fuzz target shares: the input as a file, and a count of all memory that is allocated while the loader works.

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <sanitizer/allocator_interface.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pareidolia_test {

/// Memory that the calling program holds since watch(), C libraries included; above the limit it is a finding.
struct allocations {
  static inline bool watching = false;
  static inline std::uint64_t live = 0, most = 0;

  static void watch(std::uint64_t limit) {
    [[maybe_unused]] static int const installed = __sanitizer_install_malloc_and_free_hooks(
        [](void const volatile*, std::size_t size) {
          if (!watching) return;
          live += size;
          if (live <= most) return;
          watching = false;
          std::fprintf(stderr, "%llu bytes are allocated, the last %zu at once; the loader's limit is %llu\n",
                       static_cast<unsigned long long>(live), size, static_cast<unsigned long long>(most));
          std::abort();
        },
        [](void const volatile* memory) {
          if (watching && memory != nullptr)
            live -= std::min<std::uint64_t>(live, __sanitizer_get_allocated_size(const_cast<void const*>(memory)));
        });
    most = limit;
    live = 0;
    watching = true;
  }
};

/// A file in memory with the given bytes.
class memory_file {
 public:
  memory_file() : descriptor_(::memfd_create("input", 0)) {}

  std::filesystem::path const& put(std::string_view bytes) {
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) != static_cast<::ssize_t>(bytes.size()))
      std::abort();
    return path_;
  }

 private:
  int descriptor_;
  std::filesystem::path path_ = "/proc/self/fd/" + std::to_string(descriptor_);
};

/// Lets `load` read a file of these bytes. Good is a result for which `holds` is true, or an error that names the file; all else is a
/// finding, and so is more memory than `limit`.
template <class Load, class Holds>
void fuzz(std::string_view bytes, std::uint64_t limit, Load const& load, Holds const& holds) {
  static memory_file file;
  std::filesystem::path const& path = file.put(bytes);
  allocations::watch(limit);
  try {
    auto const result = load(path);
    allocations::watching = false;
    if (!holds(result)) std::abort();
  } catch (pareidolia::error const& e) {
    allocations::watching = false;
    if (std::string_view(e.what()).find(path.native()) == std::string_view::npos) std::abort();
  }
  allocations::watching = false;
}

}  // namespace pareidolia_test
