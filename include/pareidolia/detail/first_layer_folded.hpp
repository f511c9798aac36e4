// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/parallel.hpp>
#include <pareidolia/models/graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace pareidolia::detail {

/// A strided convolution of an image as one of stride 1: each s x s' square of pixels becomes s s' channels (space to depth), and a k x k'
/// kernel one of ceil(k / s) x ceil(k' / s'). Exact: AlexNet's 11x11 at stride 4 on 3 channels is a 3x3 on 48.
///
/// Channel (c s + a) s' + b of z at (i, j) is x(c, s i + a - p, s' j + b - p'), and 0 outside of x. z has its channels in blocks of 16,
/// filled up with zeros: (count, blocks, height, width, 16). s' must divide 16.
struct folded_strides {
  layer::convolution original;
  image_shape in, out;  ///< of the original
  friend bool operator==(folded_strides const&, folded_strides const&) = default;

  static constexpr std::size_t block = 16;

  [[nodiscard]] layer::convolution convolution() const {
    auto const folded = [&](std::size_t d) { return (original.kernel[d] + original.stride[d] - 1) / original.stride[d]; };
    return {.outputs = original.outputs, .kernel = {folded(0), folded(1)}, .bias = original.bias};
  }
  /// Shape of z.
  [[nodiscard]] image_shape input() const {
    auto const kernel = convolution().kernel;
    return {(channels() + block - 1) / block * block, out[1] + kernel[0] - 1, out[2] + kernel[1] - 1};
  }

  /// w (outputs, channels, k, k') to (outputs, channels of z, folded kernel).
  void weights(float const* w, float* folded) const {
    auto const [height, width] = convolution().kernel;
    std::size_t const depth = input()[0];
    std::fill_n(folded, original.outputs * depth * height * width, 0.f);
    for (std::size_t o = 0; o < original.outputs; ++o)
      for (std::size_t c = 0; c < in[0]; ++c)
        for (std::size_t u = 0; u < original.kernel[0]; ++u)
          for (std::size_t v = 0; v < original.kernel[1]; ++v, ++w) {
            auto const [s, t] = original.stride;
            folded[((o * depth + (c * s + u % s) * t + v % t) * height + u / s) * width + v / t] = *w;
          }
  }

  /// x (count, channels, height, width) to z.
  void images(std::size_t count, float const* x, float* z) const {
    if (channels() % block != 0) std::fill_n(z, count * checked_product(input()), 0.f);
    each_row(
        count,
        [&](float const* pixels, float* squares, auto run) {
          for (std::size_t j = 0, column = 0 - original.padding[1]; j < input()[2]; ++j, column += run, squares += block) {
            if (pixels && column < in[2] && column + run <= in[2])
              std::memcpy(squares, pixels + column, run * sizeof(float));
            else
              for (std::size_t b = 0; b < run; ++b) squares[b] = pixels && column + b < in[2] ? pixels[column + b] : 0.f;
          }
        },
        x, z);
  }

  /// The derivative of z to that of x: the transpose of images().
  void gradient(std::size_t count, float const* dz, float* dx) const {
    std::fill_n(dx, count * checked_product(in),
                0.f);  // pixels that no window reaches
    each_row(
        count,
        [&](float* pixels, float const* squares, auto run) {
          if (!pixels) return;
          for (std::size_t j = 0, column = 0 - original.padding[1]; j < input()[2]; ++j, column += run, squares += block) {
            if (column < in[2] && column + run <= in[2])
              std::memcpy(pixels + column, squares, run * sizeof(float));
            else
              for (std::size_t b = 0; b < run; ++b)
                if (column + b < in[2]) pixels[column + b] = squares[b];
          }
        },
        dx, dz);
  }

 private:
  [[nodiscard]] std::size_t channels() const { return in[0] * original.stride[0] * original.stride[1]; }

  /// Calls body(row of x or null, the same row in z, s') for each row of squares of z and each row of pixels in them.
  template <class Body, class Pixel, class Square>
  void each_row(std::size_t count, Body const& body, Pixel* x, Square* z) const {
    auto const [s, t] = original.stride;
    auto const [depth, height, width] = input();
    parallel_for(count * in[0], [&, s = s, t = t, depth = depth, height = height, width = width](std::size_t item, std::size_t) {
      std::size_t const image = item / in[0], c = item % in[0];
      for (std::size_t a = 0; a < s; ++a)
        for (std::size_t i = 0; i < height; ++i) {
          std::size_t const k = (c * s + a) * t,
                            row = s * i + a - original.padding[0];  // wraps below zero: fails the test
          Pixel* const pixels = row < in[1] ? x + (item * in[1] + row) * in[2] : nullptr;
          Square* const squares = z + (((image * depth + k) / block * height + i) * width) * block + k % block;
          if (t == 4)
            body(pixels, squares, std::integral_constant<std::size_t, 4>{});
          else
            body(pixels, squares, t);
        }
    });
  }
};

}  // namespace pareidolia::detail
