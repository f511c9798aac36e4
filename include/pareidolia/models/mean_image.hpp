// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/preprocess.hpp>
#include <pareidolia/models/graph.hpp>

#include <algorithm>
#include <cstddef>

namespace pareidolia {

/// The image that a network sees as 0, x = mean / scale with the channels red, green, blue: the average of what it was trained on, most
/// often. Black for a network that subtracts nothing. Values that no image has are clipped to [0, 1].
[[nodiscard]] inline labelled_images mean_image(graph const& g) {
  labelled_images result = blank(g.input);
  auto const& mean = g.prepare.mean;
  if (mean.empty()) return result;
  std::size_t const plane = g.input[1] * g.input[2];
  for (std::size_t c = 0; c < g.input[0]; ++c)
    for (std::size_t j = 0; j < plane; ++j) {
      std::size_t const k = mean.size() == 1 ? 0 : mean.size() == g.input[0] ? c : c * plane + j;
      result.images.data()[detail::source_channel(g.prepare, c) * plane + j] = std::clamp(mean[k] / g.prepare.scale, 0.f, 1.f);
    }
  return result;
}

}  // namespace pareidolia
