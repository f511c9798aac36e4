// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/npy.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  auto const holds = [](auto const& array) {
    std::size_t count = 1;
    for (std::size_t const extent : array.shape) count *= extent;
    return array.values.size() == count;
  };
  pareidolia_test::fuzz({data, size}, pareidolia::detail::allocation_limit(size), pareidolia::read_npy, holds);
  return 0;
}
