// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/apgd.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

#include <concepts>

namespace pareidolia_test {

TEST_CASE_TEMPLATE("apgd finds in device memory what it finds on the host", N, linf, l2) {
  check_in_both_memories(attack{perturbation{N{std::same_as<N, linf> ? .04f : .3f}}, cross_entropy{}, apgd{.steps = 15}});
}

}  // namespace pareidolia_test
