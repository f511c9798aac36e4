// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/decoupled_norm.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/opposite.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>
#include <support/nearest_border.hpp>

#include <algorithm>
#include <cstddef>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("on planes and spheres decoupled_norm finds the nearest image of the other class, inside the box") {
  check_shortest(decoupled_norm{.steps = 300}, cross_entropy{}, towards{margin{}}, .004);
}

TEST_CASE("the answer of decoupled_norm is the same in a batch of any size") {
  check_batches(decoupled_norm{.steps = 20}, cross_entropy{});
}

TEST_CASE("an image that is what decoupled_norm wants stays as it is, one that cannot be is as far as it was looked for") {
  auto planes = random_planes(2, {1, 3, 4}, 9);
  auto canvas = random_images(planes, 3, 10);
  canvas.labels[1] = 1 - canvas.labels[1];
  attack const a{perturbation{l2{}}, margin{}, decoupled_norm{.steps = 5}};
  auto const r = run(a, planes, canvas, rng{1});
  CHECK(r.distances(1, 2) == 0);
  CHECK(r.forwards_spent[1] == 1);
  CHECK(r.backwards_spent[1] <= 1);
  planes.b[static_cast<std::size_t>(canvas.labels[0])] += 1e3;
  auto const never = run(a, planes, canvas, rng{1});
  CHECK(never.success[0] == 0);
  CHECK(never.distances(0, 2) > 0);
}

TEST_CASE("decoupled_norm refuses norms that do not change and steps of no length") {
  auto const planes = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 1, 2);
  auto const with = [&](decoupled_norm const& how) { return run(attack{perturbation{l2{}}, margin{}, how}, planes, canvas, rng{1}); };
  CHECK_THROWS_AS(with({.steps = 0}), error);
  CHECK_THROWS_AS(with({.rate = 0}), error);
  CHECK_THROWS_AS(with({.last_rate = -1}), error);
  CHECK_THROWS_AS(with({.radius = 0}), error);
  CHECK_THROWS_AS(with({.change = 1}), error);
  CHECK_THROWS_AS(with({.last_change = 0}), error);
}

TEST_CASE("data: 100 steps of decoupled_norm change digits less than DeepFool does") {
  auto const lenet = trained_lenet();
  auto const digits = known_digits(lenet, 100);
  attack const least{perturbation{l2{}}, cross_entropy{}, decoupled_norm{}};
  auto const r = run(least, lenet, digits, rng{1});
  CHECK(std::ranges::count(r.success, 1) == 100);
  CHECK(mean_ratio(r, digits) < .170);  // 0.1688; of the first 1000 digits 0.1606
  for (float v : r.images) CHECK_UNARY(v >= 0 && v <= 1);
}
