// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/decoupled_norm.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

namespace pareidolia_test {

TEST_CASE("decoupled_norm finds in device memory what it finds on the host") {
  check_in_both_memories(attack{perturbation{l2{}}, cross_entropy{}, decoupled_norm{.steps = 10}});
}

}  // namespace pareidolia_test
