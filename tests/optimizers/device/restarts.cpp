// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/restarts.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

namespace pareidolia_test {

TEST_CASE("restarts find in device memory what they find on the host") {
  check_in_both_memories(attack{perturbation{linf{.03f}}, cross_entropy{}, restarts{3, pgd{.steps = 2}}});
}

}  // namespace pareidolia_test
