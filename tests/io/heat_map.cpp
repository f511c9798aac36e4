// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/heat_map.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <utility>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using pareidolia_test::contains;
using pareidolia_test::error_of;

tensor<float, 2> values_of(std::size_t rows, std::size_t columns, std::initializer_list<float> v) {
  auto result = filled<float, 2>({rows, columns});
  std::copy(v.begin(), v.end(), result.begin());
  return result;
}

std::array<float, 3> pixel(tensor<float, 3> const& picture, std::size_t y, std::size_t x) {
  return {picture(0, y, x), picture(1, y, x), picture(2, y, x)};
}

float lightness(std::array<float, 3> const& c) { return .2126f * c[0] + .7152f * c[1] + .0722f * c[2]; }

TEST_CASE("a small image is enlarged by a whole number, a large one is left as it is, and a bar stands beside both") {
  auto const v = values_of(1, 1, {1});
  for (auto const& [side, height] : {std::pair<std::size_t, std::size_t>{28, 224}, {32, 224}, {100, 200}, {224, 224}, {300, 300}}) {
    auto const picture = heat_map(as_view(filled<float, 3>({1, side, side})), v);
    CHECK(picture.shape()[0] == 3);
    CHECK(picture.shape()[1] == height);
    CHECK(picture.shape()[2] == height + 20);
  }
}

TEST_CASE("each value is one block of its colour, from dark to light") {
  auto const image = filled<float, 3>({3, 224, 224}, .5f);
  auto const picture = heat_map(as_view(image), values_of(2, 2, {0, 1, 2, 3}));
  CHECK(pixel(picture, 0, 0) == pixel(picture, 111, 111));
  CHECK(pixel(picture, 0, 112) == pixel(picture, 111, 223));
  CHECK(pixel(picture, 0, 111) != pixel(picture, 0, 112));
  CHECK(pixel(picture, 111, 0) != pixel(picture, 112, 0));
  float const a = lightness(pixel(picture, 0, 0)), b = lightness(pixel(picture, 0, 223)), c = lightness(pixel(picture, 223, 0)),
              d = lightness(pixel(picture, 223, 223));
  CHECK(a < b);
  CHECK(b < c);
  CHECK(c < d);
}

TEST_CASE("the bar has the colours of the map on mid-grey, low at the bottom") {
  auto const picture = heat_map(as_view(filled<float, 3>({1, 224, 224}, .5f)), values_of(1, 2, {-2, 5}));
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(std::abs(picture(c, 223, 243) - picture(c, 0, 0)) < .02f);
    CHECK(std::abs(picture(c, 0, 243) - picture(c, 0, 223)) < .02f);
    CHECK(picture(c, 100, 226) == 1);
  }
}

TEST_CASE("a diverging map is white at 0, blue below and red above, equally far unless its ends are given") {
  auto const image = filled<float, 3>({1, 224, 224}, .5f);
  auto const v = values_of(1, 3, {-1, 0, 4});
  auto const even = heat_map(as_view(image), v, {.colours = palette::diverging});
  auto const blue = pixel(even, 0, 0), white = pixel(even, 0, 112), red = pixel(even, 0, 223);
  CHECK(blue[2] > blue[0]);
  CHECK(white[0] == doctest::Approx(double{white[2]}));
  CHECK(white[0] == doctest::Approx(.65 + .35 * .5));
  CHECK(red[0] > red[2]);
  CHECK(lightness(red) < lightness(blue));
  auto const given = heat_map(as_view(image), v, {.low = -1, .high = 4, .colours = palette::diverging});
  CHECK(lightness(pixel(given, 0, 0)) < lightness(blue));
  CHECK(pixel(given, 0, 112) == white);
  CHECK(pixel(given, 0, 223) == red);
}

TEST_CASE("values beyond the ends have the colour of the nearer end, and one value alone the first colour") {
  auto const image = filled<float, 3>({1, 224, 224}, .5f);
  auto const picture = heat_map(as_view(image), values_of(1, 4, {-9, 0, 1, 9}), {.low = 0, .high = 1});
  CHECK(pixel(picture, 0, 0) == pixel(picture, 0, 60));
  CHECK(pixel(picture, 0, 120) == pixel(picture, 0, 223));
  CHECK(pixel(heat_map(as_view(image), values_of(1, 1, {7})), 0, 0) == pixel(picture, 0, 0));
  auto const nothing = heat_map(as_view(image), values_of(1, 1, {0}), {.colours = palette::diverging});
  CHECK(nothing(0, 0, 0) == doctest::Approx(double{nothing(2, 0, 0)}));
}

TEST_CASE("the image is seen in grey through the map, and alone where there are no values") {
  auto image = filled<float, 3>({3, 224, 224});
  for (std::size_t y = 0; y < 224; ++y)
    for (std::size_t x = 0; x < 112; ++x) image(0, y, x) = 1;  // red on the left
  auto const picture = heat_map(as_view(image), values_of(1, 1, {1}), {}, {.top = 56, .left = 56, .height = 112, .width = 112});
  auto const inside = pixel(picture, 112, 100), outside = pixel(picture, 20, 100);
  CHECK(outside[0] == outside[1]);
  CHECK(outside[1] == outside[2]);
  CHECK(outside[0] > picture(0, 20, 150));
  CHECK(inside[2] > inside[1]);
  CHECK(inside[0] > picture(0, 112, 150));
  for (auto const& [y, x] : {std::pair<std::size_t, std::size_t>{56, 56}, {167, 56}, {56, 111}}) CHECK(pixel(picture, y, x) == inside);
  for (auto const& [y, x] : {std::pair<std::size_t, std::size_t>{55, 56}, {168, 56}, {56, 55}}) CHECK(pixel(picture, y, x) == outside);
}

TEST_CASE("a map may reach over the edges of its image") {
  auto const image = filled<float, 3>({1, 224, 224}, .5f);
  auto const picture = heat_map(as_view(image), values_of(1, 3, {0, 1, 2}), {}, {.top = -1e6, .left = -224, .height = 1e9, .width = 672});
  CHECK(pixel(picture, 0, 0) == pixel(picture, 223, 223));  // that of the 1 in the middle
  CHECK(pixel(picture, 0, 0) == pixel(heat_map(as_view(image), values_of(1, 3, {0, 1, 2})), 0, 112));
}

TEST_CASE("what cannot be drawn is one error that names the argument") {
  auto const image = filled<float, 3>({1, 4, 4}, .5f);
  auto const v = values_of(2, 2, {0, 1, 2, 3});
  float const nan = std::numeric_limits<float>::quiet_NaN(), infinite = std::numeric_limits<float>::infinity();
  auto const error_with = [&](view<float const, 3> i, tensor<float, 2> const& values, heat_scale const& s, map_extent const& e = {}) {
    return error_of([&] { (void)heat_map(i, values, s, e); });
  };
  CHECK(contains(error_with(as_view(image), values_of(2, 2, {0, 1, nan, 3}), {}), "heat_map: values(1, 0) is nan"));
  CHECK(contains(error_with(as_view(image), values_of(1, 2, {0, -infinite}), {}), "heat_map: values(0, 1) is -inf"));
  CHECK(contains(error_with(as_view(image), values_of(0, 2, {}), {}), "heat_map: values is 0x2"));
  CHECK(contains(error_with(as_view(image), v, {2, 1}), "heat_map: scale goes from 2 to 1"));
  CHECK(contains(error_with(as_view(image), v, {0, double{infinite}}), "heat_map: scale goes from 0 to inf"));
  CHECK(contains(error_with(as_view(image), v, {1, 2, palette::diverging}), "heat_map: a diverging scale from 1 to 2"));
  CHECK(contains(error_with(as_view(filled<float, 3>({2, 4, 4})), v, {}), "heat_map: image has 2 channels"));
  CHECK(contains(error_with(as_view(filled<float, 3>({1, 0, 4})), v, {}), "heat_map: image is 0x4"));
  CHECK(contains(error_with(as_view(filled<float, 3>({1, 4, 4}, nan)), v, {}), "heat_map: image has the value nan"));
  CHECK(contains(error_with(as_view(image), v, {}, {0, 0, -1, 4}), "heat_map: extent is -1x4"));
}

}  // namespace
