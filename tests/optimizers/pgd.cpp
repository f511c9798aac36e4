// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/pgd.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

// v = y_1 - y_0: on planes its gradient is the same everywhere.
struct second_over_first {
  static constexpr bool targeted = false;
  void value(const_score_view<space::host> y, label_view, value_view<space::host> v) const {
    for (std::size_t i = 0; i < y.shape[0]; ++i) v.data[i] = y.row(i)[1] - y.row(i)[0];
  }
  void seed(const_score_view<space::host>, label_view, score_view<space::host> dy) const {
    for (std::size_t i = 0; i < dy.shape[0]; ++i) {
      std::ranges::fill(dy.row(i), 0.f);
      dy.row(i)[0] = -1;
      dy.row(i)[1] = 1;
    }
  }
};

double product(std::span<float const> d, plane_model const& m) {
  double sum = 0;
  for (std::size_t j = 0; j < d.size(); ++j) sum += double{d[j]} * (m.w[1][j] - m.w[0][j]);
  return sum;
}

std::vector<float> perturbation_of(outcome const& r, labelled_images const& canvas, std::size_t i) {
  std::vector<float> d;
  for (std::size_t j = 0; j < as_view(r.images).stride(); ++j) d.push_back(as_view(r.images).row(i)[j] - as_view(canvas.images).row(i)[j]);
  return d;
}

}  // namespace

TEST_CASE("on planes pgd ends where the ball touches the best plane, in every norm") {
  auto const planes = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 5, 2);
  double largest = 0, sum = 0, square = 0;
  for (std::size_t j = 0; j < 12; ++j) {
    double const w = planes.w[1][j] - planes.w[0][j];
    largest = std::max(largest, std::abs(w));
    sum += std::abs(w);
    square += w * w;
  }
  auto const reached = [&](auto const& norm, pgd const& how) {
    attack const a{perturbation{norm}, second_over_first{}, how};
    auto const r = run(a, planes, canvas, rng{3});
    std::vector<double> products;
    for (std::size_t i = 0; i < r.size(); ++i) products.push_back(product(perturbation_of(r, canvas, i), planes));
    return products;
  };
  for (bool random_start : {false, true}) {
    pgd const how{.rate = .05f, .steps = 60, .random_start = random_start, .stop_early = false};
    for (double p : reached(linf{.2f}, how)) CHECK(p == doctest::Approx(.2 * sum).epsilon(1e-4));
    for (double p : reached(l2{.2f}, how)) CHECK(p == doctest::Approx(.2 * std::sqrt(square)).epsilon(1e-3));
    for (double p : reached(l1{.2f, 0}, how)) CHECK(p == doctest::Approx(.2 * largest).epsilon(1e-2));
  }
}

TEST_CASE("fgsm is x + radius sign(grad v) for linf and as long as the radius for l2") {
  auto const planes = random_planes(3, {1, 3, 4}, 4);
  auto const canvas = random_images(planes, 4, 5);
  auto const r = run(attack{perturbation{linf{.1f}}, second_over_first{}, fgsm{}}, planes, canvas, rng{1});
  auto const s = run(attack{perturbation{l2{.1f}}, second_over_first{}, fgsm{}}, planes, canvas, rng{1});
  for (std::size_t i = 0; i < 4; ++i) {
    if (r.forwards_spent[i] == 2) {  // not a success as it was
      auto const d = perturbation_of(r, canvas, i);
      for (std::size_t j = 0; j < 12; ++j) CHECK(d[j] == doctest::Approx(planes.w[1][j] > planes.w[0][j] ? .1 : -.1).epsilon(1e-5));
      CHECK(r.backwards_spent[i] == 1);
      CHECK(s.distances(i, 2) == doctest::Approx(.1).epsilon(1e-5));
    }
  }
  CHECK(std::ranges::count(r.forwards_spent, 2u) == 4);
}

TEST_CASE("the answer of an image is the same in a batch of any size, and alone") {
  auto const planes = random_planes(5, {1, 3, 4}, 6);
  auto const canvas = random_images(planes, 11, 7);
  attack const a{perturbation{linf{.08f}}, cross_entropy{}, pgd{.steps = 9}};
  auto const all = run(a, planes, canvas, rng{8}, batch_size{64});
  CHECK(std::ranges::count(all.success, 1) > 1);
  CHECK(std::ranges::count(all.success, 0) > 1);
  for (std::size_t batch : {1u, 2u, 3u, 10u}) {
    auto const some = run(a, planes, canvas, rng{8}, batch_size{batch});
    CHECK(some.images == all.images);
    CHECK(some.success == all.success);
    CHECK(some.forwards_spent == all.forwards_spent);
    CHECK(some.values == all.values);
  }
  CHECK(run(a, planes, canvas, rng{9}).images != all.images);
}

TEST_CASE("an image costs as many forwards as steps and one, and ends at its first success") {
  auto const planes = random_planes(4, {1, 3, 4}, 10);
  auto const canvas = random_images(planes, 8, 11);
  pgd const how{.rate = .01f, .steps = 12, .random_start = false};
  auto const r = run(attack{perturbation{linf{.1f}}, cross_entropy{}, how}, planes, canvas, rng{1}, batch_size{3});
  bool early = false, failed = false;
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(r.forwards_spent[i] <= 13);
    CHECK(r.distances(i, 3) <= doctest::Approx(.01 * (r.forwards_spent[i] - 1)).epsilon(1e-4));
    if (r.success[i]) early = early || r.forwards_spent[i] < 13;
    if (!r.success[i]) {
      failed = true;
      CHECK(r.forwards_spent[i] == 13);
    }
  }
  CHECK(early);
  CHECK(failed);
}

TEST_CASE("without stopping early the success of largest value is kept") {
  auto planes = random_planes(3, {1, 3, 4}, 12);
  auto const canvas = random_images(planes, 6, 13);
  auto const stop =
      run(attack{perturbation{l2{2.f}}, cross_entropy{}, pgd{.rate = .05f, .steps = 30, .random_start = false}}, planes, canvas, rng{1});
  auto const on =
      run(attack{perturbation{l2{2.f}}, cross_entropy{}, pgd{.rate = .05f, .steps = 30, .random_start = false, .stop_early = false}},
          planes, canvas, rng{1});
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK_UNARY(on.success[i] >= stop.success[i]);
    CHECK(on.values[i] >= stop.values[i]);
    CHECK(on.forwards_spent[i] == 31);
  }
}

TEST_CASE("pgd refuses steps that are none or have no length") {
  auto const planes = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 1, 2);
  auto const with = [&](auto const& norm, pgd const& how) {
    return run(attack{perturbation{norm}, cross_entropy{}, how}, planes, canvas, rng{1});
  };
  CHECK_THROWS_WITH_AS(with(linf{.1f}, pgd{.steps = 0}), doctest::Contains("pgd: steps is 0"), error);
  CHECK_THROWS_WITH_AS(with(linf{.1f}, pgd{.rate = -1}), doctest::Contains("pgd: rate is -1"), error);
  CHECK_THROWS_WITH_AS(with(l2{}, pgd{.random_start = false}), doctest::Contains("without a radius"), error);
}

TEST_CASE("data: in a ball of .3 pgd leaves none of 1000 digits right from random starts, and one without") {
  auto const net = trained_lenet();
  auto const digits = known_digits(net, 1000);
  for (bool random_start : {true, false}) {
    pgd const how{.rate = .01f, .steps = 40, .random_start = random_start};
    auto const found = run(attack{perturbation{linf{.3f}}, cross_entropy{}, how}, net, digits, rng{1});
    MESSAGE(std::ranges::count(found.success, 0), " of 1000 left");
    CHECK(std::ranges::count(found.success, 0) <= (random_start ? 0 : 1));
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(found.distances(i, 3) <= .3f + 1e-6f);
  }
}
