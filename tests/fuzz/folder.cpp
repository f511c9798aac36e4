// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/folder.hpp>

#include "fuzz.hpp"

// The list of images; the images themselves are the target `image`.
extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  auto const holds = [](pareidolia::detail::image_list const& list) {
    return std::all_of(list.lines.begin(), list.lines.end(), [&](auto const& line) {
      return line.size > 0 && line.label >= 0 && line.begin + std::size_t{line.size} <= list.names.size();
    });
  };
  pareidolia_test::fuzz({data, size}, pareidolia::detail::allocation_limit(size), pareidolia::detail::parse_image_list, holds);
  return 0;
}
