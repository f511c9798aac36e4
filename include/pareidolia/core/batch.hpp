// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/dispatch.hpp>
#include <pareidolia/detail/score_kernels.hpp>
#include <pareidolia/detail/slices.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>

// Primitives on batches: what objectives, optimizers and run() are written in. Each is overloaded on the memory space of its views; spans
// are in host memory.

namespace pareidolia {

/// to <- from, of the same shape. Between memory spaces it is a transfer.
template <class T, std::size_t Rank>
void copy(view<T, Rank, space::host> from, view<std::remove_const_t<T>, Rank, space::host> to) {
  std::copy_n(from.data, from.size(), to.data);
}

/// Row to[k] of `target` <- row from[k] of `source`, for every k. The entries of `to` are distinct; target and source are different memory.
inline void copy_rows(view<float const, 2> source, std::span<std::size_t const> from, view<float, 2> target,
                      std::span<std::size_t const> to) {
  auto const length = source.stride();
  detail::in_slices(to.size(), 0.1 * static_cast<double>(length),
                    [&](std::size_t k) { std::copy_n(source.row(from[k]).data(), length, target.row(to[k]).data()); });
}

/// p(i, k) = exp(y(i, k)) / sum_j exp(y(i, j)), shifted by the row's maximum. y and p (count, classes), may be the same memory.
inline void softmax_rows(const_score_view<space::host> y, score_view<space::host> p) {
  auto const best = detail::best_instruction_set();
  detail::in_slices(y.shape[0], 0.7 * static_cast<double>(y.stride()), [&](std::size_t i) {
    detail::dispatch<detail::softmax_row>(best, std::span<float const>(y.row(i)), std::span<float>(p.row(i)));
  });
}

/// label[i] = the first class with the largest score of row i. y (count, classes), label (count).
inline void argmax(const_score_view<space::host> y, std::span<int> label) {
  for (std::size_t i = 0; i < y.shape[0]; ++i) {
    auto const scores = y.row(i);
    label[i] = static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  }
}

/// The champion of each column: row[k] is the first row with the largest v(i, k) and best[k] that value. A NaN is never the largest; a
/// column of nothing but NaN and -infinity has best[k] = -infinity and row[k] = count. v (count, classes), row and best (classes).
inline void best_rows(const_score_view<space::host> v, std::span<std::size_t> row, std::span<float> best) {
  auto const set = detail::best_instruction_set();
  constexpr std::size_t columns = detail::best_row::columns;
  detail::in_slices((row.size() + columns - 1) / columns, 0.1 * static_cast<double>(columns * v.shape[0]), [&](std::size_t block) {
    std::size_t const begin = block * columns, count = std::min(columns, row.size() - begin);
    detail::dispatch<detail::best_row>(set, v, begin, row.subspan(begin, count), best.subspan(begin, count));
  });
}

/// Index of the first row with a NaN or an infinity, or count when all are finite. y (count, classes).
[[nodiscard]] inline std::size_t first_not_finite(const_score_view<space::host> y) {
  auto const best = detail::best_instruction_set();
  for (std::size_t i = 0; i < y.shape[0]; ++i) {
    bool finite = false;
    detail::dispatch<detail::finite_row>(best, std::span<float const>(y.row(i)), &finite);
    if (!finite) return i;
  }
  return y.shape[0];
}

/// Distances of each image from its canvas i mod canvases, one row each: L0 (values that differ), L1, L2, Linf.
/// x (count, channels, height, width), canvas (canvases, channels, height, width), d (count, 4).
inline void distances(const_image_view<space::host> x, const_image_view<space::host> canvas, view<float, 2> d) {
  for (std::size_t i = 0; i < x.shape[0]; ++i) {
    auto const a = x.row(i), b = canvas.row(i % canvas.shape[0]);
    double l0 = 0, l1 = 0, l2 = 0, linf = 0;
    for (std::size_t j = 0; j < a.size(); ++j) {
      double const r = std::abs(double{a[j]} - double{b[j]});
      l0 += r > 0;
      l1 += r;
      l2 += r * r;
      linf = std::max(linf, r);
    }
    auto const out = d.row(i);
    out[0] = static_cast<float>(l0);
    out[1] = static_cast<float>(l1);
    out[2] = static_cast<float>(std::sqrt(l2));
    out[3] = static_cast<float>(linf);
  }
}

}  // namespace pareidolia
