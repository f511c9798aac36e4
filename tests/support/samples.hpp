// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/tensor.hpp>
#include <pareidolia/loaders/image.hpp>

#include "support/data.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <ios>
#include <string>
#include <vector>

namespace pareidolia_test {

using namespace pareidolia;

/// The 100 images of 256x256 as raw bytes, their centres of `side` pixels, in [0, 1].
inline labelled_images subset100(std::size_t side) {
  std::ifstream pixels(data_path("imagenet/subset100_256x256_rgb.u8"), std::ios::binary),
      labels(data_path("imagenet/subset100_labels.txt"));
  std::vector<char> bytes(std::size_t{100} * 256 * 256 * 3);
  pixels.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(pixels.gcount() == static_cast<std::streamsize>(bytes.size()));
  labelled_images set{filled<float, 4>({100, 3, side, side}), std::vector<int>(100)};
  std::size_t const begin = (256 - side) / 2;
  for (std::size_t i = 0; i < 100; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t h = 0; h < side; ++h)
        for (std::size_t w = 0; w < side; ++w)
          set.images(i, c, h, w) =
              static_cast<float>(static_cast<unsigned char>(bytes[((i * 256 + begin + h) * 256 + begin + w) * 3 + c])) / 255;
  std::string line;
  for (int& label : set.labels) {
    REQUIRE(std::getline(labels, line));
    label = std::stoi(line);
  }
  return set;
}

/// `count` of the 1000 images of 256x256, evenly spread over the classes: their centres of `side` pixels.
inline labelled_images sample_centres(std::size_t count, std::size_t side) {
  std::ifstream list(data_path("imagenet/samples_labels.txt"));
  labelled_images set{filled<float, 4>({count, 3, side, side}), {}};
  std::string name;
  std::size_t const begin = (256 - side) / 2;
  for (std::size_t line = 0, label = 0; list >> name >> label && set.labels.size() < count; ++line) {
    if (line % (1000 / count) != 0) continue;
    auto const image = read_image(data_path("imagenet/samples256/" + name));
    float* to = set.images.data() + set.labels.size() * 3 * side * side;
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t h = 0; h < side; ++h) to = std::copy_n(&image(c, begin + h, begin), side, to);
    set.labels.push_back(static_cast<int>(label));
  }
  REQUIRE(set.labels.size() == count);
  return set;
}

}  // namespace pareidolia_test
