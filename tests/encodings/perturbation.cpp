// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/perturbation.hpp>

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace {

using namespace pareidolia;
constexpr auto host = space::host;

tensor<float, 4> canvases(std::size_t n, image_shape const& s, std::uint64_t seed) {
  auto x = filled<float, 4>({n, s[0], s[1], s[2]});
  auto stream = rng(seed).stream(0);
  for (float& v : x) v = stream.uniform();
  return x;
}
void randomise(perturbations<host>& p, std::uint64_t seed, float size) {
  auto stream = rng(seed).stream(0);
  for (float& v : p.rows().flat()) v = stream.uniform(-size, size);
}

double norm_of(linf, std::span<float const> d, std::size_t) {
  float largest = 0;
  for (float v : d) largest = std::max(largest, std::abs(v));
  return double{largest};
}
double norm_of(l2, std::span<float const> d, std::size_t) { return std::sqrt(std::inner_product(d.begin(), d.end(), d.begin(), 0.0)); }
double norm_of(l1 const&, std::span<float const> d, std::size_t) {
  return std::accumulate(d.begin(), d.end(), 0.0, [](double s, float v) { return s + std::abs(double{v}); });
}
double norm_of(l0, std::span<float const> d, std::size_t area) {
  double count = 0;
  for (std::size_t j = 0; j < area; ++j) {
    bool any = false;
    for (std::size_t k = j; k < d.size(); k += area) any = any || d[k] != 0;
    count += any;
  }
  return count;
}

}  // namespace

TEST_CASE_TEMPLATE("a projected perturbation is in the ball and the box, and one that is there already stays", N, linf, l2, l1, l0) {
  image_shape const shape{3, 4, 5};
  auto const canvas = canvases(6, shape, 1);
  float const radius = std::same_as<N, l0> ? 4 : std::same_as<N, l1> ? 2.5f : .4f;
  perturbation const e{N{radius}};
  auto p = e.buffer(6, const_image_view<host>(as_view(canvas)));
  p.limit(std::vector<std::size_t>{5}, std::vector<float>{radius / 2});
  randomise(p, 2, 1.5f);
  e.project(p, const_image_view<host>(as_view(canvas)));
  for (std::size_t i = 0; i < 6; ++i) {
    float const limit = i == 5 ? radius / 2 : radius;
    CHECK(norm_of(N{}, p.rows().row(i), 20) <= double{limit} * (1 + 1e-6));
    CHECK(norm_of(N{}, p.rows().row(i), 20) > double{limit} * .9);  // large ones end on the sphere
    for (std::size_t j = 0; j < 60; ++j) {
      float const v = as_view(canvas).row(i)[j] + p.rows().row(i)[j];
      CHECK_UNARY(v >= -1e-6f && v <= 1 + 1e-6f);
    }
  }
  auto again = p;
  e.project(again, const_image_view<host>(as_view(canvas)));
  for (std::size_t j = 0; j < 360; ++j) CHECK(again.rows().data[j] == doctest::Approx(p.rows().data[j]).epsilon(1e-6));
}

TEST_CASE_TEMPLATE("the steepest step has length 1 and no other has a larger product with the gradient", N, linf, l2, l1) {
  auto const canvas = filled<float, 4>({1, 1, 4, 4}, .5f);
  N norm{1};
  if constexpr (requires { norm.share; }) norm.share = 0;  // then one value moves, the exact answer
  perturbation const e{norm};
  auto const p = e.buffer(1, const_image_view<host>(as_view(canvas)));
  auto g = filled<float, 2>({1, 16});
  auto stream = rng(3).stream(0);
  for (float& v : g) v = stream.normal();
  auto d = g;
  e.steepest(p, const_image_view<host>(as_view(canvas)), as_view(d));
  CHECK(norm_of(norm, as_view(d).row(0), 16) == doctest::Approx(1));
  double const reached = std::inner_product(d.begin(), d.end(), g.begin(), 0.0);
  std::vector<float> other(16);
  for (int trial = 0; trial < 2000; ++trial) {
    for (float& v : other) v = std::same_as<N, linf> ? (stream.chance(.5f) ? 1.f : -1.f) : stream.normal();
    double const length = norm_of(norm, other, 16);
    CHECK(std::inner_product(other.begin(), other.end(), g.begin(), 0.0) / length <= reached + 1e-6);
  }
  auto zero = filled<float, 2>({1, 16});
  e.steepest(p, const_image_view<host>(as_view(canvas)), as_view(zero));
  CHECK(std::all_of(zero.begin(), zero.end(), [](float v) { return v == 0; }));
}

TEST_CASE_TEMPLATE("random perturbations are spread uniformly over the ball", N, linf, l2, l1) {
  // In n dimensions the norm of a point of the unit ball is below t with probability t^n, and every value has mean 0.
  constexpr std::size_t n = 4, many = 20'000;
  auto const canvas = filled<float, 4>({1, 1, 2, 2}, .5f);
  perturbation const e{N{2}};
  auto p = e.buffer(many, const_image_view<host>(as_view(canvas)));
  std::vector<std::size_t> rows(many);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::vector<std::uint64_t> const ids(rows.begin(), rows.end());
  e.scatter(p, rows, ids, rng(4));
  double below = 0, sum = 0;
  for (std::size_t i = 0; i < many; ++i) {
    double const length = norm_of(N{}, p.rows().row(i), n) / 2;
    CHECK(length <= 1 + 1e-6);
    below += length < .8;
    for (float v : p.rows().row(i)) sum += double{v};
  }
  CHECK(below / many == doctest::Approx(std::pow(.8, n)).epsilon(.03));
  CHECK(std::abs(sum / (n * many)) < .02);
}

TEST_CASE("a random l0 perturbation changes no more pixels than it may") {
  auto const canvas = filled<float, 4>({1, 3, 6, 6}, .5f);
  perturbation const e{l0{5}};
  auto p = e.buffer(3, const_image_view<host>(as_view(canvas)));
  e.scatter(p, std::vector<std::size_t>{0, 1, 2}, std::vector<std::uint64_t>{7, 8, 9}, rng(1));
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(norm_of(l0{}, p.rows().row(i), 36) <= 5);
    CHECK(norm_of(l0{}, p.rows().row(i), 36) >= 3);
  }
}

TEST_CASE("what an image draws belongs to its id, not to its place") {
  auto const canvas = canvases(3, {1, 5, 5}, 6);
  perturbation const e{l2{1}};
  auto p = e.buffer(3, const_image_view<host>(as_view(canvas))), q = p;
  e.scatter(p, std::vector<std::size_t>{0, 1, 2}, std::vector<std::uint64_t>{10, 11, 12}, rng(5));
  e.scatter(q, std::vector<std::size_t>{2, 0}, std::vector<std::uint64_t>{10, 12}, rng(5));
  CHECK(std::ranges::equal(p.rows().row(0), q.rows().row(2)));
  CHECK(std::ranges::equal(p.rows().row(2), q.rows().row(0)));
  CHECK(std::ranges::all_of(q.rows().row(1), [](float v) { return v == 0; }));
}

TEST_CASE("a shared perturbation is held by the ball, and the images by the box") {
  auto canvas = filled<float, 4>({2, 1, 1, 2}, 0.f);
  canvas(1, 0, 0, 0) = canvas(1, 0, 0, 1) = .9f;
  perturbation const e{linf{.3f}};
  auto p = e.buffer(1, const_image_view<host>(as_view(canvas)));
  p.rows().row(0)[0] = -.5f;
  p.rows().row(0)[1] = .2f;
  e.project(p, const_image_view<host>(as_view(canvas)));
  CHECK(p.rows().row(0)[0] == -.3f);
  CHECK(p.rows().row(0)[1] == .2f);
  auto x = filled<float, 4>({2, 1, 1, 2});
  e.decode(p, const_image_view<host>(as_view(canvas)), as_view(x));
  CHECK(x(0, 0, 0, 0) == 0);
  CHECK(x(0, 0, 0, 1) == .2f);
  CHECK(x(1, 0, 0, 0) == doctest::Approx(.6));
  CHECK(x(1, 0, 0, 1) == 1);
}

TEST_CASE("a neutral perturbation shows the canvas, and a radius that makes no sense is refused") {
  auto const canvas = canvases(2, {3, 4, 4}, 9);
  perturbation const e{l2{}};
  CHECK(e.norm.radius == std::numeric_limits<float>::infinity());
  auto const p = e.buffer(2, const_image_view<host>(as_view(canvas)));
  auto x = filled<float, 4>(as_view(canvas).shape);
  e.decode(p, const_image_view<host>(as_view(canvas)), as_view(x));
  CHECK(x == canvas);
  for (float radius : {-1.f, std::numeric_limits<float>::quiet_NaN()}) {
    perturbation const wrong{linf{radius}};
    CHECK_THROWS_WITH_AS(static_cast<void>(wrong.buffer(1, const_image_view<host>(as_view(canvas)))),
                         doctest::Contains("perturbation: the radius of linf is"), error);
  }
}
