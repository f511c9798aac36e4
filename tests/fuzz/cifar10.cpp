// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/cifar10.hpp>

#include "images.hpp"

extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  pareidolia_test::fuzz({data, size}, pareidolia::detail::allocation_limit(size), pareidolia::read_cifar10, pareidolia_test::are_labelled);
  return 0;
}
