// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>

#include <array>
#include <cstddef>

namespace pareidolia {

/// Owning array in device memory, filled with zeros; it moves and does not copy.
template <class T, std::size_t Rank>
struct storage<T, Rank, space::device> {
  storage() = default;
  explicit storage(std::array<std::size_t, Rank> const& shape)
      : shape_(shape), memory_(pareidolia::view<T, Rank>{nullptr, shape}.size() * sizeof(T), "a batch of an attack") {
    detail::cuda::fill_zero(memory_.as<T>(), view().size());
  }
  [[nodiscard]] pareidolia::view<T, Rank, space::device> view() const { return {memory_.as<T>(), shape_}; }

 private:
  std::array<std::size_t, Rank> shape_{};
  detail::cuda::buffer memory_;
};

}  // namespace pareidolia
