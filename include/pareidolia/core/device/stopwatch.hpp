// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/stopwatch.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>

#include <cuda_runtime_api.h>

#include <memory>
#include <type_traits>

namespace pareidolia {

/// The device notes the time when it comes to start() and stop() in its work, so nothing waits there. seconds() waits for the last stop().
template <>
class stopwatch<space::device> {
 public:
  void start() {
    settle();
    note(begin_);
  }
  void stop() {
    note(end_);
    running_ = true;
  }
  [[nodiscard]] double seconds() {
    settle();
    return seconds_;
  }

 private:
  struct destroy {
    void operator()(cudaEvent_t event) const { static_cast<void>(cudaEventDestroy(event)); }
  };
  using event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, destroy>;

  static void note(event& when) {
    if (!when) {
      cudaEvent_t created = nullptr;
      detail::cuda::check(cudaEventCreate(&created), "an event could not be created");
      when.reset(created);
    }
    detail::cuda::check(cudaEventRecord(when.get(), detail::cuda::stream()), "an event could not be recorded");
  }
  void settle() {
    if (!running_) return;
    running_ = false;
    float milliseconds = 0;
    detail::cuda::check(cudaEventSynchronize(end_.get()), "the work on the device failed");
    detail::cuda::check(cudaEventElapsedTime(&milliseconds, begin_.get(), end_.get()), "the time between two events is not known");
    seconds_ += 1e-3 * double{milliseconds};
  }

  event begin_, end_;
  bool running_ = false;  // the last interval is not in seconds_ yet
  double seconds_ = 0;
};

}  // namespace pareidolia
