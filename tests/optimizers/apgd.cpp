// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/apgd.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

// v = y_1: on planes its gradient is the same everywhere.
struct second {
  static constexpr bool targeted = false;
  void value(const_score_view<space::host> y, label_view, value_view<space::host> v) const {
    for (std::size_t i = 0; i < y.shape[0]; ++i) v.data[i] = y.row(i)[1];
  }
  void seed(const_score_view<space::host>, label_view, score_view<space::host> dy) const {
    std::fill_n(dy.data, dy.size(), 0.f);
    for (std::size_t i = 0; i < dy.shape[0]; ++i) dy.row(i)[1] = 1;
  }
};

// v = y_0, whose top is a point where planes are curved.
struct first {
  static constexpr bool targeted = false;
  void value(const_score_view<space::host> y, label_view, value_view<space::host> v) const {
    for (std::size_t i = 0; i < y.shape[0]; ++i) v.data[i] = y.row(i)[0];
  }
  void seed(const_score_view<space::host>, label_view, score_view<space::host> dy) const {
    std::fill_n(dy.data, dy.size(), 0.f);
    for (std::size_t i = 0; i < dy.shape[0]; ++i) dy.row(i)[0] = 1;
  }
};

double mean(std::vector<float> const& values) {
  return std::accumulate(values.begin(), values.end(), 0.) / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("on planes apgd ends where the ball touches the best plane") {
  auto const planes = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 5, 2);
  double sum = 0, square = 0;
  for (double w : planes.w[1]) sum += std::abs(w), square += w * w;
  auto const gained = [&](auto const& norm, bool random_start) {
    apgd const how{.steps = 50, .random_start = random_start, .stop_early = false};
    auto const r = run(attack{perturbation{norm}, second{}, how}, planes, canvas, rng{3});
    std::vector<double> gains;
    for (std::size_t i = 0; i < 5; ++i) gains.push_back(double{r.values[i]} - planes.score(1, as_view(canvas.images).row(i)));
    return gains;
  };
  for (bool random_start : {false, true}) {
    for (double g : gained(linf{.2f}, random_start)) CHECK(g == doctest::Approx(.2 * sum).epsilon(1e-4));
    for (double g : gained(l2{.2f}, random_start)) CHECK(g == doctest::Approx(.2 * std::sqrt(square)).epsilon(1e-3));
  }
}

TEST_CASE("steps are halved until they are short enough for a top inside the ball") {
  plane_model hill{.shape = {1, 3, 4}, .w = std::vector(2, std::vector<double>(12, 0.)), .b = {0, -9}, .curvature = 1};
  auto canvas = random_images(hill, 6, 2, .2f, .8f);
  auto const r = run(attack{perturbation{l2{2}}, first{}, apgd{.steps = 100, .stop_early = false}}, hill, canvas, rng{3});
  auto const fixed = run(attack{perturbation{l2{2}}, first{}, pgd{.rate = 4, .steps = 100, .stop_early = false}}, hill, canvas, rng{3});
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(double{r.values[i]} == doctest::Approx(0).epsilon(2e-3));  // the top is 0, at the middle of the box
    CHECK(double{fixed.values[i]} < -.1);
  }
}

TEST_CASE("apgd gives the same answers in batches of any size, and stops at a success") {
  auto const planes = random_planes(5, {1, 3, 4}, 6);
  auto const canvas = random_images(planes, 11, 7);
  attack const a{perturbation{linf{.08f}}, cross_entropy{}, apgd{.steps = 12}};
  auto const all = run(a, planes, canvas, rng{8});
  CHECK(std::ranges::count(all.success, 1) > 1);
  CHECK(std::ranges::count(all.success, 0) > 1);
  for (std::size_t i = 0; i < 11; ++i) {
    CHECK_UNARY(all.success[i] ? all.forwards_spent[i] < 13 : all.forwards_spent[i] == 13);
    CHECK(all.distances(i, 3) <= .08f + 1e-6f);
  }
  for (std::size_t batch : {1u, 3u}) {
    auto const some = run(a, planes, canvas, rng{8}, batch_size{batch});
    CHECK(some.images == all.images);
    CHECK(some.forwards_spent == all.forwards_spent);
  }
}

TEST_CASE("apgd refuses what it cannot do") {
  auto const planes = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 1, 2);
  auto const with = [&](auto const& norm, apgd const& how) {
    return run(attack{perturbation{norm}, cross_entropy{}, how}, planes, canvas, rng{1});
  };
  CHECK_THROWS_WITH_AS(with(linf{.1f}, {.steps = 0}), doctest::Contains("steps is 0"), error);
  CHECK_THROWS_WITH_AS(with(linf{.1f}, {.share = 0}), doctest::Contains("share is 0"), error);
  CHECK_THROWS_WITH_AS(with(l2{}, {}), doctest::Contains("without a radius"), error);
}

TEST_CASE("data: apgd is stronger than pgd with as many steps") {
  auto const net = trained_lenet();
  auto const digits = known_digits(net, 100);
  auto const with = [&](auto const& norm, auto const& how) {
    return run(attack{perturbation{norm}, cross_entropy{}, how}, net, digits, rng{1}, batch_size{100});
  };
  auto const stronger = [&](auto const& norm) {
    auto const a = with(norm, apgd{.steps = 40, .stop_early = false}), b = with(norm, pgd{.steps = 40, .stop_early = false});
    CHECK(std::ranges::count(a.success, 1) >= std::ranges::count(b.success, 1));
    CHECK(mean(a.values) > mean(b.values));
  };
  stronger(linf{.1f});
  stronger(linf{.2f});
  stronger(l2{1.5f});
}
