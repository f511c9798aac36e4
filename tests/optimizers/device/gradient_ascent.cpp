// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/gradient_ascent.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/class_probability.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

#include <utility>

namespace pareidolia_test {

TEST_CASE("gradient_ascent finds in device memory what it finds on the host") {
  using origin = gradient_ascent::origin;
  for (auto [settings, from] : {std::pair{gradient_ascent::decayed(), origin::noise},
                                {gradient_ascent::blurred(), origin::uniform},
                                {gradient_ascent::clipped(), origin::canvas}}) {
    settings.steps = 6;
    settings.from = from;
    check_in_both_memories(attack{perturbation{l2{}}, class_probability{}, settings});
  }
}

}  // namespace pareidolia_test
