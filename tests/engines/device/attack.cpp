// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/engines/cuda.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>
#include <support/gentle_ascent.hpp>

#include <cstddef>

// An attack does not change by one character when the engine does.

namespace pareidolia_test {
namespace {

template <class A>
void check_same_winners(A const& a, labelled_images const& canvas) {
  weights const w = xavier(zoo::lenet5(), rng(3));
  network const here{reference_engine<float>{}, zoo::lenet5(), w};
  network const there{cuda_engine{}, zoo::lenet5(), w};
  auto const expected = run(a, here, canvas, rng(4)), found = run(a, there, canvas, rng(4));
  CHECK(found.labels == expected.labels);
  CHECK(found.success == expected.success);
  CHECK(found.model == expected.model);
  CHECK(largest_difference(found.values, expected.values) < 1e-3f);
  CHECK(largest_difference(found.scores, expected.scores) < 1e-2f);
}

}  // namespace

TEST_CASE("MAP-Elites finds on a network of the cuda engine the winners of the reference engine") {
  if (!has_device()) return;
  auto const canvas = blank({1, 28, 28});
  check_same_winners(attack{pixels{}, class_probability{}, map_elites{.children = 10, .generations = 3}}, canvas);
  check_same_winners(attack{cppn{}, class_probability{}, map_elites{.children = 10, .generations = 3}}, canvas);
}

TEST_CASE("a gradient search climbs on a network of the cuda engine as on one of the reference engine") {
  if (!has_device()) return;
  labelled_images const canvas{random_values<4>({2, 1, 28, 28}, 5), {1, 7}};
  check_same_winners(attack{pixels{.levels = 0}, class_probability{}, gentle_ascent{}}, canvas);
  check_same_winners(attack{pixels{.levels = 0}, cross_entropy{}, gentle_ascent{.genotypes = 1}}, canvas);
}

}  // namespace pareidolia_test
