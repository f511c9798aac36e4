// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/transfer.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("what fools a model fools itself, whatever the batch") {
  auto const planes = random_planes(4, {1, 3, 4}, 1);
  auto const found = run(attack{perturbation{linf{.08f}}, cross_entropy{}, pgd{}}, planes, random_images(planes, 20, 2), rng{3});
  auto const fooled = static_cast<std::size_t>(std::ranges::count(found.success, 1));
  REQUIRE(fooled > 0);
  REQUIRE(fooled < 20);
  for (std::size_t batch : {1u, 7u, 64u}) {
    auto const itself = measure(transfer{.batch = batch}, planes, found);
    CHECK(itself.labels == found.labels);
    CHECK(itself.counted == fooled);
    CHECK(itself.left == 1);
    CHECK(itself.reached == 1);
  }
  auto const all = measure(transfer{.all = true}, planes, found);
  CHECK(all.counted == 20);
  CHECK(all.left == doctest::Approx(static_cast<double>(fooled) / 20));
  CHECK(all.reached == 1);
}

TEST_CASE("a model of other classes shares what is shared") {
  auto const planes = random_planes(3, {1, 3, 4}, 4);
  auto turned = planes;  // sees class k + 1 where the other sees k
  std::rotate(turned.w.begin(), turned.w.begin() + 2, turned.w.end());
  std::rotate(turned.b.begin(), turned.b.begin() + 2, turned.b.end());
  auto const found = run(attack{perturbation{linf{.3f}}, cross_entropy{}, pgd{}}, planes, random_images(planes, 12, 5), rng{3});
  auto const other = measure(transfer{}, turned, found);
  std::size_t left = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    CHECK(other.labels[i] == (found.labels[i] + 1) % 3);
    left += found.success[i] != 0 && other.labels[i] != found.before[i];
  }
  CHECK(other.reached == 0);
  CHECK(other.left == doctest::Approx(static_cast<double>(left) / static_cast<double>(other.counted)));
  double sum = 0;  // the probability is that of the class the first model sees
  for (std::size_t k = 0; k < 3; ++k) sum += std::exp(turned.score(k, as_view(found.images).row(0)));
  CHECK(
      other.probabilities[0] ==
      doctest::Approx(std::exp(turned.score(static_cast<std::size_t>(found.labels[0]), as_view(found.images).row(0))) / sum).epsilon(1e-4));
}

TEST_CASE("a model with another number of classes is one sentence") {
  auto const planes = random_planes(3, {1, 3, 4}, 6), more = random_planes(4, {1, 3, 4}, 6);
  auto const found = run(attack{perturbation{linf{.1f}}, cross_entropy{}, pgd{}}, planes, random_images(planes, 2, 7), rng{3});
  CHECK_THROWS_WITH_AS(measure(transfer{}, more, found), doctest::Contains("found for 3 classes, the other model has 4"), error);
}
