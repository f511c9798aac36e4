// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// Events of the emulated device, which does its work at once.

#include <cuda_runtime_api.h>

#include <chrono>

namespace {
using clock = std::chrono::steady_clock;
clock::time_point& when(cudaEvent_t event) { return *reinterpret_cast<clock::time_point*>(event); }
}  // namespace

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = reinterpret_cast<cudaEvent_t>(new clock::time_point);
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete &when(event);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  when(event) = clock::now();
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(when(end) - when(begin)).count();
  return cudaSuccess;
}
