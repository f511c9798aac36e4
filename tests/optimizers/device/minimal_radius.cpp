// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/minimal_radius.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

namespace pareidolia_test {

TEST_CASE("minimal_radius finds in device memory what it finds on the host") {
  check_in_both_memories(attack{perturbation{l2{2}}, cross_entropy{}, minimal_radius{4, pgd{.steps = 5, .random_start = false}}});
}

TEST_CASE("sweep finds in device memory what it finds on the host") {
  check_in_both_memories(attack{perturbation{linf{}}, cross_entropy{}, sweep{{.01f, .05f, .1f}, pgd{.steps = 5}}});
}

}  // namespace pareidolia_test
