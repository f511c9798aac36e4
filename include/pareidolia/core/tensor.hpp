// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

// The only header that includes xtensor, which moved its headers in 0.26.
#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace pareidolia {

/// Owning dense row-major array in host memory: images in, results out.
template <class T, std::size_t Rank>
using tensor = xt::xtensor<T, Rank, xt::layout_type::row_major>;

/// A tensor of the given shape, filled with `value`.
template <class T, std::size_t Rank>
[[nodiscard]] tensor<T, Rank> filled(std::array<std::size_t, Rank> const& shape, T value = T{}) {
  return tensor<T, Rank>(shape, value);
}

template <class T, std::size_t Rank>
[[nodiscard]] view<T, Rank> as_view(xt::xtensor<T, Rank, xt::layout_type::row_major>& t) {
  view<T, Rank> v{t.data(), {}};
  std::copy(t.shape().begin(), t.shape().end(), v.shape.begin());
  return v;
}
template <class T, std::size_t Rank>
[[nodiscard]] view<T const, Rank> as_view(xt::xtensor<T, Rank, xt::layout_type::row_major> const& t) {
  view<T const, Rank> v{t.data(), {}};
  std::copy(t.shape().begin(), t.shape().end(), v.shape.begin());
  return v;
}

/// Owning array in memory space S; what run() computes in. Device memory is added by the engine that brings it.
template <class T, std::size_t Rank, space S>
struct storage;

template <class T, std::size_t Rank>
struct storage<T, Rank, space::host> {
  tensor<T, Rank> values;

  storage() : values(filled<T, Rank>({})) {}
  explicit storage(std::array<std::size_t, Rank> const& shape) : values(filled<T, Rank>(shape)) {}
  [[nodiscard]] pareidolia::view<T, Rank> view() { return as_view(values); }
  [[nodiscard]] pareidolia::view<T const, Rank> view() const { return as_view(values); }
};

/// Memory that can be allocated and computed in: the host's, and the device's where an engine for it is included.
template <space S>
inline constexpr bool is_memory = requires {
  sizeof(storage<float, 1, S>);
};
template <space S>
concept Memory = is_memory<S>;

/// Images and the class that belongs to each: what an attack starts from, a data set, a batch.
struct labelled_images {
  tensor<float, 4> images;  ///< (count, channels, height, width) in [0, 1]
  std::vector<int> labels;  ///< (count); empty when nobody knows

  [[nodiscard]] std::size_t size() const { return images.shape()[0]; }
};

/// One black image without a label: the canvas of attacks that make images from nothing.
[[nodiscard]] inline labelled_images blank(image_shape const& shape) { return {filled<float, 4>({1, shape[0], shape[1], shape[2]}), {}}; }

/// The first of these images once for each label: the canvas of attacks that start from one image and want several classes of it.
[[nodiscard]] inline labelled_images repeated(labelled_images const& canvas, std::vector<int> labels) {
  auto const& shape = canvas.images.shape();
  labelled_images result{filled<float, 4>({labels.size(), shape[1], shape[2], shape[3]}), {}};
  for (std::size_t i = 0; i < labels.size(); ++i)
    std::copy_n(canvas.images.data(), shape[1] * shape[2] * shape[3], as_view(result.images).row(i).data());
  result.labels = std::move(labels);
  return result;
}

}  // namespace pareidolia
