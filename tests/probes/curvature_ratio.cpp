// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/curvature_ratio.hpp>

#include <pareidolia/attack.hpp>

#include <support/patch_probes.hpp>
#include <support/quadric_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("ratios are those of the curvatures that a quadric has in given and in random directions") {
  auto const m = quadric_around_grey({1, 4, 4}, .5, {1.2, -.6}, 1);
  auto const images = grey_images(m.shape, 3, .03f);
  auto given = random_basis(1, 16, 9);
  given.insert(given.end(), m.e.begin(), m.e.end());
  auto const found = measure(curvature_ratio{.random = rng{1}, .given = rows_of(given), .directions = 4000}, m, images);
  for (std::size_t i = 0; i < 3; ++i) {
    auto const z = as_view(found.boundary.points).row(i);
    double mean = 0;  // over other tangents
    std::vector<float> v(16);
    constexpr std::size_t draws = 20000;
    for (std::size_t k = 0; k < draws; ++k) {
      detail::draw_tangent(rng(7).stream(k), as_view(found.boundary.normals).row(i), v);
      mean += std::abs(m.curvature(z, v, 0)) / draws;
    }
    CHECK(found.mean[i] == doctest::Approx(mean).epsilon(.05).scale(0));
    for (std::size_t j = 0; j < 3; ++j) {
      double const kappa = m.curvature(z, given[j], 0);
      CHECK(found.along(i, j) == doctest::Approx(kappa).epsilon(.01).scale(0));
      CHECK(found.ratio(i, j) == doctest::Approx(std::abs(kappa) / found.mean[i]).epsilon(.01).scale(0));
    }
  }
  auto const median = found.median();
  REQUIRE(median.size() == 3);
  std::vector<double> first{found.ratio(0, 1), found.ratio(1, 1), found.ratio(2, 1)};
  std::ranges::sort(first);
  CHECK(median[1] == first[1]);
  CHECK(found.figures()[0].second == median[0]);
  CHECK(found.arrays("r_")[0].shape == std::vector<std::size_t>{3, 3});
}

TEST_CASE("a direction along the normal of an image does not count for it") {
  auto const m = quadric_around_grey({1, 4, 4}, .5, {1.2, -.6}, 1);
  auto const found = measure(curvature_ratio{.random = rng{1}, .given = rows_of({m.w})}, m, grey_images(m.shape, 1));
  CHECK(std::isnan(found.ratio(0, 0)));
  CHECK(std::isnan(found.median()[0]));
}

TEST_CASE("the result depends neither on the batch nor on the number of threads") {
  auto const m = quadric_around_grey({1, 4, 4}, .5, {1.2, -.6}, 1);
  auto const images = grey_images(m.shape, 5, .03f);
  auto const of = [&](std::size_t batch) {
    return with_threads([&] {
      return measure(curvature_ratio{.random = rng{1}, .given = rows_of(m.e), .directions = 9, .batch = batch}, m, images).ratio;
    });
  };
  auto const [one, three] = of(64);
  CHECK(one == three);
  CHECK(of(1).second == one);
  CHECK(of(7).first == one);
}

TEST_CASE("no directions are refused in a sentence") {
  auto const m = quadric_around_grey({1, 2, 2}, .5, {1}, 1);
  auto const refused = [&](curvature_ratio const& probe, char const* why) {
    CHECK_THROWS_WITH_AS(static_cast<void>(measure(probe, m, grey_images(m.shape, 1))), doctest::Contains(why), error);
  };
  refused({.random = rng{1}, .given = filled<float, 2>({0, 4})}, "curvature_ratio: 0 given and 100 random directions");
  refused({.random = rng{1}, .given = rows_of(m.e), .directions = 0}, "1 given and 0 random directions");
}
