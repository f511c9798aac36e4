// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/io/png.hpp>

#include <algorithm>
#include <cstddef>

namespace pareidolia::detail {

/// Images side by side, about as wide as a page where they are small.
[[nodiscard]] inline tensor<float, 3> strip_of(tensor<float, 4> const& images) {
  auto const& s = images.shape();
  std::size_t const scale = std::max<std::size_t>(1, 960 / (s[0] * s[3]));
  return contact_sheet(as_view(images), s[0], scale > 1 ? 4 : 2, scale);
}

}  // namespace pareidolia::detail
