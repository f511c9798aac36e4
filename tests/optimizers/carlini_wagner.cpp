// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/carlini_wagner.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
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

TEST_CASE("on planes and spheres carlini_wagner finds the nearest image of the other class, inside the box") {
  check_shortest(carlini_wagner{.rate = .005f, .steps = 800, .searches = 8}, margin{}, towards{margin{}}, .01);
}

TEST_CASE("the answer of carlini_wagner is the same in a batch of any size") {
  check_batches(carlini_wagner{.steps = 30, .searches = 4}, margin{});
}

TEST_CASE("carlini_wagner wins by the confidence that is asked for, at the nearest place where it does") {
  auto planes = random_planes(2, {1, 3, 4}, 3);
  auto const canvas = random_images(planes, 4, 5);
  for (float confidence : {0.f, .5f, 2.f}) {
    CAPTURE(confidence);
    attack const a{perturbation{l2{}}, margin{}, carlini_wagner{.confidence = confidence, .rate = .005f, .searches = 9}};
    auto const r = run(a, planes, canvas, rng{1});
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(r.values[i] >= confidence - 1e-5f);
      auto farther = planes;
      farther.b[static_cast<std::size_t>(canvas.labels[i])] += double{confidence};
      double const least = distance_to_border(farther, as_view(canvas.images).row(i), canvas.labels[i]);
      CHECK(double{r.distances(i, 2)} > .9999 * least);
      CHECK(double{r.distances(i, 2)} < 1.02 * least);
    }
  }
}

TEST_CASE("an image that is what carlini_wagner wants stays as it is, and a search for each c has an end") {
  auto planes = random_planes(2, {1, 3, 4}, 9);
  auto canvas = random_images(planes, 3, 10);
  canvas.labels[1] = 1 - canvas.labels[1];
  carlini_wagner const how{.steps = 10, .searches = 3};
  auto const r = run(attack{perturbation{l2{}}, margin{}, how}, planes, canvas, rng{1});
  CHECK(r.distances(1, 2) == 0);
  CHECK(r.forwards_spent[1] == 1);
  planes.b[static_cast<std::size_t>(canvas.labels[0])] += 1e3;
  auto const never = run(attack{perturbation{l2{}}, margin{}, how}, planes, canvas, rng{1});
  CHECK(never.success[0] == 0);
  CHECK(never.forwards_spent[0] <= 33);
  CHECK(never.forwards_spent[0] > 3);
}

TEST_CASE("carlini_wagner refuses searches of nothing") {
  auto const planes = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 1, 2);
  auto const with = [&](carlini_wagner const& how) { return run(attack{perturbation{l2{}}, margin{}, how}, planes, canvas, rng{1}); };
  CHECK_THROWS_AS(with({.confidence = -1}), error);
  CHECK_THROWS_AS(with({.rate = 0}), error);
  CHECK_THROWS_AS(with({.steps = 0}), error);
  CHECK_THROWS_AS(with({.searches = 0}), error);
  CHECK_THROWS_AS(with({.constant = 0}), error);
}

TEST_CASE("data: carlini_wagner changes digits about as little as the other minimal-norm attacks") {
  auto const lenet = trained_lenet();
  auto const digits = known_digits(lenet, 30);
  attack const least{perturbation{l2{}}, margin{}, carlini_wagner{.rate = .03f, .steps = 100, .searches = 5}};
  auto const r = run(least, lenet, digits, rng{1});
  CHECK(std::ranges::count(r.success, 1) == 30);
  CHECK(mean_ratio(r, digits) < .18);
}
