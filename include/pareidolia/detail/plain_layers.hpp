// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/models/graph.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

// Layers without parameters by their definition: half of the reference, and what the fast engines fall back to where their libraries know
// no such layer.
//
// For each layer type: forward(layer, site, theta, x, y); backward(layer, site, theta, x, y, dy, dx), which adds to dx.

namespace pareidolia::detail::reference {

/// Shapes around a layer, (channels, height, width).
struct site {
  image_shape in, out;

  [[nodiscard]] std::size_t in_size() const { return in[0] * in[1] * in[2]; }
  [[nodiscard]] std::size_t out_size() const { return out[0] * out[1] * out[2]; }
};

// ---- pooling -----------------------------------------------------------------------------------------------------------------------

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

// ---- elementwise -------------------------------------------------------------------------------------------------------------------

template <class T>
void forward(layer::activation const& a, site const& s, T const*, T const* x, T* y) {
  for (std::size_t i = 0; i < s.in_size(); ++i) switch (a.kind) {
      case layer::function::relu:
        y[i] = x[i] > 0 ? x[i] : static_cast<T>(a.slope) * x[i];
        break;
      case layer::function::sigmoid:
        y[i] = 1 / (1 + std::exp(-x[i]));
        break;
      case layer::function::tanh:
        y[i] = std::tanh(x[i]);
        break;
    }
}

template <class T>
void backward(layer::activation const& a, site const& s, T const*, T const*, T const* y, T const* dy, T* dx) {
  for (std::size_t i = 0; i < s.in_size(); ++i) switch (a.kind) {
      case layer::function::relu:
        dx[i] += y[i] > 0 ? dy[i] : static_cast<T>(a.slope) * dy[i];
        break;
      case layer::function::sigmoid:
        dx[i] += dy[i] * y[i] * (1 - y[i]);
        break;
      case layer::function::tanh:
        dx[i] += dy[i] * (1 - y[i] * y[i]);
        break;
    }
}

template <class T>
void forward(layer::clip const& l, site const& s, T const*, T const* x, T* y) {
  for (std::size_t i = 0; i < s.in_size(); ++i) y[i] = std::clamp(x[i], static_cast<T>(l.low), static_cast<T>(l.high));
}

template <class T>
void backward(layer::clip const& l, site const& s, T const*, T const*, T const* y, T const* dy, T* dx) {
  for (std::size_t i = 0; i < s.in_size(); ++i)
    if (y[i] > static_cast<T>(l.low) && y[i] < static_cast<T>(l.high)) dx[i] += dy[i];
}

/// Layers that give what they read, as the same or another shape.
template <class Layer>
concept Identity = std::same_as<Layer, layer::dropout> || std::same_as<Layer, layer::flatten> || std::same_as<Layer, layer::reshape>;

template <Identity Layer, class T>
void forward(Layer const&, site const& s, T const*, T const* x, T* y) {
  std::copy_n(x, s.in_size(), y);
}

template <Identity Layer, class T>
void backward(Layer const&, site const& s, T const*, T const*, T const*, T const* dy, T* dx) {
  for (std::size_t i = 0; i < s.in_size(); ++i) dx[i] += dy[i];
}

// ---- padding -----------------------------------------------------------------------------------------------------------------------

/// Calls f(index in the input, index in the output, count) for each row of the input.
template <class F>
void for_each_row(layer::padding const& l, site const& s, F const& f) {
  for (std::size_t c = 0; c < s.in[0]; ++c)
    for (std::size_t i = 0; i < s.in[1]; ++i) f((c * s.in[1] + i) * s.in[2], (c * s.out[1] + l.top + i) * s.out[2] + l.left, s.in[2]);
}

template <class T>
void forward(layer::padding const& l, site const& s, T const*, T const* x, T* y) {
  std::fill_n(y, s.out_size(), T{0});
  for_each_row(l, s, [&](std::size_t from, std::size_t to, std::size_t count) { std::copy_n(x + from, count, y + to); });
}

template <class T>
void backward(layer::padding const& l, site const& s, T const*, T const*, T const*, T const* dy, T* dx) {
  for_each_row(l, s, [&](std::size_t to, std::size_t from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) dx[to + i] += dy[from + i];
  });
}

// ---- softmax over channels ---------------------------------------------------------------------------------------------------------

template <class T>
void forward(layer::softmax const&, site const& s, T const*, T const* x, T* y) {
  std::size_t const plane = s.in[1] * s.in[2];
  for (std::size_t p = 0; p < plane; ++p) {
    T top = x[p], sum = 0;
    for (std::size_t c = 1; c < s.in[0]; ++c) top = std::max(top, x[c * plane + p]);
    for (std::size_t c = 0; c < s.in[0]; ++c) sum += y[c * plane + p] = std::exp(x[c * plane + p] - top);
    for (std::size_t c = 0; c < s.in[0]; ++c) y[c * plane + p] /= sum;
  }
}

/// dx_c = y_c (dy_c - sum_k y_k dy_k)
template <class T>
void backward(layer::softmax const&, site const& s, T const*, T const*, T const* y, T const* dy, T* dx) {
  std::size_t const plane = s.in[1] * s.in[2];
  for (std::size_t p = 0; p < plane; ++p) {
    T dot = 0;
    for (std::size_t c = 0; c < s.in[0]; ++c) dot += y[c * plane + p] * dy[c * plane + p];
    for (std::size_t c = 0; c < s.in[0]; ++c) dx[c * plane + p] += y[c * plane + p] * (dy[c * plane + p] - dot);
  }
}

// ---- local response normalisation --------------------------------------------------------------------------------------------------

/// Calls f(i, j) for each pair of positions of one image in which the other lies in the neighbourhood of the one: each (i, i) is among
/// them.
template <class F>
void for_each_neighbour(layer::lrn const& n, site const& s, F const& f) {
  std::size_t const half = n.size / 2, plane = s.in[1] * s.in[2];
  auto const near = [half](std::size_t i, std::size_t extent) {
    return std::pair(i < half ? 0 : i - half, std::min(i + half + 1, extent));
  };
  for (std::size_t c = 0; c < s.in[0]; ++c)
    for (std::size_t h = 0; h < s.in[1]; ++h)
      for (std::size_t w = 0; w < s.in[2]; ++w) {
        std::size_t const i = c * plane + h * s.in[2] + w;
        if (n.over == layer::region::across_channels) {
          auto const [first, last] = near(c, s.in[0]);
          for (std::size_t d = first; d < last; ++d) f(i, i + d * plane - c * plane);
        } else {
          auto const [top, bottom] = near(h, s.in[1]);
          auto const [left, right] = near(w, s.in[2]);
          for (std::size_t u = top; u < bottom; ++u)
            for (std::size_t v = left; v < right; ++v) f(i, c * plane + u * s.in[2] + v);
        }
      }
}

/// alpha over the number of values that a full neighbourhood has.
template <class T>
T lrn_weight(layer::lrn const& n) {
  return static_cast<T>(n.alpha) / static_cast<T>(n.over == layer::region::across_channels ? n.size : n.size * n.size);
}

/// s_i = k + alpha / neighbours sum_{j near i} x_j^2.
template <class T>
std::vector<T> lrn_scales(layer::lrn const& n, site const& s, T const* x) {
  std::vector<T> scales(s.in_size(), T{0});
  for_each_neighbour(n, s, [&](std::size_t i, std::size_t j) { scales[i] += x[j] * x[j]; });
  for (T& scale : scales) scale = static_cast<T>(n.k) + lrn_weight<T>(n) * scale;
  return scales;
}

template <class T>
void forward(layer::lrn const& n, site const& s, T const*, T const* x, T* y) {
  auto const scales = lrn_scales(n, s, x);
  for (std::size_t i = 0; i < s.in_size(); ++i) y[i] = x[i] * std::pow(scales[i], -static_cast<T>(n.beta));
}

/// dx_i = dy_i s_i^-beta - 2 alpha beta / neighbours x_i sum_{j near i} dy_j y_j / s_j
template <class T>
void backward(layer::lrn const& n, site const& s, T const*, T const* x, T const* y, T const* dy, T* dx) {
  auto const scales = lrn_scales(n, s, x);
  std::vector<T> sums(s.in_size(), T{0});
  for_each_neighbour(n, s, [&](std::size_t i, std::size_t j) { sums[i] += dy[j] * y[j] / scales[j]; });
  T const factor = 2 * static_cast<T>(n.beta) * lrn_weight<T>(n);
  for (std::size_t i = 0; i < s.in_size(); ++i) dx[i] += dy[i] * std::pow(scales[i], -static_cast<T>(n.beta)) - factor * x[i] * sums[i];
}

}  // namespace pareidolia::detail::reference
