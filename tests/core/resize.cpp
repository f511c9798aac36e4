// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/resize.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

tensor<float, 3> image_of(image_shape const& shape, std::vector<float> const& from) {
  auto image = filled<float, 3>(shape);
  std::copy(from.begin(), from.end(), image.data());
  return image;
}

void check_values(tensor<float, 3> const& image, std::vector<double> const& expected) {
  REQUIRE(image.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(static_cast<double>(image.data()[i]) == doctest::Approx(expected[i]).epsilon(1e-6));
}

/// Every value from 0 to 1 in hundredths, in no simple order.
tensor<float, 3> scrambled(std::size_t height, std::size_t width) {
  auto image = filled<float, 3>({1, height, width});
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) image(0, y, x) = static_cast<float>((x * 37 + y * 61 + x * y * 5) % 101) / 100.f;
  return image;
}

TEST_CASE("twice the size interpolates, half the size weighs 3 : 3 : 1 at an end") {
  auto const two = image_of({1, 1, 2}, {10, 20});
  check_values(resize(as_view(two), 1, 4), {10, 12.5, 17.5, 20});
  auto const four = image_of({1, 1, 4}, {7, 14, 21, 28});
  check_values(resize(as_view(four), 1, 2), {12, 23});
  auto const eight = image_of({1, 1, 8}, {0, 8, 0, 0, 16, 0, 0, 0});
  check_values(resize(as_view(eight), 1, 4), {24. / 7, 3, 6, 0});
  auto const high = image_of({1, 4, 1}, {7, 14, 21, 28});
  check_values(resize(as_view(high), 2, 1), {12, 23});
}

TEST_CASE("axes are independent and channels apart") {
  auto const image = image_of({2, 2, 2}, {0, 4, 8, 12, 100, 100, 100, 100});
  check_values(resize(as_view(image), 4, 2), {0, 4, 2, 6, 6, 10, 8, 12, 100, 100, 100, 100, 100, 100, 100, 100});
  check_values(resize(as_view(image), 1, 1), {6, 100});
}

TEST_CASE("values of Pillow 13, its mode F and Image.BILINEAR") {
  struct expectation {
    std::size_t height, width;
    std::array<double, 4> at;  // 0, 1, the middle, the last
    double mean;
  };
  auto const image = scrambled(7, 11);
  for (auto const& is : {expectation{3, 4, {0.362288, 0.459476, 0.562245, 0.520344}, 0.5219711263974508},
                         expectation{5, 16, {0.203333, 0.229896, 0.505625, 0.226667}, 0.519306621933356},
                         expectation{9, 2, {0.406887, 0.568019, 0.690189, 0.583679}, 0.5303954167498482}}) {
    auto const result = resize(as_view(image), is.height, is.width);
    float const* const v = result.data();
    std::size_t const n = result.size(), at[] = {0, 1, n / 2, n - 1};
    for (std::size_t i = 0; i < 4; ++i) CHECK(static_cast<double>(v[at[i]]) == doctest::Approx(is.at[i]).epsilon(3e-6));
    CHECK(std::accumulate(v, v + n, 0.) / static_cast<double>(n) == doctest::Approx(is.mean).epsilon(1e-6));
  }
}

TEST_CASE("the same size returns the same values, a constant stays one") {
  auto const image = scrambled(7, 11);
  CHECK(resize(as_view(image), 7, 11) == image);
  auto const constant = filled<float, 3>({1, 13, 5}, 0.3f);
  for (std::size_t const size : {1u, 2u, 12u, 13u, 40u}) {
    auto const result = resize(as_view(constant), size, size);
    CHECK(std::count(result.data(), result.data() + result.size(), 0.3f) == static_cast<std::ptrdiff_t>(size * size));
  }
}

TEST_CASE("a size or an image without pixels is refused") {
  auto const image = scrambled(2, 2), none = filled<float, 3>({1, 0, 2});
  CHECK(contains(error_of([&] { (void)resize(as_view(image), 0, 2); }), "resize: the size 0x2"));
  CHECK(contains(error_of([&] { (void)resize(as_view(image), 2, 0); }), "resize: the size 2x0"));
  CHECK(contains(error_of([&] { (void)resize(as_view(none), 2, 2); }), "resize: the image is 1x0x2"));
}

}  // namespace
