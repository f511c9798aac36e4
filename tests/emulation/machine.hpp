// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

// An emulated CUDA device: its memory, its kernels, and where it is in running one. What a thread asks for waits in that thread's stream,
// and is done when somebody waits for it: what the library frees or reads too early is wrong each time.

namespace pareidolia_test::emulation {

/// While one lives, device memory can be read and written; a host that touches it at another time dies of a segmentation fault.
struct device_access {
  device_access();
  ~device_access();
  device_access(device_access const&) = delete;
  device_access& operator=(device_access const&) = delete;
};

/// Does it when the stream of the calling thread comes to it, or makes it part of the graph that the thread is capturing.
void enqueue(std::function<void()> work);
/// Waits until the stream has come to where `reached()` is true, or to its end.
void wait_for_stream(std::function<bool()> const& reached);

/// Bytes copied to the device and back since the program began.
struct traffic {
  std::size_t up = 0, down = 0;
};
inline traffic moved;

/// Calls since the program began.
struct calls {
  std::size_t started = 0;     ///< that gave a stream work: kernels, plans, products, graphs, copies
  std::size_t waits = 0;       ///< for a stream or an event
  std::size_t graphs = 0;      ///< captures that became graphs
  std::size_t heuristics = 0;  ///< of cuDNN that were asked
};
inline calls made;

/// What the machine is; a test may change it for a while.
struct machine {
  int devices = 1, driver = 13000, major = 9;
  std::size_t memory = std::size_t{1} << 30, cudnn_version = 0;  ///< 0: that of the headers
  bool captures = true;                                          ///< can work be captured?
};
inline machine emulated;

/// The machine as it was comes back at the end.
class changed_machine {
 public:
  explicit changed_machine(machine const& other) : before_(std::exchange(emulated, other)) {}
  changed_machine(changed_machine const&) = delete;
  changed_machine& operator=(changed_machine const&) = delete;
  ~changed_machine() { emulated = before_; }

 private:
  machine before_;
};
/// The device that the program works on, of two of which the second is of another kind, and how often it asked for a device's attributes.
inline int current_device = 0;
inline std::size_t attributes_asked = 0;

struct index {
  unsigned x = 0, y = 0, z = 0;
};
inline index thread_index, block_index, block_size, grid_size;

/// Sets the running thread aside until all others of its block have come to a barrier or an end.
void wait_for_block();

/// A kernel: its call with the arguments behind pointers, as cudaLaunchKernel passes them, and a copy of those.
struct kernel {
  void (*call)(void** arguments);
  std::shared_ptr<void*> (*copy)(void** arguments);
};

[[nodiscard]] inline std::map<std::string, kernel>& kernels() {
  static std::map<std::string, kernel> all;
  return all;
}

template <auto Kernel>
struct unpacked;
template <class... Parameters, void (*Kernel)(Parameters...)>
struct unpacked<Kernel> {
  struct copied {
    std::tuple<Parameters...> values;
    std::array<void*, sizeof...(Parameters)> pointers;
  };

  static void call(void** arguments) {
    [&]<std::size_t... I>(std::index_sequence<I...>) { Kernel(*static_cast<Parameters*>(arguments[I])...); }
    (std::index_sequence_for<Parameters...>{});
  }
  static std::shared_ptr<void*> copy(void** arguments) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      auto all = std::make_shared<copied>(copied{{*static_cast<Parameters*>(arguments[I])...}, {}});
      ((all->pointers[I] = const_cast<void*>(static_cast<void const*>(&std::get<I>(all->values)))), ...);
      return std::shared_ptr<void*>(all, all->pointers.data());
    }
    (std::index_sequence_for<Parameters...>{});
  }
};

template <auto Kernel>
bool enlist(char const* name) {
  return kernels().emplace(name, kernel{&unpacked<Kernel>::call, &unpacked<Kernel>::copy}).second;
}

}  // namespace pareidolia_test::emulation
