// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/device/opposite.hpp>

#include <pareidolia/objectives/device/class_probability.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <support/device_objective.hpp>

using namespace pareidolia;

static_assert(DifferentiableObjective<towards<cross_entropy>, space::device>);
static_assert(ClasswiseObjective<away_from<class_probability>, space::device>);

TEST_CASE("objectives are turned round in device memory as on the host") {
  pareidolia_test::check_on_device(towards{cross_entropy{}});
  pareidolia_test::check_on_device(away_from{class_probability{}});
}
