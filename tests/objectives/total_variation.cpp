// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/total_variation.hpp>

#include <doctest/doctest.h>

#include <support/image_addends.hpp>

#include <cmath>

using namespace pareidolia_test;

TEST_CASE("total variation is the length of the steps in each channel, which a flat image has none of") {
  auto x = filled<float, 4>({3, 2, 3, 4}, .5f);
  x(1, 0, 1, 2) = .8f;                                       // steps to it from the left and from above, from it to the right and down
  for (std::size_t h = 0; h < 3; ++h) x(2, 1, h, 3) = 0.1f;  // a vertical edge
  auto const v = added_values(total_variation{.weight = 24, .smoothing = 1e-6f}, x, filled<float, 4>({1, 2, 3, 4}), 1);
  CHECK(v[0] == 1);
  CHECK(v[1] == doctest::Approx(1 - (.3 + .3 + .3 * std::sqrt(2.))));
  CHECK(v[2] == doctest::Approx(1 - 3 * .4));
}

TEST_CASE("steps below the smoothing cost next to nothing") {
  auto x = filled<float, 4>({1, 1, 1, 2}, .5f);
  x(0, 0, 0, 1) += .01f;
  CHECK(added_values(total_variation{.weight = 2, .smoothing = .1f}, x, x)[0] == doctest::Approx(-5e-4).epsilon(.01));  // a^2 / 2 s
}

TEST_CASE("total variation's gradient is its numerical derivative, also where the image is flat") {
  check_gradient(total_variation{.weight = 24, .smoothing = .2f}, 1);
  auto const flat = filled<float, 4>({1, 2, 4, 3}, .5f);
  auto dx = filled<float, 4>({1, 2, 4, 3}, .25f);
  total_variation{}.add_gradient(as_view(flat), as_view(flat), as_view(dx));
  CHECK(dx == filled<float, 4>({1, 2, 4, 3}, .25f));
}
