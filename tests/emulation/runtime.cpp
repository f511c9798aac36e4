// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// The part of the CUDA runtime that the library calls, on a device that is emulated by the host: what libcudart is linked for elsewhere.

#include "emulation/machine.hpp"

#include <cuda_runtime_api.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <set>
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
  void run(kernel const& code, void** arguments, unsigned threads) {
    kernel_ = code.call;
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
  void (*kernel_)(void**) = nullptr;
  void** arguments_ = nullptr;
  unsigned threads_ = 0, next_ = 0;
  fiber* current_ = nullptr;
  ucontext_t scheduler_;
  std::vector<std::unique_ptr<fiber>> fibers_;
  std::vector<fiber*> waiting_;
};

using operation = std::function<void()>;

bool never() { return false; }

/// What a thread asked for and nobody has waited for.
class stream {
 public:
  /// Lives on when its thread ends, as that of a device does.
  static stream& of_this_thread() {
    thread_local stream* const own = *all().insert(new stream).first;
    return *own;
  }
  static void finish_all() {
    for (stream* s : all()) s->finish();
  }

  void push(operation what) { waiting_.push_back(std::move(what)); }
  void finish(std::function<bool()> const& reached = never) {
    while (!waiting_.empty() && !reached()) {
      operation const next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }

  std::unique_ptr<std::vector<operation>> captured;  // while it is capturing
  bool spoilt = false;                               // by a call that cannot be captured

 private:
  static std::set<stream*>& all() {
    static auto& streams = *new std::set<stream*>;
    return streams;
  }
  std::deque<operation> waiting_;
};

/// Called by what may not be asked for during a capture; which is then lost.
bool spoils_capture() {
  stream& own = stream::of_this_thread();
  if (own.captured) own.spoilt = true;
  return own.captured != nullptr;
}

}  // namespace

void wait_for_block() { block::wait(); }

void enqueue(std::function<void()> work) {
  std::lock_guard const lock(device_mutex);
  stream& own = stream::of_this_thread();
  if (own.captured) return own.captured->push_back(std::move(work));
  ++made.started;
  own.push(std::move(work));
}

void wait_for_stream(std::function<bool()> const& reached) {
  std::lock_guard const lock(device_mutex);
  ++made.waits;
  stream::of_this_thread().finish(reached);
}

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
constexpr std::size_t page = 4096, alignment = 16;
std::size_t used = 0;
std::map<std::byte*, std::size_t> pinned;

bool is_pinned(void const* data) {
  auto const* const at = static_cast<std::byte const*>(data);
  return std::any_of(pinned.begin(), pinned.end(), [at](auto const& own) { return own.first <= at && at < own.first + own.second; });
}
}  // namespace

cudaError_t cudaGetLastError() { return cudaSuccess; }
char const* cudaGetErrorString(cudaError_t status) { return status == cudaErrorMemoryAllocation ? "out of memory" : "emulated error"; }
char const* cudaGetErrorName(cudaError_t) { return "cudaErrorEmulated"; }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = emulated.devices;
  if (emulated.driver < 12000) return cudaErrorInsufficientDriver;
  return emulated.devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = emulated.driver;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* all, int) {
  *all = {};
  std::strcpy(all->name, "emulated device");
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr what, int device) {
  ++attributes_asked;
  *value = what == cudaDevAttrComputeCapabilityMajor ? emulated.major - device : what == cudaDevAttrMultiProcessorCount ? 1 : 0;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = emulated.memory - std::min(used, emulated.memory);
  *total = emulated.memory;
  return cudaSuccess;
}

// New memory is full of NaNs: a result that depends on it is wrong. It ends where a page ends that nobody may touch.
cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  std::lock_guard const lock(device_mutex);
  if (spoils_capture()) return cudaErrorStreamCaptureUnsupported;
  if (bytes > emulated.memory - std::min(used, emulated.memory)) return cudaErrorMemoryAllocation;
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
  if (spoils_capture()) return cudaErrorStreamCaptureUnsupported;
  stream::finish_all();
  auto const found = allocations().find(data);
  if (data == nullptr) return cudaSuccess;
  if (found == allocations().end()) return cudaErrorInvalidValue;
  ::munmap(found->second.first, found->second.size + page);
  used -= found->second.size;
  allocations().erase(found);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned) {
  std::lock_guard const lock(device_mutex);
  *data = ::operator new(bytes);
  pinned[static_cast<std::byte*>(*data)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* data) {
  std::lock_guard const lock(device_mutex);
  pinned.erase(static_cast<std::byte*>(data));
  ::operator delete(data);
  return cudaSuccess;
}
// Host memory that is pinned is read and written when the stream comes to the copy; other memory when it is asked for, which waits.
cudaError_t cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
  std::lock_guard const lock(device_mutex);
  if (kind == cudaMemcpyHostToDevice) moved.up += bytes;
  if (kind == cudaMemcpyDeviceToHost) moved.down += bytes;
  bool const waits = kind != cudaMemcpyDeviceToDevice && !is_pinned(kind == cudaMemcpyHostToDevice ? from : to);
  if (waits && spoils_capture()) return cudaErrorStreamCaptureUnsupported;
  enqueue([=] {
    device_access const access;
    std::memmove(to, from, bytes);
  });
  if (waits) wait_for_stream(never);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t) {
  enqueue([=] {
    device_access const access;
    std::memset(to, value, bytes);
  });
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) {
  std::lock_guard const lock(device_mutex);
  if (spoils_capture()) return cudaErrorStreamCaptureUnsupported;
  wait_for_stream(never);
  return cudaSuccess;
}

// A graph is a list of what was captured.
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
  std::lock_guard const lock(device_mutex);
  stream& own = stream::of_this_thread();
  if (!emulated.captures || own.captured) return cudaErrorStreamCaptureUnsupported;
  own.captured = std::make_unique<std::vector<operation>>();
  own.spoilt = false;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
  std::lock_guard const lock(device_mutex);
  stream& own = stream::of_this_thread();
  *graph = nullptr;
  if (!own.captured) return cudaErrorIllegalState;
  auto captured = std::move(own.captured);
  if (own.spoilt) return cudaErrorStreamCaptureInvalidated;
  *graph = reinterpret_cast<cudaGraph_t>(captured.release());
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete reinterpret_cast<std::vector<operation>*>(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* work, cudaGraph_t graph, unsigned long long) {
  *work = reinterpret_cast<cudaGraphExec_t>(new std::vector<operation>(*reinterpret_cast<std::vector<operation>*>(graph)));
  ++made.graphs;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t work) {
  delete reinterpret_cast<std::vector<operation>*>(work);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t work, cudaStream_t) {
  enqueue([all = *reinterpret_cast<std::vector<operation>*>(work)] {
    for (operation const& each : all) each();
  });
  return cudaSuccess;
}

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, void const*, cudaJitOption*, void**, unsigned, cudaLibraryOption*, void**,
                                unsigned) {
  static int one;
  *library = reinterpret_cast<cudaLibrary_t>(&one);
  return cudaSuccess;
}
cudaError_t cudaLibraryUnload(cudaLibrary_t) { return cudaSuccess; }
cudaError_t cudaLibraryGetKernel(cudaKernel_t* handle, cudaLibrary_t, char const* name) {
  auto const found = kernels().find(name);
  if (found == kernels().end()) return cudaErrorSymbolNotFound;
  *handle = reinterpret_cast<cudaKernel_t>(&found->second);
  return cudaSuccess;
}
cudaError_t cudaLaunchKernel(void const* handle, dim3 grid, dim3 threads, void** arguments, std::size_t, cudaStream_t) {
  kernel const& code = *static_cast<kernel const*>(handle);
  enqueue([&code, grid, threads, own = code.copy(arguments)] {
    device_access const access;
    static block runner;
    block_size = {threads.x, 1, 1};
    grid_size = {grid.x, 1, 1};
    for (unsigned b = 0; b < grid.x; ++b) {
      block_index = {b, 0, 0};
      runner.run(code, own.get(), threads.x);
    }
  });
  return cudaSuccess;
}
