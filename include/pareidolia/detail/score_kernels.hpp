// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/vector_math.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>
#include <span>

// Primitives on rows of scores, in vectors, as kernels for detail/dispatch.hpp.

namespace pareidolia::detail {

inline constexpr float least_score = -std::numeric_limits<float>::infinity();

/// p(k) = exp(y(k) - max y) / sum_j exp(y(j) - max y); exponentials below those of -87.3 are 0. y and p may be the same memory.
struct softmax_row {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(std::span<float const> const& y, std::span<float> const& p) {
    using floats = typename vectors<Lanes>::floats;
    floats v, highest = floats{} + least_score, sums{};
    for (std::size_t k = 0; k < y.size(); k += Lanes) {
      load_part(y, k, least_score, v);
      highest = v > highest ? v : highest;
    }
    float top = highest[0], sum = 0;
    for (std::size_t l = 1; l < Lanes; ++l) top = std::max(top, highest[l]);
    for (std::size_t k = 0; k < y.size(); k += Lanes) {
      load_part(y, k, least_score, v);
      floats const x = v - top;
      v = x;
      vector_exp(v);
      v = x < -87.3f ? floats{} : v;
      sums = sums + v;
      store_part(v, p, k);
    }
    for (std::size_t l = 0; l < Lanes; ++l) sum += sums[l];
    for (std::size_t k = 0; k < p.size(); k += Lanes) {
      load_part(p, k, 0.f, v);
      store_part(v / sum, p, k);
    }
  }
};

/// Whether every value is finite; by their bits, since a compiler may have been told that no others exist.
struct finite_row {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(std::span<float const> const& y, bool* const& finite) {
    using floats = typename vectors<Lanes>::floats;
    using ints = ints_of<floats>;
    constexpr int exponent = 0x7f800000;
    floats v;
    ints found{};
    for (std::size_t k = 0; k < y.size(); k += Lanes) {
      load_part(y, k, 0.f, v);
      found = found | (((ints)v & exponent) == exponent);
    }
    int any = 0;
    for (std::size_t l = 0; l < Lanes; ++l) any |= found[l];
    *finite = any == 0;
  }
};

/// Of each of the columns from `begin` on the largest value, `best`, and the first row that has it. A NaN is never the largest.
struct best_row {
  static constexpr std::size_t columns = 256;  ///< that a run takes at most

  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(view<float const, 2> const& v, std::size_t const& begin, std::span<std::size_t> const& row,
                                         std::span<float> const& best) {
    using floats = typename vectors<Lanes>::floats;
    using ints = ints_of<floats>;
    std::array<float, columns> highest;
    std::array<int, columns> where;
    highest.fill(least_score);
    where.fill(static_cast<int>(v.shape[0]));
    for (std::size_t i = 0; i < v.shape[0]; ++i) {
      auto const values = v.row(i).subspan(begin, row.size());
      ints const here = ints{} + static_cast<int>(i);
      for (std::size_t k = 0; k < values.size(); k += Lanes) {
        floats value, high;
        ints at;
        load_part(values, k, least_score, value);
        load(&highest[k], high);
        std::memcpy(&at, &where[k], sizeof at);
        at = value > high ? here : at;
        high = value > high ? value : high;
        std::memcpy(&where[k], &at, sizeof at);
        store(high, &highest[k]);
      }
    }
    std::copy_n(where.begin(), row.size(), row.begin());
    std::copy_n(highest.begin(), best.size(), best.begin());
  }
};

}  // namespace pareidolia::detail
