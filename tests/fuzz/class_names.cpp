// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/class_names.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  auto const holds = [](std::vector<std::string> const& names) {
    return !names.empty() && std::none_of(names.begin(), names.end(), [](auto const& name) { return name.empty(); });
  };
  pareidolia_test::fuzz({data, size}, pareidolia::detail::allocation_limit(size), pareidolia::read_class_names, holds);
  return 0;
}
