// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/device/filters.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

// Each primitive against the host's.

namespace pareidolia_test {
namespace {

constexpr image_shape shapes[]{{1, 1, 1}, {3, 5, 4}, {2, 23, 17}, {1, 40, 3}};

std::size_t values_of(image_shape const& shape) { return shape[0] * shape[1] * shape[2]; }

}  // namespace

TEST_CASE("blurred images are the host's, also those that are smaller than the Gaussian") {
  if (!has_device()) return;
  std::vector<float> const sigma{.4f, 0, 2.5f, .3f};
  for (auto const& shape : shapes) {
    auto x = random_values<2>({4, values_of(shape)}, 1, -1, 1);
    auto const there = on_device(x);
    for (int times = 0; times < 2; ++times) {
      blur_rows(sigma, shape, as_view(x));
      blur_rows(sigma, shape, there.view());
    }
    CHECK(largest_difference(on_host(there.view()), x) < 1e-6f);
  }
}

TEST_CASE("the pixels that become 0 are those of the host, ties too") {
  if (!has_device()) return;
  for (auto const& shape : shapes)
    for (float percentile : {20.f, 97.3f, 100.f})
      for (bool coarse : {false, true}) {
        auto x = random_values<2>({3, values_of(shape)}, 2, -2, 2);
        auto g = random_values<2>({3, values_of(shape)}, 3, -2, 2);
        if (coarse)
          for (auto* values : {&x, &g})
            for (float& v : *values) v = std::round(v);
        auto const x_there = on_device(x), g_there = on_device(g);
        zero_small_pixels(percentile, shape, as_view(x));
        zero_small_pixels(percentile, shape, x_there.view());
        CHECK(on_host(x_there.view()) == x);
        zero_idle_pixels(percentile, shape, as_view(g), as_view(x));
        zero_idle_pixels(percentile, shape, g_there.view(), x_there.view());
        CHECK(on_host(x_there.view()) == x);
      }
}

TEST_CASE("images become frequencies, and frequencies images, as on the host") {
  if (!has_device()) return;
  for (auto const& shape : shapes)
    for (std::size_t side : {std::size_t{1}, std::min(shape[1], shape[2])}) {
      auto x = random_values<2>({3, values_of(shape)}, 4, -1, 1), p = filled<float, 2>({3, shape[0] * side * side});
      auto const x_there = on_device(x), p_there = on_device(p);
      to_frequencies(side, shape, as_view(x), as_view(p));
      to_frequencies(side, shape, x_there.view(), p_there.view());
      CHECK(largest_difference(on_host(p_there.view()), p) < 1e-5f);
      from_frequencies(side, shape, as_view(p), as_view(x));
      from_frequencies(side, shape, p_there.view(), x_there.view());
      CHECK(largest_difference(on_host(x_there.view()), x) < 1e-5f);
    }
}

}  // namespace pareidolia_test
