// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/plain_layers.hpp>
#include <pareidolia/models/graph.hpp>

#include <xtensor-blas/xlinalg.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

// The layers that have parameters or several inputs; the others are in plain_layers.hpp. Together the definition of every layer, one image
// at a time, as plainly as it can be said: the oracle of the tests.
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

// ---- per channel: y_c = w_c x_c + b_c -----------------------------------------------------------------------------------------------

template <class T>
void forward(layer::scale const& l, site const& s, T const* theta, T const* x, T* y) {
  std::size_t const channels = s.in[0], plane = s.in[1] * s.in[2];
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t p = c * plane; p < (c + 1) * plane; ++p) y[p] = theta[c] * x[p] + (l.bias ? theta[channels + c] : T{0});
}

template <class T>
void backward(layer::scale const&, site const& s, T const* theta, T const*, T const*, T const* dy, T* dx) {
  std::size_t const plane = s.in[1] * s.in[2];
  for (std::size_t c = 0; c < s.in[0]; ++c)
    for (std::size_t p = c * plane; p < (c + 1) * plane; ++p) dx[p] += theta[c] * dy[p];
}

template <class T>
void backward_weights(layer::scale const& l, site const& s, T const* x, T const* dy, T* dtheta) {
  std::size_t const channels = s.in[0], plane = s.in[1] * s.in[2];
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t p = c * plane; p < (c + 1) * plane; ++p) {
      dtheta[c] += dy[p] * x[p];
      if (l.bias) dtheta[channels + c] += dy[p];
    }
}

// ---- batch normalisation: y_c = w_c (x_c - m_c) / sqrt(v_c + epsilon) + b_c --------------------------------------------------------

/// The four numbers of a channel, and 1 / sqrt(v + epsilon).
template <class T>
struct normalised_channel {
  T weight, bias, mean, inverse;

  normalised_channel(layer::batch_normalization const& l, site const& s, T const* theta, std::size_t c)
      : weight(l.affine ? theta[c] : T{1}), bias(l.affine ? theta[s.in[0] + c] : T{0}) {
    T const* const statistics = theta + (l.affine ? 2 * s.in[0] : 0);
    mean = statistics[c];
    inverse = 1 / std::sqrt(statistics[s.in[0] + c] + static_cast<T>(l.epsilon));
  }
};

template <class T>
void forward(layer::batch_normalization const& l, site const& s, T const* theta, T const* x, T* y) {
  std::size_t const plane = s.in[1] * s.in[2];
  for (std::size_t c = 0; c < s.in[0]; ++c) {
    normalised_channel<T> const n(l, s, theta, c);
    for (std::size_t p = c * plane; p < (c + 1) * plane; ++p) y[p] = n.weight * (x[p] - n.mean) * n.inverse + n.bias;
  }
}

template <class T>
void backward(layer::batch_normalization const& l, site const& s, T const* theta, T const*, T const*, T const* dy, T* dx) {
  std::size_t const plane = s.in[1] * s.in[2];
  for (std::size_t c = 0; c < s.in[0]; ++c) {
    normalised_channel<T> const n(l, s, theta, c);
    for (std::size_t p = c * plane; p < (c + 1) * plane; ++p) dx[p] += n.weight * n.inverse * dy[p];
  }
}

template <class T>
void backward_weights(layer::batch_normalization const&, site const&, T const*, T const*, T*) {
  fail("reference engine: the statistics of a batch normalisation are constants; fold() it before weights are learned, as network does");
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
