// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/fourier.hpp>

#include <pareidolia/objectives/device/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

namespace pareidolia_test {

static_assert(NormedEncoding<fourier, space::device>);

TEST_CASE("smooth perturbations are in device memory what they are on the host") {
  check_in_both_memories(attack{fourier{3, {.5f}}, cross_entropy{}, pgd{.steps = 6}});
}

}  // namespace pareidolia_test
