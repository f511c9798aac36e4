// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

// An emulated CUDA device: its memory, its kernels, and where it is in running one.

namespace pareidolia_test::emulation {

/// While one lives, device memory can be read and written; a host that touches it at another time dies of a segmentation fault.
struct device_access {
  device_access();
  ~device_access();
  device_access(device_access const&) = delete;
  device_access& operator=(device_access const&) = delete;
};

/// Bytes copied to the device and back since the program began.
struct traffic {
  std::size_t up = 0, down = 0;
};
inline traffic moved;

/// The device that the program works on, of two of which the second is of another kind, and how often it asked for a device's attributes.
inline int current_device = 0;
inline std::size_t attributes_asked = 0;

struct index {
  unsigned x = 0, y = 0, z = 0;
};
inline index thread_index, block_index, block_size, grid_size;

/// Sets the running thread aside until all others of its block have come to a barrier or an end.
void wait_for_block();

/// A kernel with its arguments behind pointers, as cudaLaunchKernel passes them.
using entry = void (*)(void** arguments);

[[nodiscard]] inline std::map<std::string, entry>& kernels() {
  static std::map<std::string, entry> all;
  return all;
}

template <auto Kernel>
struct unpacked;
template <class... Parameters, void (*Kernel)(Parameters...)>
struct unpacked<Kernel> {
  static void call(void** arguments) {
    [&]<std::size_t... I>(std::index_sequence<I...>) { Kernel(*static_cast<Parameters*>(arguments[I])...); }
    (std::index_sequence_for<Parameters...>{});
  }
};

template <auto Kernel>
bool enlist(char const* name) {
  return kernels().emplace(name, &unpacked<Kernel>::call).second;
}

}  // namespace pareidolia_test::emulation
