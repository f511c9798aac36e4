// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/pgd.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/device/rows.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/cuda.hpp>
#include <support/device.hpp>

#include <cstddef>

// The same attack, seed and model in both memories, in batches that are refilled.

namespace pareidolia_test {

TEST_CASE_TEMPLATE("pgd finds in device memory what it finds on the host", N, linf, l2, l1, l0) {
  if (!has_device()) return;
  static_assert(GradientOptimizer<pgd, perturbation<N>, space::device> && ImagewiseOptimizer<pgd, perturbation<N>, space::device>);
  auto const planes = random_planes(4, {3, 4, 5}, 1);
  auto const canvas = random_images(planes, 13, 2);
  float const radius = std::same_as<N, linf> ? .04f : std::same_as<N, l0> ? 3 : .5f;
  attack const a{perturbation{N{radius}}, cross_entropy{}, pgd{.rate = std::same_as<N, l0> ? .1f : 0, .steps = 12}};
  auto const here = run(a, planes, canvas, rng{3}, batch_size{5}, quantized{});
  auto const there = run(a, as_device_model<plane_model>{planes}, canvas, rng{3}, batch_size{5}, quantized{});
  CHECK(there.success == here.success);
  CHECK(there.labels == here.labels);
  CHECK(there.quantized_success == here.quantized_success);
  CHECK(there.forwards_spent == here.forwards_spent);
  CHECK(there.backwards_spent == here.backwards_spent);
  CHECK(largest_difference(there.images, here.images) < 1e-5f);
  CHECK(largest_difference(there.distances, here.distances) < (std::same_as<N, l0> ? 60 : 1e-4f));
}

}  // namespace pareidolia_test
