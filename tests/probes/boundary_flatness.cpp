// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/boundary_flatness.hpp>

#include <pareidolia/attack.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>
#include <support/quadric_model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// The m-dimensional part of v in draw s of image i.
std::vector<float> part_of(boundary_flatness const& probe, std::size_t m, std::size_t s, std::size_t i, std::vector<float> v) {
  detail::random_subspaces(probe.random.fork(s).stream(i), v.size()).project(m, v);
  return v;
}

/// Class 0 is a ball about grey, in R^24.
plane_model ball(double radius) {
  return {.shape = {2, 3, 4}, .w = {std::vector<double>(24), std::vector<double>(24)}, .b = {radius * radius, 0}, .curvature = 2};
}

}  // namespace

TEST_CASE("at planes the least perturbation in a subspace is that in the whole space, divided by the share of the normal in it") {
  auto const m = random_planes(5, {2, 5, 5}, 1);
  auto const images = random_images(m, 12, 2);
  boundary_flatness const probe{.random = rng(3), .dimensions = {50, 1, 20, 4}, .subspaces = 3};
  auto const found = measure(probe, m, images);
  CHECK(found.dimensions == probe.dimensions);
  CHECK(found.boundary.distances == measure(nearest_boundary{}, m, images).points.distances);
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t s = 0; s < 3; ++s)
      for (std::size_t k = 0; k < 4; ++k) {
        auto const x = as_view(images.images).row(i);
        auto const own = static_cast<std::size_t>(images.labels[i]);
        double nearest = std::numeric_limits<double>::infinity();
        for (std::size_t j = 0; j < 5; ++j) {
          if (j == own) continue;
          std::vector<float> w;
          for (std::size_t c = 0; c < x.size(); ++c) w.push_back(static_cast<float>(m.w[j][c] - m.w[own][c]));
          nearest = std::min(nearest, (m.score(own, x) - m.score(j, x)) / detail::norm(part_of(probe, probe.dimensions[k], s, i, w)));
        }
        CHECK(found.restricted(k, s, i) == doctest::Approx(nearest).epsilon(1e-3));
      }
}

TEST_CASE("in all dimensions the ratio is 1, and it is near 1 in many at planes") {
  auto const m = random_planes(4, {3, 16, 16}, 4);
  auto const images = random_images(m, 20, 5);
  auto const found = measure(boundary_flatness{.random = rng(6), .dimensions = {20, 100, 768}, .subspaces = 5}, m, images);
  for (std::size_t i = 0; i < 20; ++i) CHECK(found.ratio(2, 0, i) == 1);
  CHECK(found.quantile(0, .5) == doctest::Approx(1).epsilon(.05));
  CHECK(found.quantile(1, .5) == doctest::Approx(1).epsilon(.02));
  CHECK(found.quantile(1, .1) < found.quantile(1, .9));
  // The subspaces of one draw contain each other.
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t s = 0; s < 5; ++s) {
      CHECK(found.restricted(0, s, i) > found.restricted(1, s, i));
      CHECK(found.restricted(1, s, i) > found.restricted(2, s, i));
    }
}

TEST_CASE("a ball bends around what is in it: in subspaces its boundary is nearer than a plane would be") {
  double const radius = .8;
  auto const m = ball(radius);
  auto const images = grey_images(m.shape, 10, .08f);
  boundary_flatness const probe{.random = rng(7), .dimensions = {2, 6, 12, 24}, .subspaces = 2};
  auto const found = measure(probe, m, images);
  for (std::size_t i = 0; i < 10; ++i) {
    REQUIRE(found.boundary.own[i] == 0);
    std::vector<float> u;
    for (float const v : as_view(images.images).row(i)) u.push_back(v - .5f);
    for (std::size_t s = 0; s < 2; ++s)
      for (std::size_t k = 0; k < 4; ++k) {
        // x + S meets the ball in one about P_S (centre - x) + x, whose radius Pythagoras knows.
        double const inside = detail::norm(part_of(probe, probe.dimensions[k], s, i, u));
        double const left = radius * radius - detail::dot(u, u) + inside * inside;
        CHECK(found.restricted(k, s, i) == doctest::Approx(std::sqrt(left) - inside).epsilon(.01).scale(0));
        CHECK(found.restricted(k, s, i) < 1.001 * found.boundary.distances[i] * detail::norm(u) / inside);  // the tangent plane
      }
  }
  CHECK(found.quantile(0, .5) < .7);
  CHECK(found.share_found(0) == 1);
}

TEST_CASE("a ball bends away from what is outside: some subspaces miss it") {
  double const radius = .8;
  auto const m = ball(radius);
  auto const images = random_images(m, 10, 4, .1f, .9f);
  boundary_flatness const probe{.random = rng(8), .dimensions = {2, 12, 22, 24}, .subspaces = 2};
  auto const found = measure(probe, m, images);
  std::vector<std::size_t> met(4), missed(4);
  for (std::size_t i = 0; i < 10; ++i) {
    REQUIRE(found.boundary.own[i] == 1);
    std::vector<float> u;
    for (float const v : as_view(images.images).row(i)) u.push_back(v - .5f);
    for (std::size_t s = 0; s < 2; ++s)
      for (std::size_t k = 0; k < 4; ++k) {
        double const inside = detail::norm(part_of(probe, probe.dimensions[k], s, i, u));
        double const left = radius * radius - detail::dot(u, u) + inside * inside;
        if (left < 0) {
          ++missed[k];
          CHECK(std::isinf(found.restricted(k, s, i)));
        } else {
          ++met[k];
          CHECK(found.restricted(k, s, i) == doctest::Approx(inside - std::sqrt(left)).epsilon(.01).scale(0));
          CHECK(found.restricted(k, s, i) > .999 * found.boundary.distances[i] * detail::norm(u) / inside);  // the tangent plane
        }
      }
  }
  CHECK(missed[1] > 0);
  CHECK(met[2] > 0);
  for (std::size_t k = 0; k < 4; ++k) CHECK(found.share_found(k) == static_cast<double>(met[k]) / 20);
  CHECK(std::isinf(found.quantile(0, .5)));
}

TEST_CASE("curvature of either sign shows in the ratio") {
  image_shape const shape{3, 5, 5};
  auto const median = [&](double kappa) {
    auto const m = quadric_around_grey(shape, .4, std::vector<double>(74, kappa), 9);
    return measure(boundary_flatness{.random = rng(1), .dimensions = {25}, .subspaces = 40}, m, grey_images(shape, 1)).quantile(0, .5);
  };
  CHECK(median(0) == doctest::Approx(1).epsilon(.05));
  CHECK(median(1) < .9);
  CHECK(median(-1) > 1.1);
}

TEST_CASE("flatness does not depend on batches or threads, and costs what its searches cost") {
  auto m = random_planes(4, {1, 5, 5}, 4);
  m.curvature = .5;
  auto const images = random_images(m, 9, 5);
  auto const probe = [](std::size_t batch) {
    return boundary_flatness{.random = rng(1), .dimensions = {3, 11, 25}, .subspaces = 2, .batch = batch};
  };
  auto const reference = measure(probe(32), m, images);
  for (std::size_t batch : {1u, 7u, 64u}) {
    auto const [one, three] = with_threads([&] { return measure(probe(batch), m, images); });
    for (auto const& found : {one, three}) {
      CHECK(found.restricted == reference.restricted);
      CHECK(found.boundary.points == reference.boundary.points);
      CHECK(found.spent.forwards == reference.spent.forwards);
      CHECK(found.spent.backwards == reference.spent.backwards);
    }
  }
  auto const plain = measure(nearest_boundary{}, m, images).spent;
  auto const thrice = measure(boundary_flatness{.random = rng(1), .dimensions = {25, 25}}, m, images).spent;
  CHECK(thrice.forwards == 3 * plain.forwards);
  CHECK(thrice.backwards == 3 * plain.backwards);
  CHECK(thrice.seconds >= thrice.model_seconds);
}

TEST_CASE("where there is no boundary nothing is sought in subspaces, and nothing counts") {
  plane_model const flat{.shape = {1, 2, 2}, .w = {std::vector<double>(4), std::vector<double>(4)}, .b = {1, 0}};
  auto const found = measure(boundary_flatness{.random = rng(1), .dimensions = {1, 4}}, flat, grey_images(flat.shape, 3));
  CHECK(std::isinf(found.restricted(0, 0, 2)));
  CHECK(std::isnan(found.ratio(1, 0, 0)));
  CHECK(std::isnan(found.quantile(1, .5)));
  CHECK(std::isnan(found.share_found(1)));
  CHECK(found.spent.forwards == 3);
}

TEST_CASE("flatness has figures and arrays for each dimension") {
  auto const m = random_planes(3, {1, 4, 4}, 1);
  auto const found = measure(boundary_flatness{.random = rng(1), .dimensions = {2, 8}, .subspaces = 3}, m, random_images(m, 5, 2));
  std::vector<std::string> names;
  for (auto const& [name, value] : found.figures()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"median ratio, m = 2", "median ratio, m = 8", "share found, m = 2", "share found, m = 8"});
  CHECK(found.figures()[1].second == found.quantile(1, .5));
  CHECK(found.figures()[2].second == 1);
  auto const arrays = found.arrays("flat/");
  REQUIRE(arrays.size() == 3);
  CHECK(arrays[0].values == std::vector<float>{2, 8});
  CHECK(arrays[1].name == "flat/distances");
  CHECK(arrays[2].name == "flat/restricted");
  CHECK(arrays[2].shape == std::vector<std::size_t>{2, 3, 5});
  CHECK(double{arrays[2].values[15 + 5 + 3]} == doctest::Approx(found.restricted(1, 1, 3)));
}

TEST_CASE("settings of flatness that make no sense are named") {
  auto const m = random_planes(3, {1, 2, 2}, 1);
  auto const images = random_images(m, 1, 2);
  auto const sentence = [&](boundary_flatness const& probe) {
    try {
      static_cast<void>(measure(probe, m, images));
    } catch (error const& e) {
      return std::string(e.what());
    }
    return std::string("nothing was thrown");
  };
  CHECK(sentence({.random = rng(1), .dimensions = {}}) == "boundary_flatness: no dimensions; give at least one, 1 to 4");
  CHECK(sentence({.random = rng(1), .dimensions = {2, 0}}) == "boundary_flatness: a dimension is 0; give 1 to 4, the values of an image");
  CHECK(sentence({.random = rng(1), .dimensions = {5}}) == "boundary_flatness: a dimension is 5; give 1 to 4, the values of an image");
  CHECK(sentence({.random = rng(1), .dimensions = {1}, .subspaces = 0}) == "boundary_flatness: subspaces is 0; give at least 1");
  CHECK(sentence({.random = rng(1), .dimensions = {1}, .search = {.steps = 0}}) == "boundary_flatness: steps is 0; give at least 1");
  CHECK(sentence({.random = rng(1), .dimensions = {1}, .batch = 0}) == "boundary_flatness: batch is 0; give at least 1");
}

TEST_CASE("data: in random subspaces the boundaries of LeNet are where planes would be, nearly") {
  auto const net = trained_lenet();
  auto const digits = known_digits(net, 60);
  auto const found = measure(boundary_flatness{.random = rng(1), .dimensions = {10, 30, 100, 300, 784}}, net, digits);
  for (std::size_t k = 0; k < 5; ++k)
    MESSAGE("m = " << found.dimensions[k] << ": median " << found.quantile(k, .5) << ", 10 to 90 %: " << found.quantile(k, .1) << " to "
                   << found.quantile(k, .9) << ", found " << found.share_found(k));
  for (std::size_t k = 0; k + 1 < 5; ++k) {
    CHECK(found.quantile(k, .5) > .7);
    CHECK(found.quantile(k, .5) < 1);
    CHECK(found.quantile(k, .5) < found.quantile(k + 1, .5));
    CHECK(found.share_found(k) == 1);
  }
}
