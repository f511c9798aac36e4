// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/universal_ascent.hpp>

#include <pareidolia/encodings/fourier.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/clipped.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

namespace pareidolia_test {

TEST_CASE("universal_ascent finds in device memory what it finds on the host") {
  check_in_both_memories(attack{perturbation{linf{.06f}}, clipped{cross_entropy{}, 3.f}, universal_ascent{.epochs = 2, .batch = 5}});
  check_in_both_memories(attack{fourier{3, {.4f}}, cross_entropy{}, universal_ascent{.epochs = 2, .batch = 5}});
}

}  // namespace pareidolia_test
