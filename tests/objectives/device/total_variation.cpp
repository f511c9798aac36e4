// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/device/total_variation.hpp>

#include <pareidolia/objectives/device/cross_entropy.hpp>
#include <pareidolia/objectives/device/distortion.hpp>
#include <pareidolia/objectives/penalised.hpp>

#include <doctest/doctest.h>

#include <support/device_addend.hpp>

using namespace pareidolia;

using sum = penalised<penalised<cross_entropy, distortion>, total_variation>;
static_assert(ImageObjective<sum, space::device> && DifferentiableObjective<sum, space::device>);

TEST_CASE("total variation, alone and in a sum, is the host's in device memory") {
  pareidolia_test::check_addend_on_device(total_variation{.weight = 3, .smoothing = .1f});
  pareidolia_test::check_addend_on_device(cross_entropy{} + distortion{.weight = 2} + total_variation{});
}
