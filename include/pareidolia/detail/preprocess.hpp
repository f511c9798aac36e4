// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/models/graph.hpp>

#include <cstddef>

namespace pareidolia::detail {

/// Which channel of the image is channel c of what the network sees; its own inverse.
inline std::size_t source_channel(preprocessing const& how, std::size_t c) { return how.order == channel_order::bgr ? 2 - c : c; }

/// 1 / deviation of channel c.
template <class T>
T precision(preprocessing const& how, std::size_t c) {
  return how.deviation.empty() ? T{1} : 1 / static_cast<T>(how.deviation[c]);
}

/// z = (scale x - mean) / deviation, channels in the network's order, for the images of x. x and z (count, channels, height, width).
template <class T>
void preprocess(preprocessing const& how, view<T const, 4> x, T* z) {
  std::size_t const channels = x.shape[1], plane = x.shape[2] * x.shape[3], image = channels * plane;
  T const scale = static_cast<T>(how.scale);
  auto const& mean = how.mean;
  bool const per_pixel = mean.size() == image && image > channels;
  for (std::size_t i = 0; i < x.shape[0]; ++i)
    for (std::size_t c = 0; c < channels; ++c) {
      T const* const from = x.data + i * image + source_channel(how, c) * plane;
      T* const to = z + i * image + c * plane;
      T const inverse = precision<T>(how, c);
      if (per_pixel) {
        for (std::size_t j = 0; j < plane; ++j) to[j] = (scale * from[j] - static_cast<T>(mean[c * plane + j])) * inverse;
      } else {
        T const m = mean.empty() ? T{0} : static_cast<T>(mean.size() == 1 ? mean[0] : mean[c]);
        for (std::size_t j = 0; j < plane; ++j) to[j] = (scale * from[j] - m) * inverse;
      }
    }
}

/// dx = scale / deviation dz, channels as in the image: the transpose of preprocess().
template <class T>
void preprocess_backward(preprocessing const& how, T const* dz, view<T, 4> dx) {
  std::size_t const channels = dx.shape[1], plane = dx.shape[2] * dx.shape[3];
  for (std::size_t i = 0; i < dx.shape[0]; ++i)
    for (std::size_t c = 0; c < channels; ++c) {
      T const scale = static_cast<T>(how.scale) * precision<T>(how, c);
      T const* const from = dz + (i * channels + c) * plane;
      T* const to = dx.data + (i * channels + source_channel(how, c)) * plane;
      for (std::size_t j = 0; j < plane; ++j) to[j] = scale * from[j];
    }
}

}  // namespace pareidolia::detail
