// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/boundary_curvature.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/models/selection.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>
#include <support/quadric_model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

image_shape const shape{3, 4, 4};
std::size_t const d = 48;

/// Rows as directions to measure along.
tensor<float, 2> directions_of(std::vector<std::vector<double>> const& rows) {
  auto result = filled<float, 2>({rows.size(), rows.empty() ? 0 : rows[0].size()});
  for (std::size_t k = 0; k < rows.size(); ++k)
    std::ranges::transform(rows[k], as_view(result).row(k).begin(), [](double v) { return static_cast<float>(v); });
  return result;
}

/// Class 0 is a ball about grey.
plane_model ball(double radius) {
  return {.shape = shape, .w = {std::vector<double>(d), std::vector<double>(d)}, .b = {radius * radius, 0}, .curvature = 2};
}

/// y_1 - y_0 = n.u - 0.4 + a |t.u|, u = x - 1/2: two planes that meet in a crease, n and t two coordinates.
struct crease {
  static constexpr space memory = space::host;
  struct workspace {
    std::vector<float> side;
  };
  double a;
  [[nodiscard]] image_shape input() const { return shape; }
  [[nodiscard]] std::size_t classes() const { return 2; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    w.side.clear();
    for (std::size_t i = 0; i < x.shape[0]; ++i) {
      double const n = double{x.row(i)[0]} - .5, t = double{x.row(i)[1]} - .5;
      y.row(i)[0] = 0;
      y.row(i)[1] = static_cast<float>(n - .4 + a * std::abs(t));
      w.side.push_back(t < 0 ? -1.f : 1.f);
    }
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const {
    std::fill_n(dx.data, dx.size(), 0.f);
    for (std::size_t i = 0; i < dx.shape[0]; ++i) {
      dx.row(i)[0] = dy.row(i)[1];
      dx.row(i)[1] = dy.row(i)[1] * static_cast<float>(a) * w.side[i];
    }
  }
};

}  // namespace

TEST_CASE("a quadric has its principal curvatures, of either sign, in its principal directions") {
  std::vector<double> const kappa{2, 1, -3, .5, -1};
  auto const m = quadric_around_grey(shape, .4, kappa, 3);
  auto given = m.e;
  for (auto& v : given)
    for (double& value : v) value *= 7;  // lengths do not matter
  given.push_back(m.e[0]);               // nor does what is not tangent
  for (std::size_t j = 0; j < d; ++j) given.back()[j] += m.e[2][j] - m.w[j];
  given.push_back(m.w);
  auto const found =
      measure(boundary_curvature{.random = rng(1), .directions = 0, .given = directions_of(given)}, m, grey_images(shape, 2));
  REQUIRE(found.boundary.distances[1] == doctest::Approx(.4).epsilon(1e-4));
  for (std::size_t j = 0; j < 5; ++j) CHECK(found.along_given(1, j) == doctest::Approx(kappa[j]).epsilon(.01).scale(0));
  CHECK(found.along_given(1, 5) == doctest::Approx((kappa[0] + kappa[2]) / 2).epsilon(.01).scale(0));
  CHECK(std::isnan(found.along_given(1, 6)));  // the normal
  CHECK(std::isnan(found.mean[1]));
}

TEST_CASE("in random tangents, anywhere on a quadric, curvatures are those of its formula") {
  auto const m = quadric_around_grey(shape, .4, {2, 1, -3, .5, -1, .2, .2, -2}, 4);
  auto const images = grey_images(shape, 6, .02f);
  boundary_curvature const probe{.random = rng(5), .directions = 40};
  auto const found = measure(probe, m, images);
  std::vector<float> v(d);
  for (std::size_t i = 0; i < 6; ++i) {
    auto const normal = as_view(found.boundary.normals).row(i), z = as_view(found.boundary.points).row(i);
    auto const g = m.gradient(z);
    double const slope = std::sqrt(m.dot(g, g));
    double square = 0;  // sum of ||G v||^2
    for (std::size_t j = 0; j < 40; ++j) {
      detail::draw_tangent(probe.random.fork(i).stream(j), normal, v);
      double const exact = m.curvature(z, v, found.boundary.own[i]);
      CHECK(std::abs(found.random(i, j) - exact) < .01 * std::abs(exact) + 1e-4);
      auto const hv = m.times({v.begin(), v.end()});
      square += (m.dot(hv, hv) - std::pow(m.dot(g, hv) / slope, 2)) / (slope * slope);
    }
    CHECK(found.root_mean_square[i] == doctest::Approx(std::sqrt(square / 40)).epsilon(1e-4));
  }
}

TEST_CASE("the mean over random tangents is that of the principal curvatures, and so is the root mean square") {
  std::vector<double> const kappa{2, 2, 1.5, -3, -1, 1};
  auto const m = quadric_around_grey(shape, .3, kappa, 6);
  auto const found = measure(boundary_curvature{.random = rng(2), .directions = 3000}, m, grey_images(shape, 1));
  double const mean = std::accumulate(kappa.begin(), kappa.end(), 0.) / (d - 1);
  double const square = std::inner_product(kappa.begin(), kappa.end(), kappa.begin(), 0.) / (d - 1);
  CHECK(std::abs(found.mean[0] - mean) < 4 * found.standard_error[0]);
  // Var v^T G v = 2 (||G||_F^2 - tr(G)^2 / (d - 1)) / (d + 1) for v uniform in d - 1 dimensions.
  double const variance = 2 * (square - mean * mean) * (d - 1) / (d + 1);
  CHECK(found.standard_error[0] == doctest::Approx(std::sqrt(variance / 3000)).epsilon(.1));
  CHECK(found.root_mean_square[0] == doctest::Approx(std::sqrt(square)).epsilon(.03));
}

TEST_CASE("planes are flat") {
  auto const m = random_planes(5, shape, 1);
  auto const found = measure(boundary_curvature{.random = rng(1), .directions = 20}, m, random_images(m, 8, 2));
  CHECK(found.boundary.found().size() == 8);
  for (double const kappa : found.random) CHECK(std::abs(kappa) < 1e-5);
}

TEST_CASE("a sphere has the curvature 1/R in all directions, positive from inside and negative from outside") {
  for (double const radius : {.5, 1.}) {
    CAPTURE(radius);
    auto const m = ball(radius);
    boundary_curvature const probe{.random = rng(1), .directions = 30};
    for (float const grey : {.55f, .95f}) {
      CAPTURE(grey);
      int const own = grey == .55f ? 0 : 1;
      auto const found = measure(probe, m, labelled_images{filled<float, 4>({2, 3, 4, 4}, grey), {}});
      double const expected = (own == 0 ? 1 : -1) / radius;
      REQUIRE(found.boundary.own[1] == own);
      for (double const kappa : found.random) CHECK(kappa == doctest::Approx(expected).epsilon(.01).scale(0));
      CHECK(found.mean[1] == doctest::Approx(expected).epsilon(.01).scale(0));
      CHECK(found.root_mean_square[1] == doctest::Approx(1 / radius).epsilon(.01).scale(0));
      CHECK(found.standard_error[1] < 1e-4);
      CHECK(found.share_positive() == (own == 0 ? 1 : 0));
    }
  }
}

TEST_CASE("seen from behind, the same boundary has the opposite curvature") {
  auto const m = quadric_around_grey(shape, .3, {1, -2, .5}, 8);
  auto images = grey_images(shape, 2);
  for (std::size_t j = 0; j < d; ++j) as_view(images.images).row(1)[j] += static_cast<float>(.5 * m.w[j]);
  auto const found = measure(boundary_curvature{.random = rng(1), .directions = 50, .given = directions_of(m.e)}, m, images);
  REQUIRE(found.boundary.own == std::vector<int>{0, 1});
  for (std::size_t k = 0; k < 3; ++k) CHECK(found.along_given(1, k) == doctest::Approx(-found.along_given(0, k)).epsilon(.01).scale(0));
}

TEST_CASE("a crease shows at the scale of the step, and not below it") {
  double const a = .5, offset = .05;
  auto image = grey_images(shape, 1);
  image.images.data()[1] += static_cast<float>(offset);
  std::vector<double> across(d);  // the tangent at z: t less its part along n + a t
  across[1] = 1, across[0] = -a;
  auto const kappa = [&](float step) {
    auto const found =
        measure(boundary_curvature{.random = rng(1), .directions = 0, .given = directions_of({across}), .step = step}, crease{a}, image);
    CHECK(found.boundary.distances[0] == doctest::Approx((.4 - a * offset) / std::sqrt(1 + a * a)).epsilon(1e-4));
    return found.along_given(0, 0);
  };
  CHECK(std::abs(kappa(.02f)) < 1e-5);
  double const h = .05 * std::sqrt(static_cast<double>(d));
  CHECK(kappa(.05f) == doctest::Approx(a / ((1 + a * a) * h)).epsilon(.01).scale(0));  // (1, a) and (1, -a) on the sides, both over 2 h
}

TEST_CASE("curvature does not depend on batches or threads") {
  auto const m = quadric_around_grey(shape, .4, {2, 1, -3}, 4);
  auto const images = grey_images(shape, 5, .02f);
  auto const probe = [&](std::size_t batch) {
    return boundary_curvature{.random = rng(1), .directions = 9, .given = directions_of(m.e), .batch = batch};
  };
  auto const reference = measure(probe(32), m, images);
  for (std::size_t batch : {1u, 7u, 64u}) {
    auto const [one, three] = with_threads([&] { return measure(probe(batch), m, images); });
    for (auto const& found : {one, three}) {
      CHECK(found.random == reference.random);
      CHECK(found.along_given == reference.along_given);
      CHECK(found.mean == reference.mean);
      CHECK(found.standard_error == reference.standard_error);
      CHECK(found.root_mean_square == reference.root_mean_square);
    }
  }
}

TEST_CASE("curvature costs two passes each way for each image and direction, besides the boundaries") {
  auto const m = random_planes(4, shape, 1);
  auto const images = random_images(m, 6, 2);
  auto const search = measure(nearest_boundary{}, m, images).spent;
  auto const found = measure(boundary_curvature{.random = rng(1), .directions = 5, .given = filled<float, 2>({2, d}, 1)}, m, images);
  CHECK(found.spent.forwards == search.forwards + 2 * 6 * 7);
  CHECK(found.spent.backwards == search.backwards + 2 * 6 * 7);
  CHECK(found.spent.seconds >= found.spent.model_seconds);
}

TEST_CASE("where there is no boundary there is no curvature, and it does not count") {
  plane_model flat{.shape = shape, .w = {std::vector<double>(d), std::vector<double>(d)}, .b = {1, 0}};
  auto const found = measure(boundary_curvature{.random = rng(1), .directions = 3}, flat, grey_images(shape, 2));
  for (double const kappa : found.random) CHECK(std::isnan(kappa));
  CHECK(std::isnan(found.mean[0]));
  CHECK(std::isnan(found.share_positive()));
  CHECK(std::isnan(found.figures()[1].second));
  CHECK(found.spent.forwards == 2);
}

TEST_CASE("curvature has figures and arrays") {
  auto const m = quadric_around_grey(shape, .4, {2, 1}, 4);
  auto const found =
      measure(boundary_curvature{.random = rng(1), .directions = 4, .given = directions_of(m.e)}, m, grey_images(shape, 3, .02f));
  std::vector<std::string> names;
  for (auto const& [name, value] : found.figures()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"share positive", "median mean curvature", "median root mean square curvature"});
  auto means = found.mean;
  std::ranges::sort(means);
  CHECK(found.figures()[1].second == means[1]);
  auto const arrays = found.arrays("curvature/");
  REQUIRE(arrays.size() == 6);
  CHECK(arrays[1].name == "curvature/mean");
  CHECK(arrays[4].name == "curvature/random");
  CHECK(arrays[4].shape == std::vector<std::size_t>{3, 4});
  CHECK(arrays[5].shape == std::vector<std::size_t>{3, 2});
  CHECK(double{arrays[5].values[3]} == doctest::Approx(found.along_given(1, 1)));
}

TEST_CASE("settings of curvature that make no sense are named") {
  auto const m = random_planes(3, shape, 1);
  auto const images = random_images(m, 1, 2);
  auto const sentence = [&](boundary_curvature const& probe) {
    try {
      static_cast<void>(measure(probe, m, images));
    } catch (error const& e) {
      return std::string(e.what());
    }
    return std::string("nothing was thrown");
  };
  CHECK(sentence({.random = rng(1), .directions = 0}) == "boundary_curvature: directions is 0 and none are given; give at least 1");
  CHECK(sentence({.random = rng(1), .step = 0}) == "boundary_curvature: step is 0; give a number above 0, such as 0.02");
  CHECK(sentence({.random = rng(1), .step = std::numeric_limits<float>::quiet_NaN()}) ==
        "boundary_curvature: step is nan; give a number above 0, such as 0.02");
  CHECK(sentence({.random = rng(1), .given = filled<float, 2>({1, 9})}) ==
        "boundary_curvature: given directions have 9 values; give 48, as an image has");
  CHECK(sentence({.random = rng(1), .search = {.classes = 1}}) ==
        "boundary_curvature: classes is 1; give at least 2, the own class and another");
  CHECK(sentence({.random = rng(1), .batch = 0}) == "boundary_curvature: batch is 0; give at least 1");
}

TEST_CASE("data: the boundaries of LeNet bend away from digits on the whole, and noise at them leads back") {
  auto const net = trained_lenet();
  auto const digits = known_digits(net, 60);
  boundary_curvature const probe{.random = rng(1), .directions = 60};
  auto const found = measure(probe, net, digits);
  for (auto const& [name, value] : found.figures()) MESSAGE(name << ": " << value);
  CHECK(found.share_positive() < .15);
  CHECK(found.figures()[1].second < -.02);
  CHECK(found.figures()[1].second > -.06);
  CHECK(detail::quantile_of(found.standard_error, .9) < .004);
  // Without gradients: what the scores say of points h away from z.
  auto noisy = filled<float, 4>({60 * 20, 1, 28, 28});
  for (std::size_t k = 0; k < 60 * 20; ++k) {
    auto const normal = as_view(found.boundary.normals).row(k / 20), z = as_view(found.boundary.points).row(k / 20);
    std::vector<float> v(z.size());
    detail::draw_tangent(rng(2).stream(k), normal, v);
    detail::along(z, detail::stride_of(probe.step, z.size()), v, as_view(noisy).row(k));
  }
  auto const seen = classified(net, noisy, 64);
  std::size_t back = 0;
  for (std::size_t k = 0; k < seen.size(); ++k) back += seen[k] == found.boundary.own[k / 20];
  MESSAGE(back << " of 1200 are back");
  CHECK(back > 1000);
}
