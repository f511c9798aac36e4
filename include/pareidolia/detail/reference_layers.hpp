// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/reference_pooling.hpp>
#include <pareidolia/models/graph.hpp>

#include <xtensor-blas/xlinalg.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

// The definition of every layer, one image at a time, as plainly as it can be said: the oracle of the tests.
//
// For each layer type: forward(layer, site, theta, x, y); backward(layer, site, theta, x, y, dy, dx), which adds to dx; and, if it has
// parameters, backward_weights(layer, site, x, dy, dtheta), which adds to dtheta. theta is the layer's weight followed by its bias.

namespace pareidolia::detail::reference {

template <class T>
auto matrix(T* data, std::size_t rows, std::size_t columns) {
  return xt::adapt(data, rows * columns, xt::no_ownership(), std::array<std::size_t, 2>{rows, columns});
}

// ---- convolution: y_g = W_g im2col(x_g) + b ----------------------------------------------------------------------------------------

/// Calls f(column row, output position, input index) for each tap of each window that lies inside the input, channels [first, first +
/// count).
template <class F>
void for_each_tap(layer::convolution const& c, site const& s, std::size_t first, std::size_t count, F const& f) {
  auto const [height, width] = layer::extent{s.in[1], s.in[2]};
  for (std::size_t channel = 0; channel < count; ++channel)
    for (std::size_t u = 0; u < c.kernel[0]; ++u)
      for (std::size_t v = 0; v < c.kernel[1]; ++v) {
        std::size_t const row = (channel * c.kernel[0] + u) * c.kernel[1] + v;
        for (std::size_t i = 0; i < s.out[1]; ++i)
          for (std::size_t j = 0; j < s.out[2]; ++j) {
            std::size_t const h = i * c.stride[0] + u, w = j * c.stride[1] + v;  // shifted by the padding
            if (h < c.padding[0] || w < c.padding[1] || h - c.padding[0] >= height || w - c.padding[1] >= width) continue;
            f(row, i * s.out[2] + j, ((first + channel) * height + h - c.padding[0]) * width + w - c.padding[1]);
          }
      }
}

/// Sizes of one group of a convolution.
struct group_sizes {
  std::size_t channels, outputs, taps, positions;

  group_sizes(layer::convolution const& c, site const& s)
      : channels(s.in[0] / c.groups),
        outputs(c.outputs / c.groups),
        taps(channels * c.kernel[0] * c.kernel[1]),
        positions(s.out[1] * s.out[2]) {}
};

template <class T>
tensor<T, 2> im2col(layer::convolution const& c, site const& s, group_sizes const& n, std::size_t group, T const* x) {
  auto columns = filled<T, 2>({n.taps, n.positions});
  for_each_tap(c, s, group * n.channels, n.channels,
               [&](std::size_t row, std::size_t position, std::size_t index) { columns(row, position) = x[index]; });
  return columns;
}

template <class T>
void forward(layer::convolution const& c, site const& s, T const* theta, T const* x, T* y) {
  group_sizes const n(c, s);
  T const* const bias = theta + c.outputs * n.taps;
  for (std::size_t g = 0; g < c.groups; ++g) {
    auto const w = matrix(theta + g * n.outputs * n.taps, n.outputs, n.taps);
    auto out = matrix(y + g * n.outputs * n.positions, n.outputs, n.positions);
    out = xt::linalg::dot(w, im2col(c, s, n, g, x));
  }
  if (c.bias)
    for (std::size_t o = 0; o < c.outputs; ++o)
      for (std::size_t p = 0; p < n.positions; ++p) y[o * n.positions + p] += bias[o];
}

template <class T>
void backward(layer::convolution const& c, site const& s, T const* theta, T const*, T const*, T const* dy, T* dx) {
  group_sizes const n(c, s);
  for (std::size_t g = 0; g < c.groups; ++g) {
    auto const w = matrix(theta + g * n.outputs * n.taps, n.outputs, n.taps);
    auto const dout = matrix(dy + g * n.outputs * n.positions, n.outputs, n.positions);
    tensor<T, 2> const columns = xt::linalg::dot(xt::transpose(w), dout);
    for_each_tap(c, s, g * n.channels, n.channels,
                 [&](std::size_t row, std::size_t position, std::size_t index) { dx[index] += columns(row, position); });
  }
}

template <class T>
void backward_weights(layer::convolution const& c, site const& s, T const* x, T const* dy, T* dtheta) {
  group_sizes const n(c, s);
  for (std::size_t g = 0; g < c.groups; ++g) {
    auto const dout = matrix(dy + g * n.outputs * n.positions, n.outputs, n.positions);
    auto dw = matrix(dtheta + g * n.outputs * n.taps, n.outputs, n.taps);
    dw += xt::linalg::dot(dout, xt::transpose(im2col(c, s, n, g, x)));
  }
  if (c.bias)
    for (std::size_t o = 0; o < c.outputs; ++o)
      for (std::size_t p = 0; p < n.positions; ++p) dtheta[c.outputs * n.taps + o] += dy[o * n.positions + p];
}

// ---- inner product: y = W x + b ----------------------------------------------------------------------------------------------------

template <class T>
void forward(layer::inner_product const& p, site const& s, T const* theta, T const* x, T* y) {
  auto out = matrix(y, p.outputs, 1);
  out = xt::linalg::dot(matrix(theta, p.outputs, s.in_size()), matrix(x, s.in_size(), 1));
  if (p.bias)
    for (std::size_t o = 0; o < p.outputs; ++o) y[o] += theta[p.outputs * s.in_size() + o];
}

template <class T>
void backward(layer::inner_product const& p, site const& s, T const* theta, T const*, T const*, T const* dy, T* dx) {
  auto din = matrix(dx, 1, s.in_size());
  din += xt::linalg::dot(matrix(dy, 1, p.outputs), matrix(theta, p.outputs, s.in_size()));
}

template <class T>
void backward_weights(layer::inner_product const& p, site const& s, T const* x, T const* dy, T* dtheta) {
  auto dw = matrix(dtheta, p.outputs, s.in_size());
  dw += xt::linalg::dot(matrix(dy, p.outputs, 1), matrix(x, 1, s.in_size()));
  if (p.bias)
    for (std::size_t o = 0; o < p.outputs; ++o) dtheta[p.outputs * s.in_size() + o] += dy[o];
}

// ---- elementwise -------------------------------------------------------------------------------------------------------------------

template <class T>
void forward(layer::activation const& a, site const& s, T const*, T const* x, T* y) {
  for (std::size_t i = 0; i < s.in_size(); ++i) switch (a.kind) {
      case layer::function::relu:
        y[i] = std::max(x[i], T{0});
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
        dx[i] += y[i] > 0 ? dy[i] : T{0};
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
void forward(layer::dropout const&, site const& s, T const*, T const* x, T* y) {
  std::copy_n(x, s.in_size(), y);
}

template <class T>
void backward(layer::dropout const&, site const& s, T const*, T const*, T const*, T const* dy, T* dx) {
  for (std::size_t i = 0; i < s.in_size(); ++i) dx[i] += dy[i];
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

/// s_c = k + alpha / size sum_{c' around c} x_c'^2 for the channels of one position.
template <class T>
std::vector<T> lrn_scales(layer::lrn const& n, site const& s, T const* x, std::size_t position) {
  std::size_t const plane = s.in[1] * s.in[2], half = n.size / 2;
  std::vector<T> scales(s.in[0]);
  for (std::size_t c = 0; c < s.in[0]; ++c) {
    T sum = 0;
    for (std::size_t d = c < half ? 0 : c - half; d < std::min(c + half + 1, s.in[0]); ++d)
      sum += x[d * plane + position] * x[d * plane + position];
    scales[c] = static_cast<T>(n.k) + static_cast<T>(n.alpha) / static_cast<T>(n.size) * sum;
  }
  return scales;
}

template <class T>
void forward(layer::lrn const& n, site const& s, T const*, T const* x, T* y) {
  std::size_t const plane = s.in[1] * s.in[2];
  for (std::size_t p = 0; p < plane; ++p) {
    auto const scales = lrn_scales(n, s, x, p);
    for (std::size_t c = 0; c < s.in[0]; ++c) y[c * plane + p] = x[c * plane + p] * std::pow(scales[c], -static_cast<T>(n.beta));
  }
}

/// dx_c = dy_c s_c^-beta - 2 alpha beta / size x_c sum_{d around c} dy_d y_d / s_d
template <class T>
void backward(layer::lrn const& n, site const& s, T const*, T const* x, T const* y, T const* dy, T* dx) {
  std::size_t const plane = s.in[1] * s.in[2], half = n.size / 2;
  T const factor = 2 * static_cast<T>(n.alpha) * static_cast<T>(n.beta) / static_cast<T>(n.size);
  for (std::size_t p = 0; p < plane; ++p) {
    auto const scales = lrn_scales(n, s, x, p);
    for (std::size_t c = 0; c < s.in[0]; ++c) {
      T sum = 0;
      for (std::size_t d = c < half ? 0 : c - half; d < std::min(c + half + 1, s.in[0]); ++d)
        sum += dy[d * plane + p] * y[d * plane + p] / scales[d];
      dx[c * plane + p] += dy[c * plane + p] * std::pow(scales[c], -static_cast<T>(n.beta)) - factor * x[c * plane + p] * sum;
    }
  }
}

// ---- layers of several inputs: x is one of them, `first` where its values begin in the output --------------------------------------

template <class T>
void forward(layer::concat const&, std::size_t size, std::size_t first, T const* x, T* y) {
  std::copy_n(x, size, y + first);
}

template <class T>
void backward(layer::concat const&, std::size_t size, std::size_t first, T const* dy, T* dx) {
  for (std::size_t i = 0; i < size; ++i) dx[i] += dy[first + i];
}

/// Adds to y, which the first input finds at zero.
template <class T>
void forward(layer::sum const&, std::size_t size, std::size_t, T const* x, T* y) {
  for (std::size_t i = 0; i < size; ++i) y[i] += x[i];
}

template <class T>
void backward(layer::sum const&, std::size_t size, std::size_t, T const* dy, T* dx) {
  for (std::size_t i = 0; i < size; ++i) dx[i] += dy[i];
}

}  // namespace pareidolia::detail::reference
