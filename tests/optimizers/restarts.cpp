// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/restarts.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/objectives/misclassification.hpp>
#include <pareidolia/optimizers/deepfool.hpp>
#include <pareidolia/optimizers/momentum.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// A random place in the ball and one step of no account: what is found depends on the draw alone.
constexpr pgd guess{.rate = 1e-6f, .steps = 1};

}  // namespace

TEST_CASE("an image begins again until it succeeds or the attempts are used up, each time elsewhere") {
  auto const planes = random_planes(5, {1, 3, 4}, 6);
  auto const canvas = random_images(planes, 40, 7);
  auto const with = [&](std::size_t attempts, std::size_t batch = 64) {
    return run(attack{perturbation{linf{.1f}}, cross_entropy{}, restarts{attempts, guess}}, planes, canvas, rng{8}, batch_size{batch});
  };
  auto const one = with(1), five = with(5), twenty = with(20);
  auto const plain = run(attack{perturbation{linf{.1f}}, cross_entropy{}, guess}, planes, canvas, rng{8});
  CHECK(one.images == plain.images);
  CHECK(one.forwards_spent == plain.forwards_spent);
  auto const count = [](outcome const& r) { return std::ranges::count(r.success, 1); };
  CHECK(count(one) < count(five));
  CHECK(count(five) < count(twenty));
  CHECK(count(twenty) < 40);
  std::size_t better = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK_UNARY(five.success[i] >= one.success[i]);
    if (one.success[i]) CHECK(five.forwards_spent[i] == one.forwards_spent[i]);
    if (!five.success[i]) {
      CHECK(five.forwards_spent[i] == 10);
      CHECK(five.values[i] >= one.values[i]);
      CHECK(twenty.values[i] >= five.values[i]);
      better += twenty.values[i] > one.values[i];
    }
  }
  CHECK(better > 10);  // since draws differ by attempt
  for (std::size_t batch : {1u, 3u}) {
    auto const some = with(5, batch);
    CHECK(some.images == five.images);
    CHECK(some.forwards_spent == five.forwards_spent);
  }
}

TEST_CASE("restarts of restarts draw anew each time") {
  auto const planes = random_planes(2, {1, 3, 4}, 6);
  auto const canvas = random_images(planes, 1, 7);
  auto const value = [&](auto const& optimizer) {
    return run(attack{perturbation{linf{1e-3f}}, cross_entropy{}, optimizer}, planes, canvas, rng{8});
  };
  auto const nested = value(restarts{6, restarts{6, guess}});
  CHECK(nested.forwards_spent[0] == 72);
  CHECK(nested.values[0] > value(restarts{6, guess}).values[0]);
  CHECK(value(restarts{6, momentum{.9f, guess}}).forwards_spent[0] == 12);
}

TEST_CASE("a search that wants rows of the Jacobian is given them through an adaptor") {
  auto const planes = random_planes(4, {1, 3, 4}, 6);
  auto const canvas = random_images(planes, 5, 7);
  auto const with = [&](auto const& optimizer) {
    return run(attack{perturbation{l2{}}, misclassification{}, optimizer}, planes, canvas, rng{8});
  };
  auto const plain = with(deepfool{}), again = with(restarts{3, deepfool{}});
  CHECK(std::ranges::count(plain.success, 1) == 5);
  CHECK(again.images == plain.images);
  CHECK(again.backwards_spent == plain.backwards_spent);
}

TEST_CASE("restarts refuses no attempts") {
  auto const planes = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 1, 2);
  CHECK_THROWS_WITH_AS(run(attack{perturbation{linf{.1f}}, cross_entropy{}, restarts{0, pgd{}}}, planes, canvas, rng{1}),
                       doctest::Contains("attempts is 0"), error);
}
