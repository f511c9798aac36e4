// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// What finding the kernels of the current device costs, which only an emulated device counts.

#include "emulation/machine.hpp"

#include <pareidolia/detail/cuda_elementwise.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>

#include <doctest/doctest.h>

#include <cstddef>

namespace pareidolia_test {

namespace cuda = pareidolia::detail::cuda;

TEST_CASE("kernels are looked for once on each device, and then those of the device that is current are given") {
  auto const current = [] { return &cuda::kernels<cuda::elementwise_kernels>(); };
  auto const* const first = current();
  std::size_t const asked = emulation::attributes_asked;
  CHECK(current() == first);
  CHECK(emulation::attributes_asked == asked);
  CHECK(&cuda::kernels<cuda::elementwise_kernels>(cuda::number::bfloat16) != first);
  emulation::current_device = 1;
  auto const* const second = current();
  emulation::current_device = 0;
  CHECK(second != first);
  CHECK(current() == first);
}

}  // namespace pareidolia_test
