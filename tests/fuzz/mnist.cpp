// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/mnist.hpp>

#include "images.hpp"

// The input is each of the two files in turn; the other one is good.
extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  using namespace std::string_view_literals;
  static pareidolia_test::memory_file images, labels;
  static auto const& good_images = images.put("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x01\x00\x80\xff\x01"sv);
  static auto const& good_labels = labels.put("\0\0\x08\x01\0\0\0\x02\x09\x05"sv);
  std::uint64_t const limit = pareidolia::detail::allocation_limit(pareidolia::detail::largest_deflate_ratio * size);
  auto const as_images = [](auto const& path) { return pareidolia::read_mnist(path, good_labels); };
  auto const as_labels = [](auto const& path) { return pareidolia::read_mnist(good_images, path); };
  pareidolia_test::fuzz({data, size}, limit, as_images, pareidolia_test::are_labelled);
  pareidolia_test::fuzz({data, size}, limit, as_labels, pareidolia_test::are_labelled);
  return 0;
}
