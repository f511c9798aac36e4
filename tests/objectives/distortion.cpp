// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/distortion.hpp>

#include <doctest/doctest.h>

#include <support/image_addends.hpp>

using namespace pareidolia_test;

TEST_CASE("distortion takes the mean square of the difference to the image's canvas") {
  auto const canvas = random_images({2, 3, 4, 5}, 1);
  auto x = filled<float, 4>({3, 3, 4, 5});
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 60; ++j) x.data()[60 * i + j] = canvas.data()[60 * (i % 2) + j] + .1f * static_cast<float>(i + 1);
  auto const v = added_values(distortion{.weight = 3}, x, canvas, 7);
  CHECK(v[0] == doctest::Approx(7 - 3 * .01));
  CHECK(v[1] == doctest::Approx(7 - 3 * .04));
  CHECK(v[2] == doctest::Approx(7 - 3 * .09));
}

TEST_CASE("distortion's gradient is its numerical derivative") { check_gradient(distortion{.weight = 12}, 1); }
