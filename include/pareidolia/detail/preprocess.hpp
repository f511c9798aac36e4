// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/models/graph.hpp>

#include <cstddef>

namespace pareidolia::detail {

/// z = scale x - mean, for the images of x. x and z (count, channels, height, width).
template <class T>
void preprocess(preprocessing const& how, view<T const, 4> x, T* z) {
  std::size_t const image = x.stride(), plane = x.shape[2] * x.shape[3];
  T const scale = static_cast<T>(how.scale);
  auto const& mean = how.mean;
  std::size_t const per_value = mean.size() == image ? 1 : mean.size() == x.shape[1] ? plane : image;  // pixels that share one mean
  for (std::size_t i = 0; i < x.shape[0]; ++i) {
    T const* const from = x.data + i * image;
    T* const to = z + i * image;
    if (mean.empty()) {
      for (std::size_t j = 0; j < image; ++j) to[j] = scale * from[j];
    } else {
      for (std::size_t first = 0; first < image; first += per_value) {
        T const m = static_cast<T>(mean[first / per_value]);
        for (std::size_t j = first; j < first + per_value; ++j) to[j] = scale * from[j] - m;
      }
    }
  }
}

/// dx *= scale: the transpose of preprocess().
template <class T>
void preprocess_backward(preprocessing const& how, view<T, 4> dx) {
  if (T const scale = static_cast<T>(how.scale); scale != T{1})
    for (T& v : dx.flat()) v *= scale;
}

}  // namespace pareidolia::detail
