// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/device/class_probability.hpp>

#include <doctest/doctest.h>

#include <support/device_objective.hpp>

TEST_CASE("the probability of the target is the host's in device memory") {
  pareidolia_test::check_on_device(pareidolia::class_probability{});
}
