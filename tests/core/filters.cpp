// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/filters.hpp>

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using namespace pareidolia;

tensor<float, 2> some(std::size_t n, std::size_t length, std::uint64_t seed) {
  auto rows = filled<float, 2>({n, length});
  auto stream = rng(seed).stream(0);
  for (float& v : rows) v = stream.uniform(-1, 1);
  return rows;
}

}  // namespace

TEST_CASE("a blur is the sum over a Gaussian's square window, the image mirrored at its edges") {
  image_shape const shape{2, 5, 4};
  std::vector<float> const sigma{.4f, 0, .3f, 1.2f};
  auto x = some(4, 40, 1);
  auto const before = x;
  blur_rows(sigma, shape, as_view(x));
  for (std::size_t j = 0; j < 40; ++j) CHECK(x(1, j) == before(1, j));
  for (std::size_t i : {0u, 2u, 3u}) {
    int const r = std::vector{2, 0, 1, 5}[i];
    auto const weight = [&](int k) { return std::exp(-.5 * k * k / (double{sigma[i]} * double{sigma[i]})); };
    auto const mirror = [](int j, int n) {
      while (j < 0 || j >= n) j = j < 0 ? -1 - j : 2 * n - 1 - j;
      return j;
    };
    for (int c = 0; c < 2; ++c)
      for (int h = 0; h < 5; ++h)
        for (int w = 0; w < 4; ++w) {
          double sum = 0, weights = 0;
          for (int u = -r; u <= r; ++u)
            for (int v = -r; v <= r; ++v) {
              double const k = weight(u) * weight(v);
              sum += k * double{before(i, static_cast<std::size_t>(c * 20 + mirror(h + u, 5) * 4 + mirror(w + v, 4)))};
              weights += k;
            }
          CHECK(x(i, static_cast<std::size_t>(c * 20 + h * 4 + w)) == doctest::Approx(sum / weights).epsilon(1e-5));
        }
  }
}

TEST_CASE("a percentile lies between the two values next to it") {
  CHECK(detail::percentile_of({4, 1, 3, 2}, 20) == doctest::Approx(1.6));
  CHECK(detail::percentile_of({4, 1, 3, 2}, 50) == doctest::Approx(2.5));
  CHECK(detail::percentile_of({4, 1, 3, 2}, 0) == 1);
  CHECK(detail::percentile_of({4, 1, 3, 2}, 100) == 4);
  CHECK(detail::percentile_of({7}, 30) == 7);
}

TEST_CASE("pixels of small norm become 0 in all channels, others stay") {
  // Norms of the five pixels: 5, 1, 0, 2, sqrt(2). The 50th percentile of each image is the middle one.
  tensor<float, 2> x{{3, 1, 0, 0, 1, 4, 0, 0, -2, -1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};
  zero_small_pixels(50, {2, 1, 5}, as_view(x));
  CHECK(x == tensor<float, 2>{{3, 0, 0, 0, 1, 4, 0, 0, -2, -1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}});
}

TEST_CASE("pixels whose values times the gradient cancel or vanish become 0") {
  tensor<float, 2> const g{{1, 1, 0, 2, 1, 1, 1, 1, 0, 1}};
  tensor<float, 2> x{{3, 1, 9, 1, 1, -3, 1, .5f, 9, 1}};  // contributions 0, 2, .5, 2, 2
  zero_idle_pixels(40, {2, 1, 5}, as_view(g), as_view(x));
  CHECK(x == tensor<float, 2>{{0, 1, 0, 1, 1, 0, 1, 0, 9, 1}});
  zero_idle_pixels(0, {2, 1, 5}, as_view(g), as_view(x));
  CHECK(x(0, 1) == 1);
}

TEST_CASE("frequencies are sums over products of cosines, and the way back is their transpose and inverse") {
  image_shape const shape{2, 5, 7};
  auto const x = some(3, 70, 4);
  auto p = filled<float, 2>({3, 18});
  to_frequencies(3, shape, as_view(x), as_view(p));
  auto const cosine = [](std::size_t u, std::size_t j, std::size_t n) {
    auto const length = static_cast<double>(n);
    return std::sqrt((u == 0 ? 1 : 2) / length) * std::cos(3.14159265358979 * static_cast<double>(u * (2 * j + 1)) / (2 * length));
  };
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t c = 0; c < 2; ++c)
      for (std::size_t u = 0; u < 3; ++u)
        for (std::size_t v = 0; v < 3; ++v) {
          double sum = 0;
          for (std::size_t h = 0; h < 5; ++h)
            for (std::size_t w = 0; w < 7; ++w) sum += cosine(u, h, 5) * cosine(v, w, 7) * double{x(i, c * 35 + h * 7 + w)};
          CHECK(std::abs(double{p(i, c * 9 + u * 3 + v)} - sum) < 1e-5);
        }

  auto const q = some(3, 18, 5);
  auto back = filled<float, 2>({3, 70}), again = filled<float, 2>({3, 18});
  from_frequencies(3, shape, as_view(q), as_view(back));
  to_frequencies(3, shape, as_view(back), as_view(again));
  std::vector<double> left(3), right(3), norm(3), length(3);
  dot_rows(as_view(back), as_view(x), left);
  dot_rows(as_view(q), as_view(p), right);
  norm2_rows(as_view(q), norm);
  norm2_rows(as_view(back), length);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(left[i] == doctest::Approx(right[i]).epsilon(1e-5));
    CHECK(norm[i] == doctest::Approx(length[i]).epsilon(1e-5));
    for (std::size_t k = 0; k < 18; ++k) CHECK(std::abs(q(i, k) - again(i, k)) < 1e-5f);
  }
}
