// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/universal.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/encodings/shown.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/misclassification.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/data.hpp>
#include <support/kept_runs.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

// Two classes and the plane between them through the middle of the box.
plane_model one_plane(std::uint64_t seed) {
  auto m = random_planes(2, {1, 3, 4}, seed);
  for (std::size_t k : {0u, 1u}) m.b[k] = -std::accumulate(m.w[k].begin(), m.w[k].end(), 0.) / 2;
  return m;
}

// Images of class 0 only: a push along one direction fools them all.
labelled_images one_side(plane_model const& m, std::size_t n, std::uint64_t seed) {
  auto const both = random_images(m, 4 * n, seed, .4f, .6f);
  labelled_images side{filled<float, 4>({n, 1, 3, 4}), {}};
  for (std::size_t i = 0; i < both.size() && side.labels.size() < n; ++i)
    if (both.labels[i] == 0) {
      std::ranges::copy(as_view(both.images).row(i), as_view(side.images).row(side.labels.size()).begin());
      side.labels.push_back(0);
    }
  REQUIRE(side.labels.size() == n);
  return side;
}

std::vector<double> gaps(plane_model const& m, labelled_images const& canvas) {
  std::vector<double> result;
  for (std::size_t i = 0; i < canvas.size(); ++i) {
    auto const x = as_view(canvas.images).row(i);
    result.push_back(m.score(0, x) - m.score(1, x));
  }
  return result;
}

template <class Norm>
outcome universally(Norm const& norm, universal const& how, plane_model const& m, labelled_images const& canvas, std::uint64_t seed = 1) {
  return run(attack{perturbation<Norm>{norm}, misclassification{}, how}, m, canvas, rng{seed});
}

double norm2(tensor<float, 2> const& v) {
  double square = 0;
  for (float each : v) square += double{each} * double{each};
  return std::sqrt(square);
}

}  // namespace

TEST_CASE("across one plane the universal perturbation is the paper's sum of DeepFool's steps, image after image") {
  auto const m = one_plane(1);
  auto const canvas = one_side(m, 12, 2);
  double square = 0;
  for (std::size_t j = 0; j < 12; ++j) square += (m.w[1][j] - m.w[0][j]) * (m.w[1][j] - m.w[0][j]);
  // By hand: for each image of the order that v does not fool, v becomes 1.02 of what is missing longer, along w.
  std::vector<std::size_t> order(12);
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto stream = rng{1}.fork(0).stream(0);
  shuffle(std::span(order), stream);
  double pushed = 0;
  auto const gap = gaps(m, canvas);
  for (std::size_t i : order)
    if (gap[i] > pushed) pushed += 1.02 * (gap[i] - pushed);
  for (std::size_t batch : {1u, 2u, 5u, 64u}) {
    auto const r = universally(l2{5}, {.delta = 0, .passes = 1, .batch = batch}, m, canvas);
    CHECK(norm2(r.shared) == doctest::Approx(pushed / std::sqrt(square)).epsilon(1e-4).scale(0));
    CHECK(std::ranges::count(r.success, 1) == 12);
  }
}

TEST_CASE("looking ahead changes what a universal perturbation costs, not what it is") {
  auto m = random_planes(5, {1, 3, 4}, 3);
  auto const canvas = random_images(m, 17, 4);
  auto const one = universally(linf{.15f}, {.delta = 0, .passes = 3, .batch = 1}, m, canvas);
  CHECK(std::ranges::count(one.success, 1) > 0);
  for (std::size_t batch : {3u, 64u})
    CHECK(universally(linf{.15f}, {.delta = 0, .passes = 3, .batch = batch}, m, canvas).shared == one.shared);
  CHECK(universally(linf{.15f}, {.delta = 0, .passes = 3}, m, canvas, 2).shared != one.shared);
}

TEST_CASE("a universal perturbation stays in its ball, and images that share it in the box") {
  auto m = random_planes(5, {1, 3, 4}, 5);
  auto const canvas = random_images(m, 20, 6, 0.f, 1.f);
  for (std::size_t together : {1u, 4u}) {
    auto const r = universally(linf{.2f}, {.delta = 0, .passes = 4, .together = together}, m, canvas);
    CHECK(r.shared.shape()[0] == 1);
    float largest = 0;
    for (float v : r.shared) largest = std::max(largest, std::abs(v));
    CHECK(largest <= .2f);
    CHECK(largest > .1f);
    CHECK(norm2(universally(l2{.3f}, {.delta = 0, .passes = 4, .together = together}, m, canvas).shared) <= .30001);
    for (float v : r.images) CHECK_UNARY(v >= 0 && v <= 1);
    auto const again = shown(perturbation{linf{.2f}}, r.shared, canvas);
    CHECK(again.images == r.images);
    CHECK(again.labels == canvas.labels);
  }
}

TEST_CASE("several images that are moved together each add their step") {
  auto const m = one_plane(7);
  auto const canvas = one_side(m, 9, 8);
  auto const gap = gaps(m, canvas);
  double square = 0;
  for (std::size_t j = 0; j < 12; ++j) square += (m.w[1][j] - m.w[0][j]) * (m.w[1][j] - m.w[0][j]);
  auto const r = universally(l2{50}, {.delta = 0, .passes = 1, .together = 9}, m, canvas);
  CHECK(norm2(r.shared) == doctest::Approx(1.02 * std::accumulate(gap.begin(), gap.end(), 0.) / std::sqrt(square)).epsilon(1e-4).scale(0));
}

TEST_CASE("the search for a universal perturbation ends when enough are fooled, or with its passes") {
  auto const m = one_plane(9);
  auto const canvas = one_side(m, 10, 10);
  std::vector<double> passes;
  auto const note = [&](step const& now) { passes.push_back(static_cast<double>(now.where.step)); };
  attack const easy{perturbation{l2{5}}, misclassification{}, universal{.delta = .2f, .passes = 6}};
  CHECK(run(easy, m, canvas, rng{1}, note).complete);
  CHECK(passes.back() == 1);
  attack const hopeless{perturbation{l2{1e-4f}}, misclassification{}, universal{.delta = .2f, .passes = 3}};
  auto const r = run(hopeless, m, canvas, rng{1}, note);
  CHECK(passes.back() == 3);
  CHECK(std::ranges::count(r.success, 1) < 9);
}

TEST_CASE("universal refuses settings that mean nothing") {
  auto const m = one_plane(1);
  auto const canvas = one_side(m, 2, 2);
  auto const with = [&](universal const& how) { return universally(l2{1}, how, m, canvas); };
  CHECK_THROWS_WITH_AS(with({.delta = 2}), doctest::Contains("universal: delta is 2"), error);
  CHECK_THROWS_WITH_AS(with({.passes = 0}), doctest::Contains("universal: passes is 0"), error);
  CHECK_THROWS_WITH_AS(with({.together = 0}), doctest::Contains("universal: together is 0 and batch 64"), error);
  CHECK_THROWS_WITH_AS(with({.nearest = {.classes = 1}}), doctest::Contains("deepfool: classes is 1"), error);
}

TEST_CASE("data: a universal perturbation made of 100 digits fools LeNet on others") {
  network const net{cpu_engine{}, zoo::lenet5(), read_weights(data_path("models/lenet/lenet_iter_10000"))};
  auto const digits = correctly_classified(
      net, read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz")), 500);
  labelled_images some{filled<float, 4>({100, 1, 28, 28}), {digits.labels.begin(), digits.labels.begin() + 100}};
  std::copy_n(digits.images.data(), some.images.size(), some.images.data());
  attack const a{perturbation{linf{.4f}}, misclassification{}, universal{.passes = 2, .together = 10}};
  auto const r = run(a, net, some, rng{1});
  auto const found = classified(net, shown(a.encoding, r.shared, digits).images);
  std::size_t own = 0, others = 0;
  for (std::size_t i = 0; i < 500; ++i) (i < 100 ? own : others) += found[i] != digits.labels[i];
  MESSAGE(own << " of its own 100, " << others << " of 400 others");
  CHECK(own > 30);
  CHECK(others > 100);
}

TEST_CASE("universal that is killed at any step ends as if nothing had happened") {
  auto const m = random_planes(4, {1, 3, 4}, 11);
  auto const canvas = random_images(m, 40, 12);
  for (std::size_t together : {1u, 4u}) {
    attack const all{perturbation{linf{.2f}}, misclassification{}, universal{.delta = .02f, .passes = 4, .together = together, .batch = 8}};
    auto const whole = run(all, m, canvas, rng{3});
    REQUIRE(whole.steps > 30);
    for (std::size_t steps : {2u, 3u, 11u}) check_same(run_in_pieces(all, m, canvas, 3, steps), whole);
  }
}

TEST_CASE("universal that was complete goes on if it is given more passes") {
  auto const m = random_planes(4, {1, 3, 4}, 11);
  auto const canvas = random_images(m, 40, 12);
  auto const passes = [&](std::size_t n, auto&&... extras) {
    return run(attack{perturbation{linf{.1f}}, misclassification{}, universal{.delta = 0, .passes = n}}, m, canvas, rng{3}, extras...);
  };
  memory_keeper keeper;
  static_cast<void>(passes(2, keeper));
  auto const further = passes(4, keeper), whole = passes(4);
  CHECK(further.images == whole.images);
  CHECK(further.steps == whole.steps);
}
