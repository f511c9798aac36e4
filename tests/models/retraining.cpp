// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/retraining.hpp>

#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/checkpoint.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/models/extended.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <doctest/doctest.h>

#include <support/data.hpp>
#include <support/graphs.hpp>
#include <support/kept_runs.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// Three classes: which of the three columns is the brightest.
labelled_images columns(std::size_t count, std::uint64_t seed) {
  labelled_images set{random_uniform<float, 4>({count, 1, 2, 3}, seed), std::vector<int>(count)};
  for (std::size_t i = 0; i < count; ++i) {
    set.labels[i] = static_cast<int>(i % 3);
    for (std::size_t row : {0u, 1u}) set.images(i, 0, row, i % 3) = std::min(1.f, set.images(i, 0, row, i % 3) + .7f);
  }
  return set;
}

auto const make = [](std::size_t round, rng const& r) {
  graph const g{"columns", {1, 2, 3}, {}, {{"ip", layer::inner_product{.outputs = 3}}}};
  extended_network net{g, xavier(g, r.fork(0))};
  if (round > 0) net = extended(net.structure, net.parameters, r.fork(1));
  return network{cpu_engine{}, net.structure, net.parameters};
};

attack const fool{pixels{}, class_probability{}, map_elites{.children = 8, .generations = 3}};

retraining<constant_rate> small(std::size_t rounds) {
  return {.rounds = rounds,
          .runs = 2,
          .first_added = 20,
          .added = 10,
          .training = {.rate = .5f, .decay = 0, .batch = 10, .epochs = 2, .schedule = {}}};
}

auto const images = columns(60, 1), held_out = columns(30, 2);

template <class... Extras>
std::vector<retraining_round> retrained(retraining<constant_rate> const& how, Extras&&... extras) {
  return retrain(make, fool, images, held_out, how, rng{7}, extras...);
}

bool same(std::vector<retraining_round> const& a, std::vector<retraining_round> const& b) {
  return std::ranges::equal(a, b, [](retraining_round const& x, retraining_round const& y) {
    return x.images == y.images && x.accuracy == y.accuracy && x.loss == y.loss && x.initial == y.initial && x.evolved == y.evolved &&
           x.noticed == y.noticed && x.champions == y.champions && x.theta == y.theta;
  });
}

}  // namespace

TEST_CASE("each network is trained on what fooled those before it, as a class of its own") {
  auto const rounds = retrained(small(3));
  REQUIRE(rounds.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    auto const& r = rounds[i];
    CAPTURE(i);
    CHECK(r.images == std::vector<std::size_t>{60, 80, 90}[i]);
    CHECK(r.theta.size() == (i == 0 ? 21u : 28u));
    if (i == 0) CHECK(r.accuracy > .8);
    REQUIRE(r.evolved.size() == 6);
    REQUIRE(r.initial.size() == 6);
    CHECK(r.champions.shape()[0] == 3);
    for (std::size_t k = 0; k < 6; ++k) CHECK(r.initial[k] <= r.evolved[k]);
    CHECK(r.median() > r.initial_median());

    // The champions of the first run are worth what is said, for the classes 0, 1 and 2, to the network with these parameters.
    auto net = make(i, rng{1});
    net.write(r.theta);
    auto workspace = net.prepare(3);
    auto y = filled<float, 2>({3, net.classes()}), v = y;
    net.forward(as_view(std::as_const(r.champions)), as_view(y), workspace);
    class_probability{}.values(as_view(std::as_const(y)), as_view(v));
    for (std::size_t k = 0; k < 3; ++k) CHECK(v(k, k) == doctest::Approx(r.evolved[k]));
  }
  CHECK(rounds[0].noticed == 0);
  CHECK(same(retrained(small(3)), rounds));
  CHECK(same(retrained(small(2)), {rounds.begin(), rounds.begin() + 2}));  // the beginning of a longer one
}

TEST_CASE("the new class has equally many of each image of the pool, from the first generation and from the last") {
  // A network of one weight for each pixel sees in its gradient what it was trained on: so look at the images themselves, by a keeper.
  memory_keeper kept;
  auto how = small(1);
  how.first_added = 30;  // of a pool of 2 runs x 2 generations x 3 classes
  auto const rounds = retrained(how, kept);
  auto const& added = kept.state->arrays.at("added");
  auto const& pool = kept.state->arrays.at("pool");
  REQUIRE(added.shape == std::vector<std::size_t>{30, 1, 2, 3});
  REQUIRE(pool.shape == std::vector<std::size_t>{12, 1, 2, 3});
  auto const image = [](state_array const& a, std::size_t i) {
    return std::vector<std::byte>(a.bytes.begin() + static_cast<std::ptrdiff_t>(24 * i),
                                  a.bytes.begin() + static_cast<std::ptrdiff_t>(24 * i + 24));
  };
  for (std::size_t i = 0; i < 12; ++i) {
    std::size_t copies = 0, twins = 0;
    for (std::size_t k = 0; k < 30; ++k) copies += image(added, k) == image(pool, i);
    for (std::size_t k = 0; k < 12; ++k) twins += image(pool, k) == image(pool, i);
    CHECK(copies >= 2 * twins);  // 30 / 12 of each
    CHECK(copies <= 3 * twins);
  }
  auto const* const champions = reinterpret_cast<std::byte const*>(rounds[0].champions.data());
  CHECK(std::equal(champions, champions + 72, pool.bytes.begin() + 72));  // behind the first generation's
}

TEST_CASE("killed at any step, it ends with the same bytes") {
  history undisturbed;
  auto const rounds = retrained(small(2), recorder{undisturbed});
  std::size_t const steps = undisturbed.rows.size();
  CHECK(steps == 2 * (6 + 8) + 2 * 2 * 4);
  for (std::size_t last = 1; last < steps; ++last) {
    CAPTURE(last);
    memory_keeper kept;
    history log;
    CHECK_THROWS_AS((void)retrained(small(2), recorder{log}, kept, kill_after{last - 1}), kill_after::killed);
    history again;
    auto const resumed = retrained(small(2), recorder{again}, kept);
    CHECK(same(resumed, rounds));
    CHECK(again.rows.size() == steps);
    CHECK(again.steps == undisturbed.steps);
    CHECK(again.column("median") == undisturbed.column("median"));
  }
}

TEST_CASE("a sink ends it, and it goes on; given more rounds it goes on, too") {
  memory_keeper kept;
  auto const stop_at = [](std::size_t last) {
    return [last](step const& now) { return now.where.step == last ? verdict::stop : verdict::go_on; };
  };
  CHECK(retrained(small(1), kept, stop_at(7)).empty());       // in the training
  auto const begun = retrained(small(1), kept, stop_at(18));  // in the second run
  REQUIRE(begun.size() == 1);
  CHECK(begun[0].evolved.size() == 3);
  CHECK(same(retrained(small(1), kept), retrained(small(1))));
  CHECK(same(retrained(small(3), kept), retrained(small(3))));
}

TEST_CASE("its steps are counted over all parts, with figures of the same names") {
  history log;
  std::vector<std::size_t> all;
  auto const rounds = retrained(small(2), recorder{log}, [&](step const& now) { all.push_back(now.where.steps); });
  CHECK(log.names == std::vector<std::string>{"round", "run", "accuracy", "median"});
  std::vector<std::size_t> expected(log.steps.size());
  std::iota(expected.begin(), expected.end(), std::size_t{1});
  CHECK(log.steps == expected);
  CHECK(std::ranges::count(all, expected.size()) == static_cast<std::ptrdiff_t>(expected.size()));
  CHECK(log.rows.front()[1] == 0);
  CHECK(log.rows.back()[0] == 2);
  CHECK(log.rows.back()[1] == 2);
  CHECK(log.rows.back()[2] == rounds.back().accuracy);
}

TEST_CASE("what cannot be retrained, or taken up, is one sentence") {
  auto how = small(1);
  how.runs = 0;
  CHECK_THROWS_WITH_AS((void)retrained(how), "retraining: 1 rounds of 0 runs: nothing to do; give at least 1 each", error);
  auto const always_three = [](std::size_t, rng const& r) { return make(0, r); };
  CHECK_THROWS_WITH_AS((void)retrain(always_three, fool, images, held_out, small(2), rng{7}),
                       doctest::Contains("gave a network of 3 classes, not 4"), error);
  memory_keeper kept;
  (void)retrained(small(1), kept);
  auto other = small(1);
  other.training.rate = .25f;
  CHECK_THROWS_WITH_AS((void)retrained(other, kept), doctest::Contains("it was made with sgd.rate = 0.5, this run has 0.25"), error);
  CHECK_THROWS_WITH_AS((void)retrain(make, fool, columns(61, 1), held_out, small(1), rng{7}, kept),
                       doctest::Contains("it was made with images"), error);
  attack const noisier{pixels{.rate = .5f}, class_probability{}, fool.optimizer};
  CHECK_THROWS_WITH_AS((void)retrain(make, noisier, images, held_out, small(2), rng{7}, kept),
                       doctest::Contains("it was made with encoding/"), error);
}

TEST_CASE("data: what fools LeNet at first no longer does when it has learned it, and evolution fools it all the same") {
  auto const train_set = read_mnist(data_path("mnist/train-images-idx3-ubyte.gz"), data_path("mnist/train-labels-idx1-ubyte.gz"));
  auto const test_set = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  auto const lenet = [](std::size_t round, rng const& r) {
    extended_network net{zoo::lenet5(), xavier(zoo::lenet5(), r.fork(0))};
    if (round > 0) net = extended(net.structure, net.parameters, r.fork(1));
    return network{cpu_engine{}, net.structure, net.parameters};
  };
  attack const dream{cppn{}, class_probability{}, map_elites{.children = 100, .generations = 40}};
  retraining<> const how{.rounds = 2, .runs = 2, .first_added = 1000, .added = 0, .training = {.epochs = 2}};
  auto const rounds = retrain(lenet, dream, first_images(train_set, 8000), first_images(test_set, 1000), how, rng{1});
  REQUIRE(rounds.size() == 2);
  MESSAGE("initial ", rounds[0].initial_median(), " -> ", rounds[1].initial_median(), ", evolved ", rounds[0].median(), " -> ",
          rounds[1].median(), ", accuracy ", rounds[0].accuracy, " -> ", rounds[1].accuracy);
  CHECK(rounds[0].initial_median() > .3);
  CHECK(rounds[1].initial_median() < .5 * rounds[0].initial_median());
  CHECK(rounds[0].median() > .99);
  CHECK(rounds[1].median() > .9);
  CHECK(rounds[1].accuracy > .9);
}
