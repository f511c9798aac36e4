// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/cuda_transfers.hpp>

#include "support/cuda.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

using namespace pareidolia;
using namespace pareidolia::detail;

namespace {

std::vector<std::uint32_t> counted(std::size_t size) {
  std::vector<std::uint32_t> values(size);
  std::iota(values.begin(), values.end(), std::uint32_t{1});
  return values;
}
std::vector<std::uint32_t> downloaded(cuda::buffer const& from, std::size_t size) {
  std::vector<std::uint32_t> values(size);
  cuda::download(from.as<std::uint32_t const>(), std::span(values));
  return values;
}

}  // namespace

TEST_CASE("arrays of any size come back from the device as they went, though the host's changed at once") {
  if (!pareidolia_test::has_device()) return;
  for (std::size_t const size :
       {std::size_t{1}, std::size_t{1000}, std::size_t{1} << 20, (std::size_t{1} << 20) + 1, std::size_t{7'000'000}}) {
    CAPTURE(size);
    cuda::buffer const there(size * sizeof(std::uint32_t), "a test");
    auto const expected = counted(size);
    auto values = expected;
    cuda::upload(std::span<std::uint32_t const>(values), there.as<std::uint32_t>());
    std::fill(values.begin(), values.end(), 0u);
    CHECK(downloaded(there, size) == expected);
  }
}

TEST_CASE("many small uploads and downloads keep apart") {
  if (!pareidolia_test::has_device()) return;
  constexpr std::size_t size = 300'007, rows = 40;
  cuda::buffer const there(rows * size * sizeof(std::uint32_t), "a test");
  auto const expected = counted(rows * size);
  for (std::size_t row = 0; row < rows; ++row) {
    auto const part = std::span(expected).subspan(row * size, size);
    std::vector<std::uint32_t> const values(part.begin(), part.end());
    cuda::upload(std::span<std::uint32_t const>(values), there.as<std::uint32_t>() + row * size);
    if (row % 7 == 0) CHECK(downloaded(there, size) == counted(size));
  }
  CHECK(downloaded(there, rows * size) == expected);
  cuda::upload(std::span<std::uint32_t const>(), there.as<std::uint32_t>());
  CHECK(downloaded(there, 0).empty());
}

TEST_CASE("what a thread uploads arrives, though the thread has ended") {
  if (!pareidolia_test::has_device()) return;
  constexpr std::size_t size = 3'000'000;
  cuda::buffer const there(size * sizeof(std::uint32_t), "a test");
  std::thread([&] { cuda::upload(std::span<std::uint32_t const>(counted(size)), there.as<std::uint32_t>()); }).join();
  CHECK(downloaded(there, size) == counted(size));
}
