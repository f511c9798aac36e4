// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include "emulation/machine.hpp"
#include "emulation/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

// What the sources of kernels need to compile as C++ for the host.
//
// A block's threads run one after the other. One that waits for the others in __syncthreads() is set aside, on a stack of its own.

#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__ static  // blocks run one after the other

static auto const &threadIdx = pareidolia_test::emulation::thread_index, &blockIdx = pareidolia_test::emulation::block_index,
                  &blockDim = pareidolia_test::emulation::block_size, &gridDim = pareidolia_test::emulation::grid_size;

inline void __syncthreads() { pareidolia_test::emulation::wait_for_block(); }

template <class T>
T atomicAdd(T* where, T value) {
  return std::exchange(*where, *where + value);
}
template <class T>
T atomicMax(T* where, T value) {
  return std::exchange(*where, std::max(*where, value));
}
template <class T>
T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
T max(T a, T b) {
  return a < b ? b : a;
}
inline float __int_as_float(int bits) { return __builtin_bit_cast(float, bits); }
inline int __float_as_int(float value) { return __builtin_bit_cast(int, value); }
