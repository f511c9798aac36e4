// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/subspace_noise.hpp>

#include <pareidolia/attack.hpp>

#include <support/analytic_models.hpp>
#include <support/patch_probes.hpp>
#include <support/quadric_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// P(v_1 > t) of a uniformly random unit vector of R^d.
double cap(std::size_t d, double t) {
  auto const density = [=](double s) { return std::pow(1 - s * s, (static_cast<double>(d) - 3) / 2); };
  constexpr std::size_t steps = 20000;
  double above = 0, all = 0;
  for (std::size_t k = 0; k < steps; ++k) {
    double const s = 2 * (static_cast<double>(k) + .5) / steps - 1;
    all += density(s);
    if (s > t) above += density(s);
  }
  return above / all;
}

}  // namespace

TEST_CASE("noise across a plane changes the class on one side and beyond its distance, along it never, anywhere as often as caps say") {
  auto const m = quadric_around_grey({1, 3, 4}, .5, {}, 1);  // a plane at distance .5
  auto const image = grey_images(m.shape, 1);
  auto const with = [&](std::vector<std::vector<double>> const& basis, std::size_t draws) {
    return measure(subspace_noise{.random = rng{1}, .subspace = rows_of(basis), .norms = {.49, .51, 2}, .draws = draws}, m, image).share;
  };
  auto const across = with({m.w}, 4000);
  CHECK(across[0] == 0);
  CHECK(across[1] == doctest::Approx(.5).epsilon(.06).scale(0));
  CHECK(across[2] == across[1]);

  auto basis = random_basis(4, 12, 2);
  for (auto& v : basis) {
    double const along = quadric_model::dot(m.w, v);
    for (std::size_t j = 0; j < 12; ++j) v[j] -= along * m.w[j];
  }
  CHECK(with(basis, 100) == std::vector<double>{0, 0, 0});

  constexpr std::size_t draws = 20000;
  auto const anywhere = measure(subspace_noise{.random = rng{3}, .norms = {.4, 1, 2, 10}, .draws = draws}, m, image);
  CHECK(anywhere.share[0] == 0);
  for (std::size_t r = 1; r < 4; ++r) {
    double const expected = cap(12, .5 / anywhere.norms[r]);
    CHECK(std::abs(anywhere.share[r] - expected) < 4 * std::sqrt(expected * (1 - expected) / draws));
  }
  CHECK(anywhere.spent.forwards == 1 + 4 * draws);
  CHECK(anywhere.spent.backwards == 0);
}

TEST_CASE("noise in a curved direction changes the class where the boundary bends in, in a flat one it does not") {
  auto const m = quadric_around_grey({1, 4, 4}, .5, {2, 2, -2}, 1);  // F = -.5 + w.u + sum of kappa / 2 (e.u)^2
  auto const images = grey_images(m.shape, 3);
  subspace_noise probe{.random = rng{1}, .subspace = rows_of({m.e[0], m.e[1]}), .norms = {.70, .715}};  // sqrt(2 .5 / 2) = .707
  auto const curved = measure(probe, m, images);
  CHECK(curved.share == std::vector<double>{0, 1});
  CHECK(curved.standard_error == std::vector<double>{0, 0});
  probe.subspace = rows_of({m.e[2]});
  probe.norms = {10};
  CHECK(measure(probe, m, images).share[0] == 0);
}

TEST_CASE("the standard error is that of the mean over images") {
  auto const m = quadric_around_grey({1, 3, 4}, .5, {}, 1);
  auto images = grey_images(m.shape, 4);
  for (std::size_t j = 0; j < 12; ++j) images.images.data()[j] += static_cast<float>(.4 * m.w[j]);  // the first is near the boundary
  subspace_noise const probe{.random = rng{1}, .subspace = rows_of({m.w}), .norms = {.2}, .draws = 1000};
  auto const found = measure(probe, m, images);
  double const first = 4 * found.share[0];
  CHECK(first == doctest::Approx(.5).epsilon(.1).scale(0));
  CHECK(found.standard_error[0] == doctest::Approx(first * std::sqrt(3. / 16 / 3)));
  CHECK(found.figures()[0].first == "share changed at 0.2");
  CHECK(found.arrays("n_")[1].name == "n_share");
}

TEST_CASE("each image and draw has a noise of its own") {
  auto const m = quadric_around_grey({1, 3, 4}, .5, {}, 1);
  subspace_noise const probe{.random = rng{1}, .subspace = rows_of({m.w}), .norms = {1}, .draws = 2};
  auto const found = measure(probe, m, grey_images(m.shape, 1000));
  CHECK(found.share[0] == doctest::Approx(.5).epsilon(.1).scale(0));
  CHECK(found.standard_error[0] == doctest::Approx(std::sqrt(.125 / 999)).epsilon(.1).scale(0));  // shares of 0, 1/2, 1/2 and 1
}

TEST_CASE("the result depends neither on the batch nor on the number of threads") {
  auto const m = random_planes(4, {1, 5, 5}, 1);
  auto const images = random_images(m, 9, 2);
  for (bool const inside : {false, true}) {
    subspace_noise probe{.random = rng{1}, .norms = {.1, .5, 2}, .draws = 5};
    if (inside) probe.subspace = rows_of(random_basis(3, 25, 4));
    auto const of = [&](std::size_t batch) {
      probe.batch = batch;
      return with_threads([&] { return measure(probe, m, images).share; });
    };
    auto const [one, three] = of(64);
    CHECK(one == three);
    CHECK(one[2] > 0);
    CHECK(of(1).first == one);
    CHECK(of(7).second == one);
  }
}

TEST_CASE("noise that cannot be drawn is refused in a sentence") {
  auto const m = random_planes(2, {1, 2, 2}, 1);
  auto const refused = [&](subspace_noise const& probe, char const* why) {
    CHECK_THROWS_WITH_AS(static_cast<void>(measure(probe, m, random_images(m, 1, 1))), doctest::Contains(why), error);
  };
  refused({.random = rng{1}, .norms = {}}, "subspace_noise: 0 norms and 10 draws");
  refused({.random = rng{1}, .norms = {1}, .draws = 0}, "1 norms and 0 draws");
  refused({.random = rng{1}, .norms = {1, -1}}, "a norm is -1");
  refused({.random = rng{1}, .subspace = filled<float, 2>({1, 3}), .norms = {1}}, "vectors of 3 values; give 4");
  refused({.random = rng{1}, .norms = {1}, .batch = 0}, "batch is 0");
}
