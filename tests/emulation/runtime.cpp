// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// The part of the CUDA runtime that the library calls, on a device that is emulated by the host: what libcudart is linked for elsewhere.

#include "emulation/machine.hpp"

#include <cuda_runtime_api.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace pareidolia_test::emulation {
namespace {

std::recursive_mutex device_mutex;
struct pages {
  void* first;
  std::size_t size;
};
std::map<void*, pages>& allocations() {
  static std::map<void*, pages> all;
  return all;
}
int accesses = 0;

void protect(int how) {
  for (auto const& [data, own] : allocations()) ::mprotect(own.first, own.size, how);
}

/// Runs the threads of a block. Threads that never wait share one stack; each that does keeps its own until it has ended.
class block {
 public:
  void run(entry kernel, void** arguments, unsigned threads) {
    kernel_ = kernel;
    arguments_ = arguments;
    threads_ = threads;
    next_ = 0;
    running_ = this;
    while (next_ < threads_) {
      fiber& f = idle();
      resume(f);
      if (f.waiting) waiting_.push_back(&f);
    }
    while (!waiting_.empty()) {
      std::vector<fiber*> const round = std::exchange(waiting_, {});
      for (fiber* f : round) {
        resume(*f);
        if (f->waiting) waiting_.push_back(f);
      }
    }
  }

  static void wait() {
    fiber& f = *running_->current_;
    f.waiting = true;
    ::swapcontext(&f.context, &running_->scheduler_);
  }

 private:
  static constexpr std::size_t stack_bytes = 128 * 1024;
  struct fiber {
    ucontext_t context;
    std::unique_ptr<std::byte[]> stack = std::make_unique<std::byte[]>(stack_bytes);
    unsigned thread = 0;
    bool waiting = false, busy = false;
  };

  fiber& idle() {
    for (auto const& f : fibers_)
      if (!f->busy) return start(*f);
    fibers_.push_back(std::make_unique<fiber>());
    return start(*fibers_.back());
  }
  fiber& start(fiber& f) {
    ::getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.stack.get();
    f.context.uc_stack.ss_size = stack_bytes;
    f.context.uc_link = &scheduler_;
    f.busy = true;
    ::makecontext(&f.context, &block::threads, 0);
    return f;
  }
  void resume(fiber& f) {
    current_ = &f;
    f.waiting = false;
    thread_index = {f.thread, 0, 0};
    ::swapcontext(&scheduler_, &f.context);
  }
  /// One thread after the other until all have started: while one waits, the others start on another stack.
  static void threads() {
    block& b = *running_;
    fiber& f = *b.current_;
    while (b.next_ < b.threads_) {
      f.thread = b.next_++;
      thread_index = {f.thread, 0, 0};
      b.kernel_(b.arguments_);
    }
    f.busy = false;
  }

  static inline block* running_ = nullptr;
  entry kernel_ = nullptr;
  void** arguments_ = nullptr;
  unsigned threads_ = 0, next_ = 0;
  fiber* current_ = nullptr;
  ucontext_t scheduler_;
  std::vector<std::unique_ptr<fiber>> fibers_;
  std::vector<fiber*> waiting_;
};

}  // namespace

void wait_for_block() { block::wait(); }

device_access::device_access() {
  device_mutex.lock();
  if (accesses++ == 0) protect(PROT_READ | PROT_WRITE);
}
device_access::~device_access() {
  if (--accesses == 0) protect(PROT_NONE);
  device_mutex.unlock();
}

}  // namespace pareidolia_test::emulation

using namespace pareidolia_test::emulation;

namespace {
constexpr std::size_t device_memory = std::size_t{1} << 30, page = 4096, alignment = 16;
std::size_t used = 0;
}  // namespace

cudaError_t cudaGetLastError() { return cudaSuccess; }
char const* cudaGetErrorString(cudaError_t status) { return status == cudaErrorMemoryAllocation ? "out of memory" : "emulated error"; }
char const* cudaGetErrorName(cudaError_t) { return "cudaErrorEmulated"; }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr what, int device) {
  ++attributes_asked;
  *value = what == cudaDevAttrComputeCapabilityMajor ? 9 - device : what == cudaDevAttrMultiProcessorCount ? 1 : 0;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = device_memory - used;
  *total = device_memory;
  return cudaSuccess;
}

// New memory is full of NaNs: a result that depends on it is wrong. It ends where a page ends that nobody may touch.
cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  std::lock_guard const lock(device_mutex);
  if (bytes > device_memory - used) return cudaErrorMemoryAllocation;
  std::size_t const size = (bytes + page - 1) / page * page;
  void* const first = ::mmap(nullptr, size + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (first == MAP_FAILED) return cudaErrorMemoryAllocation;
  ::mprotect(first, size, PROT_READ | PROT_WRITE);
  std::memset(first, 0xff, size);
  *data = static_cast<std::byte*>(first) + size - (bytes + alignment - 1) / alignment * alignment;
  ::mprotect(first, size, PROT_NONE);
  allocations()[*data] = {first, size};
  used += size;
  return cudaSuccess;
}
cudaError_t cudaFree(void* data) {
  std::lock_guard const lock(device_mutex);
  auto const found = allocations().find(data);
  if (data == nullptr) return cudaSuccess;
  if (found == allocations().end()) return cudaErrorInvalidValue;
  ::munmap(found->second.first, found->second.size + page);
  used -= found->second.size;
  allocations().erase(found);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** data, std::size_t bytes) {
  *data = ::operator new(bytes);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* data) {
  ::operator delete(data);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
  device_access const access;
  if (kind == cudaMemcpyHostToDevice) moved.up += bytes;
  if (kind == cudaMemcpyDeviceToHost) moved.down += bytes;
  std::memmove(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t) {
  device_access const access;
  std::memset(to, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, void const*, cudaJitOption*, void**, unsigned, cudaLibraryOption*, void**,
                                unsigned) {
  static int one;
  *library = reinterpret_cast<cudaLibrary_t>(&one);
  return cudaSuccess;
}
cudaError_t cudaLibraryUnload(cudaLibrary_t) { return cudaSuccess; }
cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t, char const* name) {
  auto const found = kernels().find(name);
  if (found == kernels().end()) return cudaErrorSymbolNotFound;
  *kernel = reinterpret_cast<cudaKernel_t>(found->second);
  return cudaSuccess;
}
cudaError_t cudaLaunchKernel(void const* kernel, dim3 grid, dim3 threads, void** arguments, std::size_t, cudaStream_t) {
  device_access const access;
  static block runner;
  block_size = {threads.x, 1, 1};
  grid_size = {grid.x, 1, 1};
  for (unsigned b = 0; b < grid.x; ++b) {
    block_index = {b, 0, 0};
    runner.run(reinterpret_cast<entry>(const_cast<void*>(kernel)), arguments, threads.x);
  }
  return cudaSuccess;
}
