// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/cuda_numbers.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>
#include <pareidolia/detail/nvrtc.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pareidolia::detail::cuda {

/// What may be passed to a kernel: the host and the device must agree on its size.
template <class T>
concept KernelArgument = std::is_pointer_v<T> || std::same_as<T, int> || std::same_as<T, unsigned> || std::same_as<T, float> ||
    (std::is_class_v<T>&& std::is_trivially_copyable_v<T>);

/// Threads in each block of every launch: what kernels that share memory in a block may rely on.
constexpr unsigned block_threads = 256;

/// A count of values or images as kernels take it. Errors: it does not fit 31 bits, which their index arithmetic relies on.
[[nodiscard]] inline unsigned kernel_count(std::size_t count) {
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    fail("cuda engine: an array of ", count, " values is too large for one step; prepare the network for a smaller batch");
  return static_cast<unsigned>(count);
}

/// The kernels of one translation unit for arrays of n, compiled and loaded for the current device.
class kernel_library {
 public:
  kernel_library(kernel_source const& source, number n)
      : name_(text(source.name, suffix(n))), suffix_(suffix(n)), multiprocessors_(current_device().multiprocessors) {
    std::string const code = cubin({name_, text_for(n, source)}, current_device().architecture());
    cudaLibrary_t library = nullptr;
    check(cudaLibraryLoadData(&library, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
          "the kernels '" + name_ + "' could not be loaded");
    library_.reset(library);
  }

  /// Starts a kernel with enough threads for `count` independent items; it loops over them with a stride of the whole grid:
  ///     for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)
  /// The arguments must have the very types of the kernel's parameters.
  template <KernelArgument... Args>
  void launch(char const* kernel, std::size_t count, Args... args) const {
    unsigned const blocks = (kernel_count(count) + block_threads - 1) / block_threads;
    // Eight blocks of 256 threads fill a multiprocessor; four times that evens out its load.
    start(kernel, std::min(blocks, 32 * static_cast<unsigned>(multiprocessors_)), args...);
  }

  /// Starts a kernel with one block for each of `count` items: blockIdx.x is the item.
  template <KernelArgument... Args>
  void launch_blocks(char const* kernel, std::size_t count, Args... args) const {
    start(kernel, kernel_count(count), args...);
  }

 private:
  struct unload {
    void operator()(cudaLibrary_t library) const { static_cast<void>(cudaLibraryUnload(library)); }
  };

  template <class... Args>
  void start(char const* kernel, unsigned blocks, Args&... args) const {
    if (blocks == 0) return;
    std::array<void*, sizeof...(Args)> pointers{const_cast<void*>(static_cast<void const*>(&args))...};
    auto const status = cudaLaunchKernel(find(kernel), dim3(blocks), dim3(block_threads), pointers.data(), 0, stream());
    if (status != cudaSuccess) check(status, text("the kernel '", kernel, "' could not be started"));
  }

  [[nodiscard]] void const* find(char const* kernel) const {
    std::lock_guard const lock(mutex_);
    if (auto const found = known_.find(std::string_view(kernel)); found != known_.end()) return found->second;
    cudaKernel_t result = nullptr;
    check(cudaLibraryGetKernel(&result, library_.get(), (kernel + suffix_).c_str()),
          text("there is no kernel '", kernel, "' among '", name_, "'"));
    known_.emplace(kernel, result);
    return result;
  }

  std::string name_, suffix_;
  int multiprocessors_;
  std::unique_ptr<std::remove_pointer_t<cudaLibrary_t>, unload> library_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, cudaKernel_t, std::less<>> known_;
};

/// The kernels of `source` for arrays of n, loaded once for each kind of device that the process uses. Each thread remembers what its last
/// call gave: as long as it stays on one device, all it asks is which that is.
template <kernel_source const& Source>
[[nodiscard]] kernel_library const& kernels(number n = number::float32) {
  struct remembered {
    int device = -1;
    kernel_library const* library = nullptr;
  };
  thread_local std::array<remembered, 3> all;
  remembered& last = all[static_cast<std::size_t>(n)];
  int device = -1;
  if (cudaGetDevice(&device) != cudaSuccess || device != last.device) {
    static std::mutex mutex;
    static std::map<std::pair<int, number>, kernel_library> libraries;
    int const architecture = current_device().architecture();
    std::lock_guard const lock(mutex);
    last = {device, &libraries.try_emplace({architecture, n}, Source, n).first->second};
  }
  return *last.library;
}

}  // namespace pareidolia::detail::cuda
