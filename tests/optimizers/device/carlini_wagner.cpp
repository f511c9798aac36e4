// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/carlini_wagner.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/margin.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

namespace pareidolia_test {

TEST_CASE("carlini_wagner finds in device memory what it finds on the host") {
  check_in_both_memories(attack{perturbation{l2{}}, margin{}, carlini_wagner{.steps = 10, .searches = 4}});
}

}  // namespace pareidolia_test
