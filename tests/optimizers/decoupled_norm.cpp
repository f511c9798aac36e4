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
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

// Classes to reach: the other one of two.
labelled_images turned(labelled_images canvas) {
  for (int& label : canvas.labels) label = 1 - label;
  return canvas;
}

}  // namespace

TEST_CASE("on two planes decoupled_norm finds the nearest image of the other class, inside the box") {
  auto planes = random_planes(2, {1, 3, 4}, 1);
  for (double& v : planes.b) v *= 8;  // so that some need much of the box
  attack const away{perturbation{l2{}}, cross_entropy{}, decoupled_norm{.steps = 300}};
  attack const there{perturbation{l2{}}, towards{margin{}}, decoupled_norm{.steps = 300}};
  for (float low : {.3f, 0.f}) {
    auto const canvas = random_images(planes, 8, 2, low, 1 - low);
    auto const left = run(away, planes, canvas, rng{3});
    auto const reached = run(there, planes, turned(canvas), rng{3});
    for (std::size_t i = 0; i < 8; ++i) {
      double const least = distance_to_border(planes, as_view(canvas.images).row(i), canvas.labels[i]);
      CAPTURE(least);
      CHECK(left.success[i] == 1);
      CHECK(reached.success[i] == 1);
      CHECK(double{left.distances(i, 2)} > .9999 * least);
      CHECK(double{left.distances(i, 2)} < 1.004 * least);
      CHECK(double{reached.distances(i, 2)} > .9999 * least);
      CHECK(double{reached.distances(i, 2)} < 1.004 * least);
    }
  }
}

TEST_CASE("on a sphere decoupled_norm finds the nearest point of it") {
  auto planes = random_planes(2, {1, 3, 4}, 4);
  planes.curvature = 6;
  planes.b = {.4, 0};
  for (auto& w : planes.w)
    for (double& v : w) v *= .2;
  auto const canvas = random_images(planes, 6, 5, .45f, .55f);
  auto const r = run(attack{perturbation{l2{}}, margin{}, decoupled_norm{.steps = 300}}, planes, canvas, rng{1});
  for (std::size_t i = 0; i < 6; ++i) {
    REQUIRE(canvas.labels[i] == 0);
    double const least = distance_to_border(planes, as_view(canvas.images).row(i), 0);
    CHECK(r.success[i] == 1);
    CHECK(double{r.distances(i, 2)} > .9999 * least);
    CHECK(double{r.distances(i, 2)} < 1.004 * least);
  }
}

TEST_CASE("the shortest perturbation of an image is the same in a batch of any size") {
  auto const planes = random_planes(5, {1, 3, 4}, 6);
  auto const canvas = random_images(planes, 11, 7);
  attack const a{perturbation{l2{}}, cross_entropy{}, decoupled_norm{.steps = 20}};
  auto const all = run(a, planes, canvas, rng{8}, batch_size{64});
  for (std::size_t batch : {1u, 3u, 10u}) {
    auto const some = run(a, planes, canvas, rng{8}, batch_size{batch});
    CHECK(some.images == all.images);
    CHECK(some.success == all.success);
    CHECK(some.forwards_spent == all.forwards_spent);
  }
  for (auto n : all.forwards_spent) CHECK(n == 21);
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
  CHECK(mean_ratio(r, digits) < .170);  // 0.1685; of the first 1000 digits 0.1606
  for (float v : r.images) CHECK_UNARY(v >= 0 && v <= 1);
}
