// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/universal.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/misclassification.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

namespace pareidolia_test {

TEST_CASE("universal finds in device memory what it finds on the host") {
  check_in_both_memories(attack{perturbation{linf{.06f}}, misclassification{}, universal{.passes = 2}});
  check_in_both_memories(attack{perturbation{l2{.4f}}, misclassification{}, universal{.passes = 2, .together = 4}});
}

}  // namespace pareidolia_test
