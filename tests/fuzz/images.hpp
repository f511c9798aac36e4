// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/tensor.hpp>

#include <algorithm>

#include "fuzz.hpp"

namespace pareidolia_test {

/// What every loader of images promises of their values.
template <class Tensor>
bool are_pixels(Tensor const& x) {
  return std::all_of(x.data(), x.data() + x.size(), [](float v) { return v >= 0 && v <= 1; });
}

/// And of the sets of ten classes.
inline bool are_labelled(pareidolia::labelled_images const& set) {
  return set.labels.size() == set.size() && are_pixels(set.images) &&
         std::all_of(set.labels.begin(), set.labels.end(), [](int label) { return label >= 0 && label <= 9; });
}

}  // namespace pareidolia_test
