// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/cuda_elementwise.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_transfers.hpp>

#include "support/cuda.hpp"

#include <doctest/doctest.h>

#include <array>
#include <span>
#include <vector>

using namespace pareidolia;
using namespace pareidolia::detail;

TEST_CASE("a kernel is launched by its name, with a thread for each item") {
  if (!pareidolia_test::has_device()) return;
  std::vector<float> values(100'001);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 50'000.f;
  cuda::buffer const x(values.size() * sizeof(float), "a test");
  cuda::upload(std::span<float const>(values), x.as<float>());
  cuda::kernels<cuda::elementwise_kernels>().launch("relu_forward", values.size(), x.as<float const>(), x.as<float>(), .5f,
                                                    cuda::kernel_count(values.size()));
  std::vector<float> result(values.size());
  cuda::download(x.as<float const>(), std::span(result));
  for (std::size_t i = 0; i < values.size(); ++i) REQUIRE(result[i] == (values[i] > 0 ? values[i] : .5f * values[i]));
}

TEST_CASE("a kernel that is not there is an error with its name") {
  if (!pareidolia_test::has_device()) return;
  CHECK_THROWS_WITH_AS(cuda::kernels<cuda::elementwise_kernels>().launch("no_such_kernel", 1), doctest::Contains("no_such_kernel"), error);
}

TEST_CASE("memory of a device that has not as much is an error that says how much there is") {
  if (!pareidolia_test::has_device()) return;
  CHECK_THROWS_WITH_AS((cuda::buffer{std::size_t{1} << 50, "this test"}), doctest::Contains("MB were asked for this test, "), error);
}

TEST_CASE("without a device the engine says so in one sentence") {
  if (cuda::device_count() > 0) return;
  CHECK_THROWS_WITH_AS(static_cast<void>(cuda::current_device()), doctest::Contains("no CUDA device was found"), error);
}
