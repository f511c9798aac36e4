// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/universal_ascent.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/encodings/shown.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/clipped.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/objectives/margin.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/data.hpp>
#include <support/kept_runs.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

// Images that all are of class 0, whatever the model says.
labelled_images of_class_0(plane_model const& m, std::size_t n) {
  auto canvas = random_images(m, n, 2);
  std::ranges::fill(canvas.labels, 0);
  return canvas;
}

template <class Norm>
outcome climbed(Norm const& norm, universal_ascent const& how, plane_model const& m, labelled_images const& canvas,
                std::uint64_t seed = 1) {
  return run(attack{perturbation<Norm>{norm}, margin{}, how}, m, canvas, rng{seed});
}

}  // namespace

TEST_CASE("across one plane the ascent ends where the ball touches it, in every norm") {
  auto const m = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = of_class_0(m, 10);
  std::vector<double> w;
  double square = 0;
  for (std::size_t j = 0; j < 12; ++j) w.push_back(m.w[1][j] - m.w[0][j]), square += w.back() * w.back();
  universal_ascent const how{.epochs = 10, .batch = 4};
  auto const box = climbed(linf{.1f}, how, m, canvas);
  auto const ball = climbed(l2{.2f}, how, m, canvas);
  for (std::size_t j = 0; j < 12; ++j) {
    CHECK(box.shared(0, j) == doctest::Approx(w[j] > 0 ? .1 : -.1).epsilon(1e-5).scale(0));
    CHECK(ball.shared(0, j) == doctest::Approx(.2 * w[j] / std::sqrt(square)).epsilon(1e-4).scale(0));
  }
}

TEST_CASE("steps get shorter, from the rate to nothing") {
  auto const m = random_planes(2, {1, 3, 4}, 3);
  auto const canvas = of_class_0(m, 8);  // on a plane each step has the same direction
  auto const r = climbed(l2{}, {.epochs = 5, .batch = 4, .rate = .1f}, m, canvas);
  double square = 0;
  for (float v : r.shared) square += double{v} * double{v};
  CHECK(std::sqrt(square) == doctest::Approx(.1 * 5.5).epsilon(1e-4));  // 1 + .9 + ... + .1
}

TEST_CASE("each epoch shows every image once, in an order of its own, in minibatches") {
  auto const m = random_planes(3, {1, 3, 4}, 4);
  auto const canvas = of_class_0(m, 11);
  std::vector<std::string> names;
  std::size_t steps = 0;
  auto const note = [&](step const& now) { steps = now.where.steps, names.emplace_back(now.where.figures[0].name); };
  auto const r = run(attack{perturbation{linf{.2f}}, margin{}, universal_ascent{.epochs = 6, .batch = 4}}, m, canvas, rng{1}, note);
  CHECK(r.steps == 18);
  CHECK(steps == 18);
  CHECK(names.front() == "fooled");
  for (std::size_t i = 0; i < 11; ++i) {
    CHECK(r.forwards_spent[i] == 6);
    CHECK(r.backwards_spent[i] == 6);
  }
  CHECK(climbed(linf{.2f}, {.epochs = 6, .batch = 4}, m, canvas).shared == r.shared);
  CHECK(climbed(linf{.2f}, {.epochs = 6, .batch = 4}, m, canvas, 2).shared != r.shared);
}

TEST_CASE("universal_ascent refuses settings that mean nothing") {
  auto const m = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = of_class_0(m, 2);
  auto const with = [&](universal_ascent const& how) { return climbed(linf{.1f}, how, m, canvas); };
  CHECK_THROWS_WITH_AS(with({.epochs = 0}), doctest::Contains("universal_ascent: epochs is 0"), error);
  CHECK_THROWS_WITH_AS(with({.batch = 0}), doctest::Contains("universal_ascent: batch is 0"), error);
  CHECK_THROWS_WITH_AS(with({.rate = -1}), doctest::Contains("universal_ascent: rate is -1"), error);
  CHECK_THROWS_WITH_AS(with({.momentum = -1}), doctest::Contains("universal_ascent: momentum is -1"), error);
  CHECK_THROWS_WITH_AS(climbed(l2{}, {}, m, canvas), doctest::Contains("without a radius"), error);
}

TEST_CASE("data: the ascent on 100 digits fools LeNet on others") {
  network const net{cpu_engine{}, zoo::lenet5(), read_weights(data_path("models/lenet/lenet_iter_10000"))};
  auto const digits = correctly_classified(
      net, read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz")), 500);
  labelled_images some{filled<float, 4>({100, 1, 28, 28}), {digits.labels.begin(), digits.labels.begin() + 100}};
  std::copy_n(digits.images.data(), some.images.size(), some.images.data());
  attack const a{perturbation{linf{.4f}}, clipped{cross_entropy{}, 9.f}, universal_ascent{.epochs = 20, .batch = 20}};
  auto const r = run(a, net, some, rng{1});
  auto const found = classified(net, shown(a.encoding, r.shared, digits).images);
  std::size_t own = 0, others = 0;
  for (std::size_t i = 0; i < 500; ++i) (i < 100 ? own : others) += found[i] != digits.labels[i];
  MESSAGE(own << " of its own 100, " << others << " of 400 others");
  CHECK(own > 40);
  CHECK(others > 160);
}

TEST_CASE("universal_ascent that is killed at any step ends as if nothing had happened") {
  auto const m = random_planes(4, {1, 3, 4}, 11);
  auto const canvas = random_images(m, 40, 12);
  attack const all{perturbation{linf{.2f}}, cross_entropy{}, universal_ascent{.epochs = 4, .batch = 9}};
  auto const whole = run(all, m, canvas, rng{3});
  for (std::size_t steps : {2u, 3u, 11u}) check_same(run_in_pieces(all, m, canvas, 3, steps), whole);
}
