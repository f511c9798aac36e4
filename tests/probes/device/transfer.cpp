// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/transfer.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/cuda.hpp>
#include <support/device.hpp>

namespace pareidolia_test {

TEST_CASE("images transfer to a model in device memory as to one on the host") {
  if (!has_device()) return;
  auto const first = random_planes(4, {3, 4, 5}, 1), other = random_planes(4, {3, 4, 5}, 2);
  auto const found = run(attack{perturbation{linf{.08f}}, cross_entropy{}, pgd{.steps = 5}}, first, random_images(first, 13, 2), rng{3});
  transfer const probe{.all = true, .batch = 5};
  auto const here = measure(probe, other, found), there = measure(probe, as_device_model<plane_model>{other}, found);
  CHECK(there.labels == here.labels);
  CHECK(there.counted == here.counted);
  CHECK(there.left == here.left);
  CHECK(there.reached == here.reached);
  CHECK(largest_difference(there.probabilities, here.probabilities) < 1e-6f);
}

}  // namespace pareidolia_test
