// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/rows.hpp>

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace pareidolia;
using doubles = std::vector<double>;

// Rows of numbers in [low, high], enough of them in the larger case for several threads.
tensor<float, 2> some(std::size_t n, std::size_t length, std::uint64_t seed, float low = -1, float high = 1) {
  auto rows = filled<float, 2>({n, length});
  auto stream = rng(seed).stream(0);
  for (float& v : rows) v = stream.uniform(low, high);
  return rows;
}
tensor<float, 4> some_images(std::size_t n, image_shape const& s, std::uint64_t seed) {
  auto images = filled<float, 4>({n, s[0], s[1], s[2]});
  auto stream = rng(seed).stream(0);
  for (float& v : images) v = stream.uniform();
  return images;
}

double l1_norm(std::span<float const> row) {
  double sum = 0;
  for (float v : row) sum += std::abs(double{v});
  return sum;
}

}  // namespace

TEST_CASE("norms and dot products of rows are those of their definition") {
  for (std::size_t length : {1u, 7u, 8u, 61u, 200'001u}) {
    auto const a = some(3, length, 1), b = some(3, length, 2);
    doubles dot(3), one(3), two(3), inf(3);
    dot_rows(as_view(a), as_view(b), dot);
    norm1_rows(as_view(a), one);
    norm2_rows(as_view(a), two);
    norm_inf_rows(as_view(a), inf);
    for (std::size_t i = 0; i < 3; ++i) {
      double product = 0, sum = 0, square = 0, largest = 0;
      for (std::size_t j = 0; j < length; ++j) {
        double const v = double{a(i, j)};
        product += v * double{b(i, j)};
        sum += std::abs(v);
        square += v * v;
        largest = std::max(largest, std::abs(v));
      }
      CHECK(dot[i] == doctest::Approx(product).epsilon(1e-12));
      CHECK(one[i] == doctest::Approx(sum).epsilon(1e-12));
      CHECK(two[i] == doctest::Approx(std::sqrt(square)).epsilon(1e-12));
      CHECK(inf[i] == largest);
    }
  }
}

TEST_CASE("rows are added to, scaled, clamped and reduced to signs, each with its own number") {
  auto const x = some(2, 5, 3);
  auto y = some(2, 5, 4);
  auto const before = y;
  std::vector<float> const c{2, -.5f}, limits{.25f, 0};
  axpy_rows(c, as_view(x), as_view(y));
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 5; ++j) CHECK(y(i, j) == doctest::Approx(before(i, j) + c[i] * x(i, j)));
  auto scaled = x, clamped = x, signs = x;
  signs(0, 0) = 0;
  scale_rows(c, as_view(scaled));
  clamp_rows(limits, as_view(clamped));
  sign_rows(as_view(signs));
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 5; ++j) {
      CHECK(scaled(i, j) == c[i] * x(i, j));
      CHECK(clamped(i, j) == std::clamp(x(i, j), -limits[i], limits[i]));
      CHECK(signs(i, j) == (i + j == 0 ? 0 : x(i, j) > 0 ? 1 : -1));
    }
}

TEST_CASE("clamp_to_box keeps canvas + d in [0, 1] and leaves alone what is in it") {
  auto const canvas = some_images(2, {1, 3, 3}, 5);
  auto d = some(4, 9, 6, -2, 2);
  auto const before = d;
  clamp_to_box(as_view(canvas), as_view(d));
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 9; ++j) {
      float const c = canvas.data()[i % 2 * 9 + j], sum = c + before(i, j);
      if (sum >= 0 && sum <= 1)
        CHECK(d(i, j) == before(i, j));
      else
        CHECK(c + d(i, j) == doctest::Approx(sum < 0 ? 0 : 1).epsilon(1e-6));
    }
}

TEST_CASE("the projection onto an l1 ball is the nearest point of it") {
  // Nearest: for some theta >= 0 it is the soft threshold at theta (Duchi et al. 2008), and it is on the sphere.
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto d = some(3, 1 + 7 * seed, seed);
    if (seed % 3 == 0)
      for (float& v : d) v = std::round(4 * v) / 4;  // equal magnitudes
    auto const before = d;
    std::vector<float> const limits{.5f, 2, 1e9f};
    project_l1_rows(limits, as_view(d));
    for (std::size_t i = 0; i < 3; ++i) {
      double const norm = l1_norm(as_view(before).row(i));
      if (norm <= double{limits[i]}) {
        CHECK(std::equal(as_view(d).row(i).begin(), as_view(d).row(i).end(), as_view(before).row(i).begin()));
        continue;
      }
      CHECK(l1_norm(as_view(d).row(i)) == doctest::Approx(double{limits[i]}).epsilon(1e-5));
      float theta = 0;
      for (std::size_t j = 0; j < d.shape()[1]; ++j)
        if (d(i, j) != 0) theta = std::abs(before(i, j)) - std::abs(d(i, j));
      CHECK(theta >= 0);
      for (std::size_t j = 0; j < d.shape()[1]; ++j)
        CHECK(double{d(i, j)} ==
              doctest::Approx(double{std::copysign(std::max(std::abs(before(i, j)) - theta, 0.f), before(i, j))}).epsilon(1e-4).scale(1));
    }
  }
}

TEST_CASE("keep_pixels keeps the pixels with the largest sums of squares over the channels") {
  auto d = filled<float, 2>({2, 6});  // 2 channels of 3 pixels: sizes 1 + 0, 0.5^2 + 0.9^2, 0.8^2 + 0
  float const row[] = {1, .5f, -.8f, 0, .9f, 0};
  for (std::size_t i = 0; i < 2; ++i) std::copy_n(row, 6, as_view(d).row(i).begin());
  keep_pixels(std::vector<float>{2, 5}, {2, 1, 3}, as_view(d));
  float const kept[] = {1, .5f, 0, 0, .9f, 0};
  CHECK(std::equal(kept, kept + 6, as_view(d).row(0).begin()));
  CHECK(std::equal(row, row + 6, as_view(d).row(1).begin()));
}

TEST_CASE("sparse_sign_rows moves the values with the largest gradients, and none where there is none") {
  auto g = filled<float, 2>({3, 4});
  float const row[] = {.1f, -.4f, .3f, 0};
  std::copy_n(row, 4, as_view(g).row(0).begin());
  g(1, 2) = -1e-9f;
  sparse_sign_rows(2, as_view(g));
  float const expected[3][4] = {{0, -.5f, .5f, 0}, {0, 0, -1, 0}, {0, 0, 0, 0}};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) CHECK(g(i, j) == expected[i][j]);
}

TEST_CASE("zero_outward stops at the walls of the box alone") {
  auto canvas = filled<float, 4>({1, 1, 1, 4}, .25f);
  auto d = filled<float, 2>({1, 4});
  float const at[] = {-.25f, -.25f, .75f, 0};
  std::copy_n(at, 4, d.begin());
  auto g = filled<float, 2>({1, 4});
  float const gradient[] = {-1, 1, 1, -1}, expected[] = {0, 1, 0, -1};
  std::copy_n(gradient, 4, g.begin());
  zero_outward(as_view(canvas), as_view(d), as_view(g));
  CHECK(std::equal(expected, expected + 4, g.begin()));
}

TEST_CASE("add_to_canvas shows row i mod size on canvas i mod canvases, and sum_rows is its adjoint") {
  image_shape const shape{2, 3, 2};
  for (auto const& [genotypes, canvases] : {std::pair{1u, 3u}, {3u, 1u}, {4u, 2u}, {2u, 4u}}) {
    std::size_t const count = std::max(genotypes, canvases);
    auto const canvas = some_images(canvases, shape, 8);
    auto const d = some(genotypes, 12, 9, -.5f, .5f);
    auto x = filled<float, 4>({count, 2, 3, 2});
    add_to_canvas(as_view(canvas), as_view(d), as_view(x));
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < 12; ++j)
        CHECK(as_view(x).row(i)[j] == std::clamp(as_view(canvas).row(i % canvases)[j] + d(i % genotypes, j), 0.f, 1.f));
    auto const dx = some_images(count, shape, 10);
    auto sums = filled<float, 2>({genotypes, 12}, -7.f);
    sum_rows(as_view(dx), as_view(sums));
    for (std::size_t g = 0; g < genotypes; ++g)
      for (std::size_t j = 0; j < 12; ++j) {
        float sum = 0;
        for (std::size_t i = g; i < count; i += genotypes) sum += as_view(dx).row(i)[j];
        CHECK(sums(g, j) == doctest::Approx(sum));
      }
  }
}

TEST_CASE("adam_rows is Adam, uphill, at a step of its own for each row") {
  auto const g = some(3, 11, 30), start = some(3, 11, 31);
  auto m = some(3, 11, 32), s = some(3, 11, 33, 0, 1), x = start;
  auto const m0 = m, s0 = s;
  std::vector<float> rates, unbias;
  for (double t : {1., 5., 2000.}) {
    rates.push_back(static_cast<float>(.02 / (1 - std::pow(.9, t))));
    unbias.push_back(static_cast<float>(1 / (1 - std::pow(.999, t))));
  }
  rates[1] = 0;
  adam_rows(rates, unbias, as_view(g), as_view(m), as_view(s), as_view(x));
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 11; ++j) {
      double const slope = double{g(i, j)}, mean = .9 * double{m0(i, j)} + .1 * slope,
                   square = .999 * double{s0(i, j)} + .001 * slope * slope;
      CHECK(m(i, j) == doctest::Approx(mean).epsilon(1e-5));
      CHECK(s(i, j) == doctest::Approx(square).epsilon(1e-5));
      double const step = double{rates[i]} * mean / (std::sqrt(square * double{unbias[i]}) + 1e-8);
      CHECK(double{x(i, j)} - double{start(i, j)} == doctest::Approx(step).epsilon(1e-4).scale(.1));
    }
}

TEST_CASE("subtract_rows takes rows from anywhere to anywhere, zero_where_equal compares value by value") {
  auto const a = some(4, 9, 40);
  auto b = some(4, 9, 41);
  auto out = filled<float, 2>({6, 9}, 7.f);
  subtract_rows(as_view(a), as_view(b), std::vector<std::size_t>{3, 0}, as_view(out), std::vector<std::size_t>{1, 5});
  for (std::size_t j = 0; j < 9; ++j) {
    CHECK(out(1, j) == a(3, j) - b(3, j));
    CHECK(out(5, j) == a(0, j) - b(0, j));
    for (std::size_t i : {0u, 2u, 3u, 4u}) CHECK(out(i, j) == 7);
  }
  b(1, 2) = a(1, 2);
  b(3, 8) = a(3, 8);
  auto d = filled<float, 2>({4, 9}, 5.f);
  zero_where_equal(as_view(a), as_view(b), as_view(d));
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 9; ++j) CHECK(d(i, j) == ((i == 1 && j == 2) || (i == 3 && j == 8) ? 0.f : 5.f));
}

TEST_CASE("two_loop_rows multiplies with the inverse Hessian that BFGS builds from the pairs, on the values that are not held") {
  constexpr std::size_t n = 6, pairs = 4;
  auto const s = some(pairs, n, 50);
  auto y = some(pairs, n, 51);
  for (std::size_t j = 0; j < n; ++j)  // curvature in all but the last pair
    for (std::size_t r = 0; r < pairs; ++r) y(r, j) = (r == 3 ? -1.f : 1.f) * (2 * s(r, j) + .2f * y(r, j));
  auto d = some(3, n, 52);
  d(1, 2) = d(1, 5) = 0;
  auto const before = d;
  std::vector<std::vector<std::size_t>> const used{{2, 0, 1}, {0, 3, 1}, {}};
  two_loop_rows(as_view(s), as_view(y), used, as_view(d));
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    std::vector<std::size_t> free;
    for (std::size_t j = 0; j < n; ++j)
      if (before(i, j) != 0) free.push_back(j);
    std::size_t const size = free.size();
    auto const dot = [&](auto const& a, std::size_t p, auto const& b, std::size_t q) {
      double sum = 0;
      for (std::size_t j : free) sum += double{a(p, j)} * double{b(q, j)};
      return sum;
    };
    std::vector<doubles> h(size, doubles(size));
    double const scale = used[i].empty() ? 1 : dot(s, used[i].back(), y, used[i].back()) / dot(y, used[i].back(), y, used[i].back());
    for (std::size_t a = 0; a < size; ++a) h[a][a] = scale;
    for (std::size_t r : used[i]) {
      double const rho = 1 / dot(s, r, y, r);
      if (rho < 0) continue;
      auto const left = [&](std::size_t a, std::size_t b) { return (a == b) - rho * double{s(r, free[a])} * double{y(r, free[b])}; };
      std::vector<doubles> next(size, doubles(size));
      for (std::size_t a = 0; a < size; ++a)
        for (std::size_t b = 0; b < size; ++b) {
          next[a][b] = rho * double{s(r, free[a])} * double{s(r, free[b])};
          for (std::size_t c = 0; c < size; ++c)
            for (std::size_t e = 0; e < size; ++e) next[a][b] += left(a, c) * h[c][e] * left(b, e);
        }
      h = next;
    }
    for (std::size_t a = 0; a < size; ++a) {
      double expected = 0;
      for (std::size_t b = 0; b < size; ++b) expected += h[a][b] * double{before(i, free[b])};
      CHECK(d(i, free[a]) == doctest::Approx(expected).epsilon(1e-4).scale(1));
    }
    for (std::size_t j = 0; j < n; ++j)
      if (before(i, j) == 0) CHECK(d(i, j) == 0);
  }
}
