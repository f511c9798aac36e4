// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/device/filters.hpp>
#include <pareidolia/core/device/rows.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/core/device/storage.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/cuda.hpp>
#include <support/device.hpp>

#include <cstddef>

namespace pareidolia_test {

/// The same attack, seed and model in both memories, in batches that are refilled, gives the same up to rounding.
template <class A>
void check_in_both_memories(A const& a, plane_model const& planes = random_planes(4, {3, 4, 5}, 1), float tolerance = 1e-4f) {
  if (!has_device()) return;
  using device_model = as_device_model<plane_model>;
  static_assert(RunsOn<A, device_model>);
  auto const canvas = random_images(planes, 13, 2);
  auto const here = run(a, planes, canvas, rng{3}, batch_size{5});
  auto const there = run(a, device_model{planes}, canvas, rng{3}, batch_size{5});
  CHECK(there.success == here.success);
  CHECK(there.labels == here.labels);
  CHECK(there.forwards_spent == here.forwards_spent);
  CHECK(there.backwards_spent == here.backwards_spent);
  CHECK(largest_difference(there.images, here.images) < tolerance);
  CHECK(largest_difference(there.shared, here.shared) < tolerance);
}

}  // namespace pareidolia_test
