// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/fourier.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/gradient_ascent.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

tensor<float, 4> images(std::size_t n, image_shape const& s, std::uint64_t seed, float low, float high) {
  auto x = filled<float, 4>({n, s[0], s[1], s[2]});
  auto stream = rng(seed).stream(0);
  for (float& v : x) v = stream.uniform(low, high);
  return x;
}
const_image_view<space::host> constant(tensor<float, 4> const& x) { return as_view(x); }

double dot(std::span<float const> a, std::span<float const> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += double{a[j]} * double{b[j]};
  return sum;
}

}  // namespace

TEST_CASE("<decode(p) - canvas, dx> = <p, pullback(dx)>, for one genotype on each canvas and one on all") {
  fourier const e{.side = 4};
  image_shape const shape{3, 6, 9};
  auto const canvas = images(3, shape, 1, .4f, .6f), dx = images(3, shape, 2, -1, 1);
  for (std::size_t n : {3u, 1u}) {
    auto p = e.buffer(n, constant(canvas)), dp = e.buffer(n, constant(canvas));
    auto stream = rng(3).stream(n);
    for (float& v : p.rows().flat()) v = stream.uniform(-.1f, .1f);
    auto x = canvas;
    e.decode(p, constant(canvas), as_view(x));
    e.pullback(p, constant(canvas), constant(dx), dp);
    double left = dot(as_view(x).flat(), as_view(dx).flat()) - dot(as_view(canvas).flat(), as_view(dx).flat());
    CHECK(left == doctest::Approx(dot(p.rows().flat(), dp.rows().flat())).epsilon(1e-4));
    if (n == 3)
      for (std::size_t i = 0; i < 3; ++i) {
        double square = 0;
        for (std::size_t j = 0; j < 162; ++j) square += std::pow(double{as_view(x).row(i)[j]} - double{as_view(canvas).row(i)[j]}, 2);
        CHECK(square == doctest::Approx(dot(p.rows().row(i), p.rows().row(i))).epsilon(1e-4));
      }
  }
}

TEST_CASE("a neutral genotype shows the canvas, and the constant frequency a brighter one") {
  fourier const e{.side = 2};
  auto const canvas = images(1, {1, 4, 4}, 1, .2f, .4f);
  auto p = e.buffer(1, constant(canvas));
  auto x = canvas;
  e.decode(p, constant(canvas), as_view(x));
  CHECK(x == canvas);
  p.rows().row(0)[0] = 1;
  e.decode(p, constant(canvas), as_view(x));
  for (std::size_t j = 0; j < 16; ++j) CHECK(x.data()[j] == doctest::Approx(canvas.data()[j] + .25f));
}

TEST_CASE("project brings genotypes into the ball and nearer the box, and leaves those that are in both") {
  fourier const e{.side = 5, .norm = {1.5f}};
  image_shape const shape{1, 10, 10};
  auto const canvas = images(4, shape, 1, .05f, .95f);
  auto p = e.buffer(4, constant(canvas));
  std::vector<std::size_t> const rows{0, 1, 2};
  std::vector<std::uint64_t> const ids{4, 5, 6};
  e.scatter(p, rows, ids, rng{7});
  p.rows().row(3)[3] = .01f;
  for (float& v : p.rows().row(0)) v *= 9;
  auto const outside = [&](perturbations<space::host> const& q) {
    auto d = filled<float, 2>({4, 100});
    from_frequencies(5, shape, q.rows(), as_view(d));
    std::vector<double> result;
    for (std::size_t i = 0; i < 4; ++i) {
      double square = 0;
      for (std::size_t j = 0; j < 100; ++j) {
        float const v = as_view(canvas).row(i)[j] + d(i, j);
        square += std::pow(double{v - std::clamp(v, 0.f, 1.f)}, 2);
      }
      result.push_back(square);
    }
    return result;
  };
  auto const first = p;
  auto const before = outside(p);
  e.project(p, constant(canvas));
  auto const after = outside(p);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(dot(p.rows().row(i), p.rows().row(i)) <= 1.5 * 1.5 + 1e-4);
    CHECK(before[i] > 0);
    CHECK(after[i] < before[i]);
  }
  CHECK(std::ranges::equal(p.rows().row(3), first.rows().row(3)));
}

TEST_CASE("pgd in low frequencies ends where the ball touches the plane as those frequencies see it") {
  auto const planes = random_planes(2, {1, 6, 6}, 1);
  auto const canvas = random_images(planes, 5, 2, .45f, .55f);
  fourier const e{.side = 3, .norm = {.3f}};
  auto const r = run(attack{e, cross_entropy{}, pgd{.rate = .05f, .steps = 40, .stop_early = false}}, planes, canvas, rng{1});
  std::vector<float> w(36), seen(9);
  for (std::size_t j = 0; j < 36; ++j) w[j] = static_cast<float>(planes.w[1][j] - planes.w[0][j]);
  to_frequencies(3, {1, 6, 6}, view<float const, 2>{w.data(), {1, 36}}, view<float, 2>{seen.data(), {1, 9}});
  for (std::size_t i = 0; i < 5; ++i) {
    double gain = 0;
    for (std::size_t j = 0; j < 36; ++j)
      gain += double{w[j]} * (double{as_view(r.images).row(i)[j]} - double{as_view(canvas.images).row(i)[j]});
    CHECK(std::abs(gain) == doctest::Approx(.3 * std::sqrt(dot(seen, seen))).epsilon(1e-3));
  }
  for (std::size_t batch : {1u, 3u})
    CHECK(run(attack{e, cross_entropy{}, pgd{.rate = .05f, .steps = 40, .stop_early = false}}, planes, canvas, rng{1}, batch_size{batch})
              .images == r.images);
}

TEST_CASE("fourier refuses frequencies that images do not have") {
  auto const canvas = images(1, {1, 4, 6}, 1, 0, 1);
  CHECK_THROWS_WITH_AS(static_cast<void>(fourier{.side = 5}.buffer(1, constant(canvas))), doctest::Contains("side is 5; give 1 to 4"),
                       error);
  CHECK_THROWS_WITH_AS((static_cast<void>(fourier{.side = 2, .norm = {-1}}.buffer(1, constant(canvas)))),
                       doctest::Contains("radius of l2 is -1"), error);
}
