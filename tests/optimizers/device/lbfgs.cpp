// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/lbfgs.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/logit.hpp>
#include <pareidolia/objectives/device/margin.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

namespace pareidolia_test {

TEST_CASE("lbfgs finds in device memory what it finds on the host") {
  check_in_both_memories(attack{perturbation{l2{}}, margin{}, lbfgs{.bisections = 1, .steps = 6, .memory = 3}});
}

TEST_CASE("lbfgs climbs an objective to the edge of the box in device memory as on the host") {
  auto sphere = random_planes(4, {3, 4, 5}, 1);
  sphere.curvature = 3;
  check_in_both_memories(attack{perturbation{linf{.2f}}, logit{}, lbfgs{.distortion = 0, .steps = 10}}, sphere);
}

}  // namespace pareidolia_test
