// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/safetensors.hpp>

#include "weights.hpp"

extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  pareidolia_test::fuzz({data, size}, pareidolia::detail::allocation_limit(size), pareidolia::read_safetensors, pareidolia_test::are_whole);
  return 0;
}
