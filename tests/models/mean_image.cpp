// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/mean_image.hpp>

#include <pareidolia/detail/preprocess.hpp>
#include <pareidolia/models/zoo.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

using namespace pareidolia;

namespace {

float largest_seen(graph const& g) {
  auto const mean = mean_image(g);
  std::vector<float> z(mean.images.size());
  detail::preprocess<float>(g.prepare, as_view(mean.images), z.data());
  float largest = 0;
  for (float v : z) largest = std::max(largest, std::abs(v));
  return largest;
}

}  // namespace

TEST_CASE("a network sees its mean image as 0") {
  graph const google = zoo::googlenet();
  auto const mean = mean_image(google);
  CHECK(mean.size() == 1);
  CHECK(mean.labels.empty());
  CHECK(mean.images(0, 0, 5, 6) == doctest::Approx(123 / 255.f));  // red, which the network has last
  CHECK(mean.images(0, 2, 5, 6) == doctest::Approx(104 / 255.f));
  CHECK(largest_seen(google) < 1e-4f);

  graph pixels{.name = "g", .input = {3, 2, 2}, .prepare = {.scale = 2, .order = channel_order::bgr}};
  for (float v = 0; v < 12; ++v) pixels.prepare.mean.push_back(v / 8);
  CHECK(largest_seen(pixels) < 1e-6f);
  CHECK(mean_image(pixels).images(0, 0, 0, 1) == doctest::Approx(9 / 16.));
  pixels.prepare.mean = {1};
  CHECK(largest_seen(pixels) < 1e-6f);
}

TEST_CASE("the mean image of a network without a mean is black") { CHECK(mean_image(zoo::lenet5()).images == blank({1, 28, 28}).images); }
