// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/adversarial_training.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/data.hpp>
#include <support/graphs.hpp>
#include <support/kept_runs.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

// Two classes: the first pixel tells them apart clearly, the second one only just but for every image (Tsipras et al. 2019). Who looks at
// the second is fooled by a change that does not touch the first.
labelled_images robust_and_fragile(std::size_t count, std::uint64_t seed) {
  labelled_images set{filled<float, 4>({count, 1, 1, 2}), std::vector<int>(count)};
  auto stream = rng(seed).stream(0);
  for (std::size_t i = 0; i < count; ++i) {
    set.labels[i] = static_cast<int>(i % 2);
    set.images(i, 0, 0, 0) = .5f + (i % 2 == 1 ? .3f : -.3f) + stream.uniform(-.1f, .1f);
    set.images(i, 0, 0, 1) = .5f + (i % 2 == 1 ? .02f : -.02f);
  }
  return set;
}

graph const line{"line", {1, 1, 2}, {}, {{"ip", layer::inner_product{.outputs = 2}}}};
attack const nudge{perturbation{linf{.06f}}, cross_entropy{}, pgd{.steps = 5}};

weights fragile() {  // looks at the second pixel alone
  return {{{"ip.weight", {{2, 2}, {0, -50, 0, 50}}}, {"ip.bias", {{2}, {25, -25}}}}, {}};
}

}  // namespace

TEST_CASE("a network that looks at a fragile feature learns to look at a robust one") {
  network net{reference_engine<float>{}, line, fragile()};
  auto const set = robust_and_fragile(400, 1), held_out = robust_and_fragile(100, 2);
  REQUIRE(accuracy(net, held_out) == 1);
  REQUIRE(std::ranges::count(run(nudge, net, held_out, rng{3}).success, 1) == 100);
  adversarial_training<> const how{.rounds = 6,
                                   .refreshed = 200,
                                   .pool = 300,
                                   .training = {.rate = .5f, .momentum = .5f, .decay = 0, .batch = 20, .epochs = 20, .schedule = {}}};
  auto const rounds = train(net, nudge, set, held_out, how, rng{4});
  REQUIRE(rounds.size() == 6);
  CHECK(rounds.front().fooled == 1);
  CHECK(rounds.front().distance > 0);
  CHECK(rounds.back().fooled < .1);
  CHECK(rounds.back().accuracy == 1);
  CHECK(std::ranges::count(run(nudge, net, held_out, rng{3}).success, 1) < 10);

  network again{reference_engine<float>{}, line, fragile()};
  auto const same = train(again, nudge, set, held_out, how, rng{4});
  CHECK(same.back().loss == rounds.back().loss);
}

TEST_CASE("a sink ends it in the attack and in the training") {
  auto const set = robust_and_fragile(100, 1);
  adversarial_training<> const how{.rounds = 4, .refreshed = 50, .pool = 50, .training = {.batch = 20, .epochs = 3, .schedule = {}}};
  for (int most : {1, 12}) {
    network net{reference_engine<float>{}, line, fragile()};
    int steps = 0;
    auto const rounds =
        train(net, nudge, set, set, how, rng{4}, [&](step const&) { return ++steps < most ? verdict::go_on : verdict::stop; });
    CHECK(rounds.size() == 1);
    CHECK(steps == most);
  }
}

TEST_CASE("a pool that cannot be refreshed is one sentence") {
  network net{reference_engine<float>{}, line, fragile()};
  auto const set = robust_and_fragile(100, 1);
  for (auto const& [refreshed, pool] : {std::pair{0u, 10u}, {20u, 10u}, {101u, 200u}}) {
    adversarial_training<> const how{.refreshed = refreshed, .pool = pool};
    CHECK_THROWS_WITH_AS(train(net, nudge, set, set, how, rng{4}), doctest::Contains("are to refresh a pool of"), error);
  }
}

TEST_CASE("an adversarial training that is killed or stopped at any step and taken up ends with the same parameters") {
  auto const set = robust_and_fragile(60, 1), held_out = robust_and_fragile(20, 2);
  adversarial_training<> const how{.rounds = 3,
                                   .refreshed = 20,
                                   .pool = 30,
                                   .training = {.rate = .5f, .momentum = .5f, .decay = 0, .batch = 20, .epochs = 2, .schedule = {}}};
  network const start{reference_engine<float>{}, line, fragile()};
  auto const parameters = [](auto const& net) {
    std::vector<float> theta(net.parameters());
    net.read(theta);
    return theta;
  };
  std::size_t steps = 0;
  auto whole = start;
  auto const rounds = train(whole, nudge, set, held_out, how, rng{3}, [&](step const&) { ++steps; });
  REQUIRE(parameters(whole) != parameters(start));

  auto const check = [&](std::vector<adversarial_round> const& found, auto const& net) {
    CHECK(parameters(net) == parameters(whole));
    REQUIRE(found.size() == rounds.size());
    for (std::size_t i = 0; i < rounds.size(); ++i) {
      CHECK(found[i].fooled == rounds[i].fooled);
      CHECK(found[i].distance == rounds[i].distance);
      CHECK(found[i].accuracy == rounds[i].accuracy);
      CHECK(found[i].loss == rounds[i].loss);
    }
  };
  for (std::size_t last = 1; last < steps; ++last) {
    CAPTURE(last);
    memory_keeper kept;
    auto killed = start, resumed = start;
    CHECK_THROWS_AS(train(killed, nudge, set, held_out, how, rng{3}, kept, kill_after{last - 1}), kill_after::killed);
    check(train(resumed, nudge, set, held_out, how, rng{3}, kept), resumed);

    memory_keeper rested{.state = {}, .every = 1000};
    auto stopped = start, again = start;
    train(stopped, nudge, set, held_out, how, rng{3}, rested,
          [left = last](step const&) mutable { return --left == 0 ? verdict::stop : verdict::go_on; });
    check(train(again, nudge, set, held_out, how, rng{3}, rested), again);
  }

  memory_keeper kept;
  auto other = start;
  train(other, nudge, set, held_out, how, rng{3}, kept);
  CHECK_THROWS_WITH_AS(train(other, nudge, held_out, set, how, rng{3}, kept), doctest::Contains("memory: it was made with images = "),
                       error);
}

TEST_CASE("data: adversarial training halves the digits that PGD turns, and costs no accuracy to speak of") {
  network net{cpu_engine{}, zoo::lenet5(), read_weights(data_path("models/lenet/lenet_iter_10000"))};
  auto const all = read_mnist(data_path("mnist/train-images-idx3-ubyte.gz"), data_path("mnist/train-labels-idx1-ubyte.gz"));
  auto const test = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  auto const set = first_images(all, 4000), held_out = first_images(test, 1000);
  attack const a{perturbation{linf{.1f}}, cross_entropy{}, pgd{.steps = 10}};
  double const before = accuracy(net, held_out);
  auto const rounds = train(net, a, set, held_out, adversarial_training<>{.rounds = 4, .refreshed = 1000, .pool = 4000}, rng{1});
  MESSAGE("fooled ", rounds.front().fooled, " -> ", rounds.back().fooled, ", accuracy ", before, " -> ", rounds.back().accuracy);
  CHECK(rounds.back().fooled < .5 * rounds.front().fooled);
  CHECK(rounds.back().accuracy > before - .01);
}
