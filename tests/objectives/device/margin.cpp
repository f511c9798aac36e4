// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/device/margin.hpp>

#include <doctest/doctest.h>

#include <support/device_objective.hpp>

TEST_CASE("the margin is the host's in device memory") { pareidolia_test::check_on_device(pareidolia::margin{}); }
