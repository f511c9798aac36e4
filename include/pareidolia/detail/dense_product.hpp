// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/parallel.hpp>
#include <pareidolia/detail/dispatch.hpp>
#include <pareidolia/detail/vector_math.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace pareidolia::detail {

/// Inner products of few images with weights that no cache holds: each weight is fetched once, at the speed of the memory, from where it
/// lies, where oneDNN would want a second copy in a layout of its own. Sums run in one order, so the bits of an image depend neither on the
/// others of its batch nor on the number of threads.
///
/// x (count, inputs), w (outputs, inputs), y (count, outputs), row-major.
struct dense_product {
  std::size_t count, inputs, outputs;
  std::optional<float> slope;  ///< of the ReLU behind it, if there is one

  /// y = x w^T + bias, then slope y where y <= 0. `bias` may be null; `room` has space for count inputs, aligned for vectors.
  void operator()(float const* x, float const* w, float const* bias, float* y, float* room) const;
};

/// Calls body(0), ..., body(N - 1), each number a constant: what is indexed with it can live in registers.
template <std::size_t N, class Body>
[[gnu::always_inline]] inline void unrolled(Body const& body) {
  [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) { (body(std::integral_constant<std::size_t, I>{}), ...); }
  (std::make_index_sequence<N>{});
}

/// Calls body(first, size) for pieces of [first, last), the sizes being constants: as many as possible of Largest, a power of two, then of
/// half of it, and so on.
template <std::size_t Largest, class Body>
[[gnu::always_inline]] inline void in_pieces(std::size_t first, std::size_t last, Body const& body) {
  for (; first + Largest <= last; first += Largest) body(first, std::integral_constant<std::size_t, Largest>{});
  if constexpr (Largest > 1) in_pieces<Largest / 2>(first, last, body);
}

/// Keeps x in a register where the compiler would rather read it from memory at each use.
template <class Floats>
[[gnu::always_inline]] inline void in_register([[maybe_unused]] Floats& x) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)  // Clang has no register for vectors wider than the target's
  asm("" : "+v"(x));
#endif
}

/// Images as the kernel reads them: (columns / lanes, count, lanes), so that a tile of images is one stream. Rows of x may lie a multiple
/// of the page size apart, and would fight for the same lines of the cache.
struct interleave_kernel {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(dense_product const& p, float const* x, float* to) {
    for (std::size_t k = 0; k + Lanes <= p.inputs; k += Lanes)
      for (std::size_t i = 0; i < p.count; ++i, to += Lanes) std::copy_n(x + i * p.inputs + k, Lanes, to);
  }
};

/// Rows [first, last) of the weights: a Kernel for detail/dispatch.hpp. `images` are interleaved; sums has (last - first) count lanes.
struct dense_kernel {
  static constexpr std::size_t rows_at_once = 3;
  template <std::size_t Lanes>
  static constexpr std::size_t images_at_once = Lanes == 16 ? 8 : 4;  ///< whose sums with the rows fit into the registers

  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(dense_product const& p, float const* images, float const* x, float const* w, std::size_t first,
                                         std::size_t last, float* sums, float* y) {
    std::size_t const whole = p.inputs / Lanes * Lanes;
    std::fill_n(sums, (last - first) * p.count * Lanes, 0.f);
    std::size_t const columns = std::max<std::size_t>(256, 4096 / p.count / Lanes * Lanes);  // those of all images fit into the first cache
    for (std::size_t begin = 0; begin < whole; begin += columns) {
      std::size_t const end = std::min(begin + columns, whole);
      std::size_t row = first;
      for (; row + rows_at_once <= last; row += rows_at_once)
        add_rows<Lanes, rows_at_once>(p, images, w + row * p.inputs, begin, end, sums + (row - first) * p.count * Lanes);
      for (; row < last; ++row) add_rows<Lanes, 1>(p, images, w + row * p.inputs, begin, end, sums + (row - first) * p.count * Lanes);
    }
    for (std::size_t row = first; row < last; ++row)
      for (std::size_t i = 0; i < p.count; ++i, sums += Lanes) {
        float sum = 0;
        for (std::size_t l = 0; l < Lanes; ++l) sum += sums[l];
        for (std::size_t k = whole; k < p.inputs; ++k) sum += x[i * p.inputs + k] * w[row * p.inputs + k];
        y[i * p.outputs + row] = sum;
      }
  }

 private:
  template <std::size_t Lanes, std::size_t Rows>
  [[gnu::always_inline]] static void add_rows(dense_product const& p, float const* images, float const* w, std::size_t begin,
                                              std::size_t end, float* sums) {
    using floats = typename vectors<Lanes>::floats;
    in_pieces<images_at_once<Lanes>>(
        0, p.count, [&](std::size_t image, auto some) __attribute__((always_inline)) {
          constexpr std::size_t tile = decltype(some)::value;
          floats sum[Rows][tile];
          unrolled<Rows>([&](auto r) __attribute__((always_inline)) {
            unrolled<tile>([&](auto i) __attribute__((always_inline)) { load(sums + (r * p.count + image + i) * Lanes, sum[r][i]); });
          });
          float const* x = images + (begin / Lanes * p.count + image) * Lanes;
          for (std::size_t k = begin; k < end; k += Lanes, x += p.count * Lanes) {
            floats v[Rows];
            unrolled<Rows>([&](auto r) __attribute__((always_inline)) {
              load(w + r * p.inputs + k, v[r]);
              __builtin_prefetch(w + (r + Rows) * p.inputs + k);  // the next rows, whose columns here lie on another page
            });
            unrolled<tile>([&](auto i) __attribute__((always_inline)) {
              floats u;
              load(x + i * Lanes, u);
              in_register(u);
              unrolled<Rows>([&](auto r) __attribute__((always_inline)) { sum[r][i] += u * v[r]; });
            });
          }
          unrolled<Rows>([&](auto r) __attribute__((always_inline)) {
            unrolled<tile>([&](auto i) __attribute__((always_inline)) { store(sum[r][i], sums + (r * p.count + image + i) * Lanes); });
          });
        });
  }
};

inline void dense_product::operator()(float const* x, float const* w, float const* bias, float* y, float* room) const {
  constexpr std::size_t rows = 48, most_lanes = 16;
  dispatch<interleave_kernel>(best_instruction_set(), *this, x, room);
  parallel_for((outputs + rows - 1) / rows, [&](std::size_t block, std::size_t) {
    thread_local std::vector<float> sums;
    sums.resize(rows * count * most_lanes);
    std::size_t const first = block * rows, last = std::min(first + rows, outputs);
    dispatch<dense_kernel>(best_instruction_set(), *this, room, x, w, first, last, sums.data(), y);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t o = first; o < last; ++o) {
        float& v = y[i * outputs + o];
        if (bias) v += bias[o];
        if (slope && !(v > 0)) v *= *slope;
      }
  });
}

}  // namespace pareidolia::detail
