// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_batch.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>
#include <pareidolia/detail/cuda_scratch.hpp>
#include <pareidolia/detail/cuda_transfers.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

// The primitives of core/batch.hpp on device memory. Those that give the host something wait for it; the others only start kernels, on the
// calling thread's stream. Sums are made in an order of their own, so they may differ from the host's in the last bits; they are the same
// each time.

namespace pareidolia {

template <class T, std::size_t Rank>
void copy(view<T, Rank, space::host> from, view<std::remove_const_t<T>, Rank, space::device> to) {
  detail::cuda::upload(std::span<std::remove_const_t<T> const>(from.flat()), to.data);
}
template <class T, std::size_t Rank>
void copy(view<T, Rank, space::device> from, view<std::remove_const_t<T>, Rank, space::host> to) {
  detail::cuda::download<std::remove_const_t<T>>(from.data, to.flat());
}
template <class T, std::size_t Rank>
void copy(view<T, Rank, space::device> from, view<std::remove_const_t<T>, Rank, space::device> to) {
  detail::cuda::copy<std::remove_const_t<T>>(from.data, to.data, from.size());
}

namespace detail::cuda {

/// Starts a kernel of batch_kernels with a block for each row.
template <class... Args>
void launch_rows(char const* kernel, std::size_t rows, Args... args) {
  kernels<batch_kernels>().launch_blocks(kernel, rows, args...);
}

}  // namespace detail::cuda

inline void copy_rows(view<float const, 2, space::device> source, std::span<std::size_t const> from, view<float, 2, space::device> target,
                      std::span<std::size_t const> to) {
  using namespace detail;
  if (to.empty()) return;
  std::vector<unsigned> rows;
  for (std::size_t row : from) rows.push_back(cuda::kernel_count(row));
  for (std::size_t row : to) rows.push_back(cuda::kernel_count(row));
  unsigned const count = cuda::kernel_count(to.size()), size = cuda::kernel_count(source.stride());
  unsigned const values = cuda::kernel_count(to.size() * source.stride());
  cuda::kernels<cuda::batch_kernels>().launch("copy_rows", values, source.data, target.data,
                                              cuda::uploaded(std::span<unsigned const>(rows)), count, size, values);
}

inline void softmax_rows(const_score_view<space::device> y, score_view<space::device> p) {
  detail::cuda::launch_rows("softmax_rows", y.shape[0], y.data, p.data, detail::cuda::kernel_count(y.shape[1]));
}

inline void argmax(const_score_view<space::device> y, std::span<int> label) {
  int* const found = detail::cuda::scratch<int>(y.shape[0]);
  detail::cuda::launch_rows("argmax_rows", y.shape[0], y.data, found, detail::cuda::kernel_count(y.shape[1]));
  detail::cuda::download<int>(found, label.first(y.shape[0]));
}

inline void best_rows(const_score_view<space::device> v, std::span<std::size_t> row, std::span<float> best) {
  using namespace detail;
  struct place {
    float value;
    unsigned index;
  };
  constexpr std::size_t columns_of_a_block = 32;
  auto const [count, classes] = v.shape;
  place* const champions = cuda::scratch<place>(classes);
  cuda::launch_rows("best_of_columns", (classes + columns_of_a_block - 1) / columns_of_a_block, v.data, static_cast<void*>(champions),
                    cuda::kernel_count(count), cuda::kernel_count(classes));
  std::vector<place> found(classes);
  cuda::download<place>(champions, found);
  for (std::size_t k = 0; k < classes; ++k) {
    row[k] = found[k].index;
    best[k] = found[k].value;
  }
}

[[nodiscard]] inline std::size_t first_not_finite(const_score_view<space::device> y) {
  using namespace detail;
  unsigned const count = cuda::kernel_count(y.shape[0]), classes = cuda::kernel_count(y.shape[1]);
  unsigned* const first = cuda::scratch<unsigned>(1);
  cuda::fill_zero(first, 1);
  cuda::kernels<cuda::batch_kernels>().launch("mark_not_finite", y.size(), y.data, first, count, classes);
  unsigned from_the_end = 0;
  cuda::download<unsigned>(first, {&from_the_end, 1});
  return count - from_the_end;
}

/// d is in host memory: the distances of a result.
inline void distances(const_image_view<space::device> x, const_image_view<space::device> canvas, view<float, 2> d) {
  float* const found = detail::cuda::scratch<float>(4 * x.shape[0]);
  detail::cuda::launch_rows("distance_rows", x.shape[0], x.data, canvas.data, found, detail::cuda::kernel_count(x.stride()),
                            detail::cuda::kernel_count(canvas.shape[0]));
  detail::cuda::download<float>(found, d.flat());
}

}  // namespace pareidolia
