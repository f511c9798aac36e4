// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/cuda_graph.hpp>

#include <pareidolia/detail/cuda_elementwise.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_transfers.hpp>

#include "support/cuda.hpp"

#include <doctest/doctest.h>

#include <span>
#include <stdexcept>
#include <vector>

using namespace pareidolia;
using namespace pareidolia::detail;

namespace {

/// Sixteen numbers in device memory, and a kernel that adds them to themselves.
struct numbers {
  cuda::buffer memory{16 * sizeof(float), "a test"};

  numbers() {
    cuda::upload(std::span<float const>(std::vector<float>(16, 1.f)), memory.as<float>());
    twice();  // loads the kernel
  }
  void twice() const {
    cuda::kernels<cuda::elementwise_kernels>().launch("add", 16, memory.as<float const>(), memory.as<float const>(), memory.as<float>(),
                                                      cuda::kernel_count(16));
  }
  float first() const {
    std::vector<float> values(16);
    cuda::download(memory.as<float const>(), std::span(values));
    return values.front();
  }
};

}  // namespace

TEST_CASE("recorded work is done each time it is started, and not before") {
  if (!pareidolia_test::has_device()) return;
  numbers const x;
  auto const work = cuda::record([&] {
    x.twice();
    x.twice();
  });
  REQUIRE(work);
  CHECK(x.first() == 2);
  work.start();
  CHECK(x.first() == 8);
  x.twice();
  work.start();
  work.start();
  CHECK(x.first() == 256);
}

TEST_CASE("work that cannot be recorded leaves nothing behind, and the stream as it was") {
  if (!pareidolia_test::has_device()) return;
  numbers const x;
  CHECK(!cuda::recorded_work());
  CHECK(!cuda::record([&] {
    x.twice();
    cuda::buffer const more(64, "a test");
  }));
  CHECK(!cuda::record([&] {
    x.twice();
    cuda::synchronize();
  }));
  CHECK(!cuda::record([&] {
    x.twice();
    throw std::runtime_error("something else");
  }));
  x.twice();
  CHECK(x.first() == 4);
}
