// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/momentum.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

namespace pareidolia_test {

TEST_CASE("momentum finds in device memory what it finds on the host") {
  check_in_both_memories(attack{perturbation{l2{.3f}}, cross_entropy{}, momentum{.9f, pgd{.steps = 6}}});
}

}  // namespace pareidolia_test
