// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

// Owners of what the CUDA runtime hands out, and errors for its status codes. No handle of CUDA is seen outside engines/ and detail/.
//
// Everything that one host thread asks of the device happens in order, on the stream that the runtime keeps for that thread.

namespace pareidolia::detail::cuda {

/// Throws the runtime's own words behind `what` unless `status` is success.
inline void check(cudaError_t status, std::string const& what) {
  if (status == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // or the next call would report it again
  fail("cuda engine: ", what, ": ", cudaGetErrorString(status), " (", cudaGetErrorName(status), ")");
}

/// The stream of the calling thread.
[[nodiscard]] inline cudaStream_t stream() { return cudaStreamPerThread; }

/// How many devices there are; 0 without a driver.
[[nodiscard]] inline int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  static_cast<void>(cudaGetLastError());
  return 0;
}

/// Number of the device that the calling thread works on.
[[nodiscard]] inline int device_number() {
  int device = 0;
  check(cudaGetDevice(&device), "the current device could not be asked for");
  return device;
}

/// What the engine has to know of a device.
struct device_properties {
  int major = 0, minor = 0, multiprocessors = 0;
  [[nodiscard]] int architecture() const { return 10 * major + minor; }
};

/// Says why there is no device.
[[noreturn]] inline void fail_without_device() {
  int driver = 0;
  static_cast<void>(cudaDriverGetVersion(&driver));
  static_cast<void>(cudaGetLastError());
  auto const release = [](int number) { return text(number / 1000, '.', number % 1000 / 10); };
  if (driver == 0) fail("cuda engine: no CUDA device was found, because there is no driver; install NVIDIA's, or use cpu_engine");
  if (driver / 1000 < CUDART_VERSION / 1000)
    fail("cuda engine: no CUDA device was found, because the driver is for CUDA ", release(driver), " and the program for ",
         release(CUDART_VERSION), "; install a newer driver, or use cpu_engine");
  fail("cuda engine: no CUDA device was found; nvidia-smi must list one that CUDA_VISIBLE_DEVICES does not hide, or use cpu_engine");
}

/// The current device of the calling thread. Errors: no driver or device, a device older than Ampere.
[[nodiscard]] inline device_properties current_device() {
  if (device_count() == 0) fail_without_device();
  int device = 0;
  check(cudaGetDevice(&device), "the current device could not be asked for");
  device_properties p;
  auto const ask = [device](int& value, cudaDeviceAttr what) {
    check(cudaDeviceGetAttribute(&value, what, device), "an attribute of the device could not be asked for");
  };
  ask(p.major, cudaDevAttrComputeCapabilityMajor);
  ask(p.minor, cudaDevAttrComputeCapabilityMinor);
  ask(p.multiprocessors, cudaDevAttrMultiProcessorCount);
  if (p.major < 8)
    fail("cuda engine: the device has compute capability ", p.major, ".", p.minor, "; 8.0 (Ampere) or newer is needed, or use cpu_engine");
  return p;
}

/// Tells kinds of devices apart: those of one name run the same code equally fast.
[[nodiscard]] inline std::string device_name() {
  device_properties const p = current_device();
  cudaDeviceProp all{};
  check(cudaGetDeviceProperties(&all, device_number()), "the name of the device could not be asked for");
  return text(all.name, " (", p.major, ".", p.minor, ", ", p.multiprocessors, " multiprocessors)");
}

/// Device memory, uninitialised.
class buffer {
 public:
  buffer() = default;
  buffer(std::size_t bytes, char const* purpose)
      : buffer(bytes, purpose, [](std::size_t) { return "prepare the network for a smaller batch"; }) {}
  /// When memory runs out, the message says the `purpose` and advice(free), what to do where so many bytes are free.
  template <class Advice>
  buffer(std::size_t bytes, char const* purpose, Advice const& advice) : size_(bytes) {
    if (bytes == 0) return;
    cudaError_t const status = cudaMalloc(&data_, bytes);
    if (status == cudaSuccess) return;
    static_cast<void>(cudaGetLastError());
    std::size_t free = 0, total = 0;
    if (status != cudaErrorMemoryAllocation || cudaMemGetInfo(&free, &total) != cudaSuccess)
      check(status, "device memory for " + std::string(purpose) + " could not be allocated");
    fail("cuda engine: device memory ran out: ", (bytes >> 20) + 1, " MB were asked for ", purpose, ", ", free >> 20, " of ", total >> 20,
         " MB are free; ", advice(free));
  }
  buffer(buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  buffer& operator=(buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~buffer() {
    if (data_ != nullptr) static_cast<void>(cudaFree(data_));
  }

  template <class T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data_);
  }
  [[nodiscard]] std::byte* data() const { return as<std::byte>(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Waits for all that the calling thread asked for; what went wrong on the device meanwhile is said here.
inline void synchronize() { check(cudaStreamSynchronize(stream()), "the work on the device failed"); }

/// Enqueue a copy, or zeros. cuda_transfers.hpp has copies between host and device.
template <class T>
void copy(T const* from, T* to, std::size_t count) {
  check(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyDeviceToDevice, stream()), "a copy on the device failed");
}
template <class T>
void fill_zero(T* to, std::size_t count) {
  check(cudaMemsetAsync(to, 0, count * sizeof(T), stream()), "memory on the device could not be cleared");
}

}  // namespace pareidolia::detail::cuda
