// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/models/weights.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "fuzz.hpp"

namespace pareidolia_test {

/// What every loader promises of an array: as many values as the shape says, all of them finite.
inline bool is_whole(pareidolia::parameter const& array) {
  return std::accumulate(array.shape.begin(), array.shape.end(), std::size_t{1}, std::multiplies{}) == array.values.size() &&
         std::all_of(array.values.begin(), array.values.end(), [](float v) { return std::isfinite(v); });
}
inline bool are_whole(pareidolia::weights const& w) {
  return std::all_of(w.parameters.begin(), w.parameters.end(), [](auto const& named) { return is_whole(named.second); });
}

}  // namespace pareidolia_test
