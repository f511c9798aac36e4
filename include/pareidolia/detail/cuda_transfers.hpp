// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cuda_runtime.hpp>

#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <type_traits>

// Copies between host and device. They go through pinned memory: the device fetches from there by itself, while a copy of ordinary memory
// first waits for all that the stream still has to do.

namespace pareidolia::detail::cuda {

/// Pinned memory of one thread for one device: blocks that are used one after the other, again and again. An upload waits only when it
/// comes to a block whose former contents the device has not fetched yet.
class staging {
 public:
  staging() = default;
  staging(staging const&) = delete;
  staging& operator=(staging const&) = delete;
  ~staging() { static_cast<void>(cudaStreamSynchronize(stream())); }  // what the device still has to fetch

  /// Enqueues a copy; `from` has been read when this returns. Several small ones share a block.
  void upload(std::span<std::byte const> from, std::byte* to) {
    while (!from.empty()) {
      if (used_ == block_bytes) next_block();
      auto const piece = from.first(std::min(from.size(), block_bytes - used_));
      std::byte* const room = now().memory.get() + used_;
      std::memcpy(room, piece.data(), piece.size());
      check(cudaMemcpyAsync(to, room, piece.size(), cudaMemcpyHostToDevice, stream()), "an upload failed");
      used_ += std::min((piece.size() + line - 1) / line * line, block_bytes - used_);
      from = from.subspan(piece.size());
      to += piece.size();
    }
  }

  /// Copies to the host and waits for that copy. While a piece is taken out of its block, the next ones arrive.
  void download(std::byte const* from, std::span<std::byte> to) {
    std::size_t const pieces = (to.size() + block_bytes - 1) / block_bytes;
    auto const piece = [&](std::size_t i) { return to.subspan(i * block_bytes, std::min(block_bytes, to.size() - i * block_bytes)); };
    std::array<block const*, blocks> where{};  // of the pieces on their way
    for (std::size_t i = 0; i < pieces + blocks; ++i) {
      block const*& slot = where[i % blocks];
      if (slot != nullptr) {
        auto const arrived = piece(i - blocks);
        slot->wait();
        std::memcpy(arrived.data(), slot->memory.get(), arrived.size());
        slot = nullptr;
      }
      if (i >= pieces) continue;
      next_block();
      check(cudaMemcpyAsync(now().memory.get(), from + i * block_bytes, piece(i).size(), cudaMemcpyDeviceToHost, stream()),
            "a download failed");
      now().mark();
      slot = &now();
    }
  }

 private:
  static constexpr std::size_t blocks = 4, block_bytes = std::size_t{4} << 20, line = 64;

  struct release {
    void operator()(std::byte* memory) const { static_cast<void>(cudaFreeHost(memory)); }
    void operator()(cudaEvent_t event) const { static_cast<void>(cudaEventDestroy(event)); }
  };
  struct block {
    std::unique_ptr<std::byte, release> memory;
    std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, release> done;  // the device with what was last asked of the block

    void allocate() {
      void* data = nullptr;
      cudaEvent_t event = nullptr;
      check(cudaHostAlloc(&data, block_bytes, cudaHostAllocDefault), "pinned host memory could not be allocated");
      memory.reset(static_cast<std::byte*>(data));
      check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "an event could not be created");
      done.reset(event);
    }
    void mark() const { check(cudaEventRecord(done.get(), stream()), "an event could not be recorded"); }
    void wait() const { check(cudaEventSynchronize(done.get()), "the work on the device failed"); }
  };

  block& now() { return ring_[now_]; }
  void next_block() {
    if (used_ > 0 && now().done) now().mark();
    now_ = (now_ + 1) % blocks;
    used_ = 0;
    if (now().done)
      now().wait();
    else
      now().allocate();
  }

  std::array<block, blocks> ring_;
  std::size_t now_ = 0, used_ = block_bytes;
};

/// That of the calling thread for its current device.
[[nodiscard]] inline staging& staging_of_this_thread() {
  thread_local std::map<int, staging> all;
  return all.try_emplace(device_number()).first->second;
}

/// Enqueues a copy; `from` may change or end when this returns.
template <class T>
void upload(std::span<T const> from, T* to) {
  staging_of_this_thread().upload(std::as_bytes(from), reinterpret_cast<std::byte*>(to));
}
/// Copies to the host and waits for it.
template <class T>
void download(T const* from, std::span<T> to) {
  staging_of_this_thread().download(reinterpret_cast<std::byte const*>(from), std::as_writable_bytes(to));
}

}  // namespace pareidolia::detail::cuda
