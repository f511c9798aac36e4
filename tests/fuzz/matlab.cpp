// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/matlab.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  auto const limit = pareidolia::detail::allocation_limit(pareidolia::detail::largest_deflate_ratio * size);
  auto const holds = [](auto const& arrays) {
    for (auto const& [name, array] : arrays) {
      std::size_t count = 1;
      for (std::size_t const extent : array.shape) count *= extent;
      if (name.empty() || array.shape.size() < 2 || array.values.size() != count) return false;
    }
    return true;
  };
  auto const as_image = [](auto const& image) { return image.size() > 0 && image.shape()[1] == 3; };
  pareidolia_test::fuzz({data, size}, limit, pareidolia::read_matlab, holds);
  pareidolia_test::fuzz({data, size}, limit, pareidolia::read_universal_perturbation, as_image);
  return 0;
}
