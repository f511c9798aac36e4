// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/device/distortion.hpp>

#include <doctest/doctest.h>

#include <support/device_addend.hpp>

TEST_CASE("distortion is the host's in device memory") { pareidolia_test::check_addend_on_device(pareidolia::distortion{.weight = 3}); }
