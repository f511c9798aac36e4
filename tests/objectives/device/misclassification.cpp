// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/device/misclassification.hpp>

#include <doctest/doctest.h>

#include <support/device_objective.hpp>

TEST_CASE("misclassification is the host's in device memory") { pareidolia_test::check_on_device(pareidolia::misclassification{}); }
