// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cuda_runtime.hpp>

#include <cuda_runtime_api.h>

#include <memory>
#include <type_traits>

namespace pareidolia::detail::cuda {

/// A sequence of work on the device that was recorded, to be started as a whole: the host makes one call instead of one for each kernel,
/// and the device knows what comes next. A CUDA graph; arguments of kernels are those of the recording.
class recorded_work {
 public:
  recorded_work() = default;
  explicit recorded_work(cudaGraphExec_t work) : work_(work) {}

  [[nodiscard]] explicit operator bool() const { return work_ != nullptr; }
  void start() const { check(cudaGraphLaunch(work_.get(), stream()), "recorded work could not be started"); }

 private:
  struct destroy {
    void operator()(cudaGraphExec_t work) const { static_cast<void>(cudaGraphExecDestroy(work)); }
  };
  std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, destroy> work_;
};

/// Records what start() asks of the device on the stream of the calling thread; nothing of it is done. Empty where some of it cannot be
/// recorded, or fails: what is wrong with it shows when it is done without a recording.
template <class Start>
[[nodiscard]] recorded_work record(Start const& start) {
  struct graph_owner {
    cudaGraph_t handle = nullptr;
    ~graph_owner() {
      if (handle != nullptr) static_cast<void>(cudaGraphDestroy(handle));
    }
  } graph;
  cudaGraphExec_t work = nullptr;
  // Other threads may allocate meanwhile; this one may not.
  bool good = cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal) == cudaSuccess;
  if (good) {
    try {
      start();
    } catch (...) {
      good = false;
    }
    good = cudaStreamEndCapture(stream(), &graph.handle) == cudaSuccess && good;
  }
  if (good && cudaGraphInstantiate(&work, graph.handle, 0) == cudaSuccess) return recorded_work(work);
  static_cast<void>(cudaGetLastError());  // or the next call would report it
  return {};
}

}  // namespace pareidolia::detail::cuda
