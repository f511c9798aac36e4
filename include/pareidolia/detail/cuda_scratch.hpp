// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cuda_runtime.hpp>
#include <pareidolia/detail/cuda_transfers.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace pareidolia::detail::cuda {

/// Device memory for the small arrays that one primitive hands to its kernel or gets from it: `count` values. It is the same memory at each
/// call of a thread, which its stream orders, so nothing waits and nothing is allocated once it is large enough.
template <class T>
[[nodiscard]] T* scratch(std::size_t count) {
  thread_local buffer kept;
  std::size_t const bytes = count * sizeof(T);
  if (kept.size() < bytes) {
    synchronize();  // kernels may still use what there is
    kept = {};
    kept = buffer(std::max(2 * bytes, std::size_t{1} << 16), "the arguments of kernels");
  }
  return kept.as<T>();
}

/// The values in scratch memory.
template <class T>
[[nodiscard]] T const* uploaded(std::span<T const> values) {
  T* const room = scratch<T>(values.size());
  upload(values, room);
  return room;
}

}  // namespace pareidolia::detail::cuda
