// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace pareidolia {

/// Where memory lives. Part of the type of every view, never of the type of an attack's part.
enum class space : std::uint8_t { host, device };

/// Non-owning dense row-major array of `Rank` dimensions living in memory space `S`.
template <class T, std::size_t Rank, space S = space::host>
struct view {
  T* data = nullptr;
  std::array<std::size_t, Rank> shape{};

  /// A view of mutable elements is also a view of constant ones.
  constexpr operator view<T const, Rank, S>() const requires(!std::is_const_v<T>) { return {data, shape}; }

  [[nodiscard]] constexpr std::size_t size() const {
    std::size_t n = 1;
    for (std::size_t extent : shape) n *= extent;
    return n;
  }

  /// Elements of one entry of the first dimension: pixels of an image, classes of a row of scores.
  [[nodiscard]] constexpr std::size_t stride() const {
    std::size_t n = 1;
    for (std::size_t d = 1; d < Rank; ++d) n *= shape[d];
    return n;
  }

  /// Entry i of the first dimension, flat: `stride()` elements.
  [[nodiscard]] constexpr std::span<T> row(std::size_t i) const requires(S == space::host) { return {data + i * stride(), stride()}; }

  /// Entries [first, first + count) of the first dimension.
  [[nodiscard]] constexpr view rows(std::size_t first, std::size_t count) const {
    view part{data + first * stride(), shape};
    part.shape[0] = count;
    return part;
  }

  [[nodiscard]] constexpr std::span<T> flat() const requires(S == space::host) { return {data, size()}; }
};

template <space S>
using image_view = view<float, 4, S>;  ///< (count, channels, height, width) in [0, 1]
template <space S>
using const_image_view = view<float const, 4, S>;
template <space S>
using score_view = view<float, 2, S>;  ///< (count, classes)
template <space S>
using const_score_view = view<float const, 2, S>;
template <space S>
using value_view = view<float, 1, S>;  ///< (count), larger is better
template <space S>
using const_value_view = view<float const, 1, S>;
using label_view = std::span<int const>;         ///< (count), class index of each image
using image_shape = std::array<std::size_t, 3>;  ///< (channels, height, width)

}  // namespace pareidolia
