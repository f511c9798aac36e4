// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/models/graph.hpp>

#include <algorithm>
#include <cstddef>

// Pooling by its definition, apart from the other layers because the fast engines fall back to it for windows their libraries do not know.

namespace pareidolia::detail::reference {

/// Shapes around a layer, (channels, height, width).
struct site {
  image_shape in, out;

  [[nodiscard]] std::size_t in_size() const { return in[0] * in[1] * in[2]; }
  [[nodiscard]] std::size_t out_size() const { return out[0] * out[1] * out[2]; }
};

/// One window along one axis: input positions [begin, end), and how many positions of the padded input it covers.
struct pool_range {
  std::size_t begin, end, padded;

  pool_range(layer::pooling const& p, std::size_t axis, std::size_t n, std::size_t i) {
    std::size_t const start = i * p.stride[axis], stop = std::min(start + p.kernel[axis], n + 2 * p.padding[axis]);  // in the padded input
    padded = stop - start;
    begin = start < p.padding[axis] ? 0 : start - p.padding[axis];
    end = std::min(stop < p.padding[axis] ? 0 : stop - p.padding[axis], n);
  }
};

/// Calls f(output index, channel, rows, columns) for each window.
template <class F>
void for_each_window(layer::pooling const& p, site const& s, F const& f) {
  for (std::size_t c = 0; c < s.out[0]; ++c)
    for (std::size_t i = 0; i < s.out[1]; ++i)
      for (std::size_t j = 0; j < s.out[2]; ++j)
        f((c * s.out[1] + i) * s.out[2] + j, c, pool_range(p, 0, s.in[1], i), pool_range(p, 1, s.in[2], j));
}

/// Index of the first largest value of a window.
template <class T>
std::size_t largest(site const& s, T const* x, std::size_t c, pool_range const& rows, pool_range const& columns) {
  std::size_t best = (c * s.in[1] + rows.begin) * s.in[2] + columns.begin;
  for (std::size_t h = rows.begin; h < rows.end; ++h)
    for (std::size_t w = columns.begin; w < columns.end; ++w)
      if (std::size_t const index = (c * s.in[1] + h) * s.in[2] + w; x[index] > x[best]) best = index;
  return best;
}

template <class T>
T divisor(layer::pooling const& p, pool_range const& rows, pool_range const& columns) {
  return static_cast<T>(p.count_padding ? rows.padded * columns.padded : (rows.end - rows.begin) * (columns.end - columns.begin));
}

template <class T>
void forward(layer::pooling const& given, site const& s, T const*, T const* x, T* y) {
  auto const p = resolved(given, s.in);
  for_each_window(p, s, [&](std::size_t out, std::size_t c, pool_range const& rows, pool_range const& columns) {
    if (p.kind == layer::pool::maximum) {
      y[out] = x[largest(s, x, c, rows, columns)];
    } else {
      T sum = 0;
      for (std::size_t h = rows.begin; h < rows.end; ++h)
        for (std::size_t w = columns.begin; w < columns.end; ++w) sum += x[(c * s.in[1] + h) * s.in[2] + w];
      y[out] = sum / divisor<T>(p, rows, columns);
    }
  });
}

template <class T>
void backward(layer::pooling const& given, site const& s, T const*, T const* x, T const*, T const* dy, T* dx) {
  auto const p = resolved(given, s.in);
  for_each_window(p, s, [&](std::size_t out, std::size_t c, pool_range const& rows, pool_range const& columns) {
    if (p.kind == layer::pool::maximum) {
      dx[largest(s, x, c, rows, columns)] += dy[out];
    } else {
      for (std::size_t h = rows.begin; h < rows.end; ++h)
        for (std::size_t w = columns.begin; w < columns.end; ++w)
          dx[(c * s.in[1] + h) * s.in[2] + w] += dy[out] / divisor<T>(p, rows, columns);
    }
  });
}

}  // namespace pareidolia::detail::reference
