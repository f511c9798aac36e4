// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/device/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <support/device_objective.hpp>

TEST_CASE("cross entropy is the host's in device memory") { pareidolia_test::check_on_device(pareidolia::cross_entropy{}); }
