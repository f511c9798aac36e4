// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <string>

namespace pareidolia {

/// Colours that stand for values: from dark to light, or from blue over white, which is 0, to red.
enum class palette { sequential, diverging };

/// What the colours of a map mean.
struct heat_scale {
  double low = 0, high = 0;  ///< of the first and the last colour; equal: the least and the greatest value of the map
  palette colours = palette::sequential;
  std::string unit = {};
};

}  // namespace pareidolia
