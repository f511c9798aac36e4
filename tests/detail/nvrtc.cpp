// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/nvrtc.hpp>

#include <pareidolia/detail/cuda_numbers.hpp>

#include "support/files.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace pareidolia;
using namespace pareidolia::detail;

namespace {

constexpr cuda::kernel_source doubled{"doubled", R"(
extern "C" __global__ void doubled(float* x, unsigned count) {
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) x[i] *= 2;
})"};

}  // namespace

TEST_CASE("NVRTC compiles kernels to cubins for Ampere and Hopper where no device is") {
  for (int architecture : {80, 90}) CHECK(cuda::nvrtc::compile(doubled, architecture).substr(1, 3) == "ELF");
}

TEST_CASE("every kernel of the library compiles for Ampere and Hopper, and where it may for 16-bit numbers") {
  std::size_t sources = 0, short_sources = 0;
  for (auto const& file : std::filesystem::directory_iterator(PAREIDOLIA_KERNELS)) {
    std::string const name = file.path().stem().string();
    CAPTURE(name);
    std::ifstream stream(file.path());
    std::string const text{std::istreambuf_iterator<char>(stream), {}};
    cuda::kernel_source const source{name, text, text.find("KERNEL(") != std::string::npos};
    std::vector numbers{cuda::number::float32};
    if (source.of_values) numbers.insert(numbers.end(), {cuda::number::bfloat16, cuda::number::float16});
    for (cuda::number n : numbers)
      for (int architecture : {80, 90})
        CHECK_NOTHROW(static_cast<void>(cuda::nvrtc::compile({name, cuda::text_for(n, source)}, architecture)));
    ++sources;
    if (source.of_values) ++short_sources;
  }
  CHECK(sources > 0);
  CHECK(short_sources > 0);
}

TEST_CASE("a cubin is compiled once and then read from the cache, unless that is damaged or cannot be written") {
  pareidolia_test::temporary_folder const cache;
  std::string const compiled = cuda::cubin(doubled, 90, cache / "kernels");
  CHECK(cache.files() == 1);
  auto const file = std::filesystem::directory_iterator(cache / "kernels")->path();
  CHECK(cuda::cache::read(file) == compiled);
  CHECK(cuda::cubin(doubled, 90, cache / "kernels") == compiled);

  cuda::cache::write(file, "another cubin");
  CHECK(cuda::cubin(doubled, 90, cache / "kernels") == "another cubin");  // the file is what was read
  std::filesystem::resize_file(file, 7);
  CHECK(cuda::cubin(doubled, 90, cache / "kernels") == compiled);
  CHECK(cuda::cache::read(file) == compiled);

  CHECK(cuda::cubin(doubled, 90, file / "no folder") == compiled);
  CHECK(cache.files() == 1);
}

TEST_CASE("what NVRTC refuses is an error with its log") {
  cuda::kernel_source const wrong{"wrong", "extern \"C\" __global__ void f() { undefined_thing(); }"};
  CHECK_THROWS_WITH_AS(static_cast<void>(cuda::nvrtc::compile(wrong, 90)), doctest::Contains("undefined_thing"), error);
  CHECK_THROWS_WITH_AS(static_cast<void>(cuda::nvrtc::compile(doubled, 999)), doctest::Contains("sm_999"), error);
}
