// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/deepfool.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/device/misclassification.hpp>
#include <pareidolia/objectives/device/opposite.hpp>

#include <doctest/doctest.h>

#include <support/both_memories.hpp>

namespace pareidolia_test {

TEST_CASE_TEMPLATE("deepfool finds in device memory what it finds on the host", N, linf, l2) {
  check_in_both_memories(attack{perturbation{N{}}, misclassification{}, deepfool{}});
  check_in_both_memories(attack{perturbation{N{}}, towards{misclassification{}}, deepfool{}});
}

}  // namespace pareidolia_test
