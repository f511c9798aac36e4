// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/polished.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/encodings/device/cppn.hpp>
#include <pareidolia/encodings/device/pixels.hpp>
#include <pareidolia/objectives/device/class_probability.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/cuda.hpp>
#include <support/device.hpp>

#include <cstddef>

namespace pareidolia_test {
namespace {

using device_model = as_device_model<plane_model>;
static_assert(TargetingOptimizer<polished, pixels, space::device> && TargetingOptimizer<polished, cppn, space::device>);

template <class E>
void check_in_both_memories(E const& encoding) {
  if (!has_device()) return;
  attack const a{encoding, class_probability{}, polished{.inner = {.children = 6, .generations = 2}, .steps = 2}};
  auto const planes = random_planes(5, {3, 6, 7}, 2);
  auto const here = run(a, planes, blank({3, 6, 7}), rng{3}), there = run(a, device_model{planes}, blank({3, 6, 7}), rng{3});
  CHECK(here.steps == 9);
  CHECK(there.backwards == here.backwards);
  REQUIRE(there.births.size() == here.births.size());
  for (std::size_t k = 0; k < here.births.size(); ++k) CHECK(there.births[k].id == here.births[k].id);
  CHECK(largest_difference(there.images, here.images) < 1e-4f);
  CHECK(largest_difference(there.values, here.values) < 1e-4f);
}

}  // namespace

TEST_CASE("children climb on a device as on the host") {
  check_in_both_memories(pixels{.levels = 0});
  check_in_both_memories(cppn{.levels = 0});
}

}  // namespace pareidolia_test
