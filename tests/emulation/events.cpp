// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// Events of the emulated device.

#include "emulation/machine.hpp"

#include <cuda_runtime_api.h>

#include <chrono>
#include <memory>

namespace {

using clock = std::chrono::steady_clock;
using pareidolia_test::emulation::enqueue;
using pareidolia_test::emulation::wait_for_stream;

/// Shared with the stream, which may come to an event that is destroyed.
struct event {
  int pending = 0;  // records that the stream has not come to
  clock::time_point when;
};
std::shared_ptr<event>& of(cudaEvent_t e) { return *reinterpret_cast<std::shared_ptr<event>*>(e); }

}  // namespace

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  *e = reinterpret_cast<cudaEvent_t>(new std::shared_ptr<event>(std::make_shared<event>()));
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* e) { return cudaEventCreateWithFlags(e, cudaEventDefault); }
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  delete &of(e);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t) {
  ++of(e)->pending;
  enqueue([at = of(e)] {
    at->when = clock::now();
    --at->pending;
  });
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  if (of(e)->pending > 0) wait_for_stream([at = of(e)] { return at->pending == 0; });
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (of(begin)->pending > 0 || of(end)->pending > 0) return cudaErrorNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(of(end)->when - of(begin)->when).count();
  return cudaSuccess;
}
