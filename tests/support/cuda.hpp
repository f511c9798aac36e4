// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cuda_runtime.hpp>

#include <doctest/doctest.h>

namespace pareidolia_test {

/// Is there a device, a real or an emulated one? Test cases that need one return where there is none.
[[nodiscard]] inline bool has_device() {
  bool const found = pareidolia::detail::cuda::device_count() > 0;
  if (!found) MESSAGE("no CUDA device: not tested on one");
  return found;
}

/// Is there one that computes as fast as a device does? The emulated one has a single multiprocessor.
[[nodiscard]] inline bool has_real_device() { return has_device() && pareidolia::detail::cuda::current_device().multiprocessors > 1; }

}  // namespace pareidolia_test
