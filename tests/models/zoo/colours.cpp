// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/zoo/colours.hpp>

#include <pareidolia/loaders/binaryproto.hpp>

#include "support/data.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("networks see red or blue first, from 0 to 255 or from 0 to 1") {
  for (auto const& seen : {zoo::caffe_colours(), zoo::vgg_colours()}) {
    CHECK(seen.order == channel_order::bgr);
    CHECK(seen.scale == 255);
    CHECK(seen.mean[0] < seen.mean[2]);  // there is less blue than red in photographs
  }
  auto const seen = zoo::torchvision_colours();
  CHECK(seen.order == channel_order::rgb);
  CHECK(seen.scale == 1);
  CHECK(seen.mean[2] < seen.mean[0]);
  CHECK(seen.deviation.size() == 3);
}

TEST_CASE("data: the mean colours are those of the mean image, rounded") {
  auto const mean = read_binaryproto(data_path("imagenet/imagenet_mean.binaryproto"));
  std::size_t const plane = mean.values.size() / 3;
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0;
    for (std::size_t i = 0; i < plane; ++i) sum += double{mean.values[c * plane + i]};
    CHECK(std::lround(sum / static_cast<double>(plane)) == std::lround(zoo::caffe_colours().mean[c]));
    CHECK(std::abs(sum / static_cast<double>(plane) - double{zoo::vgg_colours().mean[c]}) < 1.1);
  }
}
