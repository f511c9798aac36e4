// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/training.hpp>
#include <pareidolia/models/zoo.hpp>

#include "support/data.hpp"
#include "support/graphs.hpp"
#include "support/kept_runs.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// Two classes that a line separates: is the left or the right pixel the brighter.
labelled_images brighter_side(std::size_t count, std::uint64_t seed) {
  labelled_images set{random_uniform<float, 4>({count, 1, 1, 2}, seed), std::vector<int>(count)};
  for (std::size_t i = 0; i < count; ++i) set.labels[i] = set.images(i, 0, 0, 1) > set.images(i, 0, 0, 0);
  return set;
}

graph const line{"line", {1, 1, 2}, {}, {{"ip", layer::inner_product{.outputs = 2}}}};

}  // namespace

TEST_CASE("schedules give the published factors") {
  CHECK(constant_rate{}(1000) == 1.f);
  CHECK(inverse_decay{}(0) == 1.f);
  CHECK(inverse_decay{}(10'000) == doctest::Approx(std::pow(2., -.75)));
  CHECK(step_decay{.factor = .5f, .every = 10}(9) == 1.f);
  CHECK(step_decay{.factor = .5f, .every = 10}(20) == .25f);
}

TEST_CASE("one step is momentum SGD with weight decay on the mean cross entropy") {
  network net{reference_engine<double>{}, line, random_weights(line, 1)};
  auto const before = net.to_weights();
  auto const set = brighter_side(4, 2);
  sgd<constant_rate> const how{.rate = .5f, .momentum = .9f, .decay = .1f, .batch = 4, .epochs = 2};
  train(net, set, set, how, rng{3});

  // The same by hand, in double: two epochs of one full batch; the order within a batch does not matter.
  std::vector<double> theta, velocity(6, 0);
  for (char const* name : {"ip.weight", "ip.bias"})
    for (float v : before.parameters.at(name).values) theta.push_back(double{v});
  for (int epoch = 0; epoch < 2; ++epoch) {
    std::vector<double> gradient(6, 0);
    for (std::size_t i = 0; i < 4; ++i) {
      double const x[] = {double{set.images(i, 0, 0, 0)}, double{set.images(i, 0, 0, 1)}};
      double p[2], sum = 0;
      for (std::size_t k : {0u, 1u}) sum += p[k] = std::exp(theta[2 * k] * x[0] + theta[2 * k + 1] * x[1] + theta[4 + k]);
      for (std::size_t k : {0u, 1u}) {
        double const d = (p[k] / sum - (set.labels[i] == static_cast<int>(k))) / 4;
        gradient[2 * k] += d * x[0];
        gradient[2 * k + 1] += d * x[1];
        gradient[4 + k] += d;
      }
    }
    for (std::size_t j = 0; j < 6; ++j) {
      velocity[j] = .9 * velocity[j] + .5 * (gradient[j] + .1 * theta[j]);
      theta[j] -= velocity[j];
    }
  }
  std::vector<float> got(6);
  net.read(got);
  for (std::size_t j = 0; j < 6; ++j) CHECK(double{got[j]} == doctest::Approx(theta[j]).epsilon(1e-5));
}

TEST_CASE("a parameter may have a decay of its own") {
  auto const set = brighter_side(4, 2);
  auto const trained = [&](sgd<constant_rate> const& how) {
    network net{reference_engine<double>{}, line, random_weights(line, 1)};
    train(net, set, set, how, rng{3});
    std::vector<float> theta(6);
    net.read(theta);
    return theta;
  };
  sgd<constant_rate> how{.rate = .5f, .decay = .1f, .batch = 4, .epochs = 1};
  std::vector<float> const before = [] {
    std::vector<float> theta(6);
    network{reference_engine<double>{}, line, random_weights(line, 1)}.read(theta);
    return theta;
  }();
  auto const all = trained(how);
  how.decays = std::vector<float>(6, .1f);
  CHECK(trained(how) == all);
  how.decays = {0, .1f, 0, 0, 0, .2f};
  auto const own = trained(how);
  for (std::size_t j = 0; j < 6; ++j)
    CHECK(double{own[j]} == doctest::Approx(double{all[j]} + .5 * (.1 - double{how.decays[j]}) * double{before[j]}));
}

TEST_CASE("training learns what a line separates, tells its sinks, and stops when one says so") {
  auto const set = brighter_side(512, 1), held_out = brighter_side(256, 2);
  network net{cpu_engine{}, line, xavier(line, rng{1})};
  history log;
  sgd<constant_rate> const how{.rate = .5f, .decay = 0, .batch = 32, .epochs = 20};
  auto const result = train(net, set, held_out, how, rng{2}, recorder{log});
  CHECK(result.accuracy > .97);
  CHECK(result.complete);
  CHECK(result.steps == 320);
  CHECK(log.names == std::vector<std::string>{"epoch", "loss", "accuracy"});
  CHECK(log.rows.size() == 320);
  CHECK(log.column("epoch").back() == 20);
  CHECK(log.column("loss").back() < log.column("loss").front());
  CHECK(log.column("accuracy").back() == result.accuracy);

  network stopped{cpu_engine{}, line, xavier(line, rng{1})};
  auto const early =
      train(stopped, set, held_out, how, rng{2}, [](step const& now) { return now.where.step == 7 ? verdict::stop : verdict::go_on; });
  CHECK(!early.complete);
  CHECK(early.steps == 7);
  CHECK(early.accuracy == accuracy(stopped, held_out));
}

TEST_CASE("the same seed trains the same network, whatever the number of threads") {
  auto const set = brighter_side(128, 1);
  auto const trained = [&](int threads, std::uint64_t seed) {
    int const former = omp_get_max_threads();
    omp_set_num_threads(threads);
    network net{cpu_engine{}, line, xavier(line, rng{1})};
    train(net, set, set, sgd<>{.batch = 32, .epochs = 2}, rng{seed});
    omp_set_num_threads(former);
    return net.fingerprint();
  };
  CHECK(trained(1, 5) == trained(2, 5));
  CHECK(trained(1, 5) != trained(1, 6));
}

TEST_CASE("a training that is killed at any step and taken up ends with the same bytes") {
  auto const set = brighter_side(50, 1), held_out = brighter_side(20, 2);  // 6 batches and a part of one
  sgd<inverse_decay> const how{.rate = .5f, .batch = 8, .epochs = 2, .schedule = {.gamma = .1f}};
  auto const untrained = [] { return network{cpu_engine{}, line, xavier(line, rng{1})}; };
  auto undisturbed = untrained();
  auto const result = train(undisturbed, set, held_out, how, rng{2});
  for (std::size_t last = 1; last <= 12; ++last) {
    CAPTURE(last);
    memory_keeper kept;
    auto first = untrained(), second = untrained();
    CHECK_THROWS_AS(train(first, set, held_out, how, rng{2}, kept, kill_after{last - 1}), kill_after::killed);
    auto const resumed = train(second, set, held_out, how, rng{2}, kept);
    CHECK(second.fingerprint() == undisturbed.fingerprint());
    CHECK(resumed.accuracy == result.accuracy);
    CHECK(resumed.loss == result.loss);
    CHECK(resumed.steps == 12);
    CHECK(resumed.complete);
  }
}

TEST_CASE("a training that ended goes on if it is given more epochs, and one of another kind is refused") {
  auto const set = brighter_side(48, 1);
  sgd<inverse_decay> how{.rate = .5f, .batch = 8, .epochs = 3};
  auto const untrained = [] { return network{cpu_engine{}, line, xavier(line, rng{1})}; };
  auto longer = untrained(), begun = untrained(), further = untrained();
  auto const result = train(longer, set, set, how, rng{2});
  memory_keeper kept;
  how.epochs = 1;
  train(begun, set, set, how, rng{2}, kept);
  how.epochs = 3;
  auto const state = kept.state;
  CHECK(train(further, set, set, how, rng{2}, kept).loss == result.loss);
  CHECK(further.fingerprint() == longer.fingerprint());

  auto const refused = [&](labelled_images const& images, sgd<inverse_decay> const& other, rng const& random, char const* message) {
    auto net = untrained();
    kept.state = state;
    CHECK_THROWS_WITH_AS(train(net, images, set, other, random, kept), doctest::Contains(message), error);
  };
  refused(set, how, rng{3}, "made with seed = 2, this run has 3");
  refused(brighter_side(48, 9), how, rng{2}, "made with images = ");
  auto other = how;
  other.schedule.power = .5f;
  refused(set, other, rng{2}, "made with inverse_decay.power = 0.75, this run has 0.5");
  other = how;
  other.decays = {0, 0, 0, 0, 0, 0};
  refused(set, other, rng{2}, "made with sgd.decays = ");
  kept.state = state;
  CHECK_THROWS_WITH_AS(train(longer, set, set, how, rng{2}, kept), doctest::Contains("made with model = "), error);
}

TEST_CASE("training refuses what cannot be trained, in a sentence") {
  auto const set = brighter_side(16, 1);
  network net{cpu_engine{}, line, xavier(line, rng{1})};
  auto const refused = [&](labelled_images const& images, sgd<> const& how, char const* message) {
    CHECK_THROWS_WITH_AS(train(net, images, set, how, rng{1}), doctest::Contains(message), error);
  };
  refused(set, {.batch = 17}, "16 images, batches of 17");
  refused(set, {.batch = 0}, "batches of 0");
  auto bad = set;
  bad.labels[3] = 2;
  refused(bad, {.batch = 4}, "a label is 2; the model's classes are 0 to 1");
  bad.labels.pop_back();
  refused(bad, {.batch = 4}, "16 images but 15 labels");
  refused(set, {.batch = 4, .decays = {0, 0, 0}}, "3 decays for 6 parameters; give one for each or none");
  refused(set, {.rate = 1e30f, .batch = 4, .epochs = 5}, "lower the rate");
  CHECK_THROWS_WITH_AS((void)accuracy(net, bad), doctest::Contains("16 images and 15 labels"), error);
}

TEST_CASE("data: LeNet learns MNIST: over 96 % after 300 steps") {
  auto digits = read_mnist(data_path("mnist/train-images-idx3-ubyte.gz"), data_path("mnist/train-labels-idx1-ubyte.gz"));
  auto const held_out = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  network lenet{cpu_engine{}, zoo::lenet5(), xavier(zoo::lenet5(), rng{1})};
  auto const result = train(lenet, digits, held_out, sgd<>{.epochs = 1}, rng{2},
                            [](step const& now) { return now.where.step == 300 ? verdict::stop : verdict::go_on; });
  CHECK(result.accuracy > .96);
}
