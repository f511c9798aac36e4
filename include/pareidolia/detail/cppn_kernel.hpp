// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/colour_spaces.hpp>
#include <pareidolia/detail/cppn_program.hpp>
#include <pareidolia/detail/vector_math.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pareidolia::detail {

/// How the outputs of a network become the channels of an image: the options of that name of the encoding.
struct cppn_colouring {
  cppn_colours colours;
  float hue_turns, levels;
};

/// x <- the activation of x.
template <cppn_activation Activation, class Floats>
[[gnu::always_inline]] inline void activate(Floats& x) {
  if constexpr (Activation == cppn_activation::sine) {
    vector_sin(x);
  } else if constexpr (Activation == cppn_activation::sigmoid) {
    vector_exp(x);
    x = 1.f - 2.f / (1.f + x);
  } else if constexpr (Activation == cppn_activation::gaussian) {
    x = -x * x;
    vector_exp(x);
  } else {
    Floats const bound = Floats{} + 3.f;
    x = x > bound ? bound : x;
    x = x < -bound ? -bound : x;
    x = x * (1 / 3.f);
  }
}

/// Renders one network on one image: a Kernel for detail/dispatch.hpp.
struct cppn_kernel {
  /// `scratch` has a tile for each plane of the program; `image` (channels, height, width) receives the colours.
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(cppn_program const& program, cppn_planes const& planes, cppn_colouring const& colouring,
                                         std::span<cppn_tile> const& scratch, std::span<float> const& image) {
    constexpr std::size_t stride = 2 * Lanes;
    for (std::size_t tile = 0, begin = 0; begin < planes.pixels; ++tile, begin += cppn_tile::pixels) {
      std::size_t const pixels = std::min(cppn_tile::pixels, planes.pixels - begin), count = (pixels + stride - 1) / stride * stride;
      for (std::size_t i = 0; i < 3; ++i) scratch[i] = planes.inputs[i][tile];
      for (std::size_t k = 0; k < program.steps.size(); ++k) {
        auto const& step = program.steps[k];
        float* const result = scratch[3 + k].values;
        switch (step.activation) {
          case cppn_activation::sine:
            evaluate<cppn_activation::sine, Lanes>(program, step, scratch, count, result);
            break;
          case cppn_activation::sigmoid:
            evaluate<cppn_activation::sigmoid, Lanes>(program, step, scratch, count, result);
            break;
          case cppn_activation::gaussian:
            evaluate<cppn_activation::gaussian, Lanes>(program, step, scratch, count, result);
            break;
          case cppn_activation::linear:
            evaluate<cppn_activation::linear, Lanes>(program, step, scratch, count, result);
            break;
        }
      }
      std::array<float*, 3> channel{};
      for (std::size_t c = 0; c < 3; ++c) channel[c] = scratch[program.outputs[std::min(c, program.outputs.size() - 1)]].values;
      colour<Lanes>(colouring, count, channel);
      for (std::size_t c = 0; c < image.size() / planes.pixels; ++c) std::copy_n(channel[c], pixels, &image[c * planes.pixels + begin]);
    }
  }

 private:
  /// result[i] = activation(constant + sum of the terms), two vectors at a time so that one is worked on while the other waits.
  template <cppn_activation Activation, std::size_t Lanes>
  [[gnu::always_inline]] static void evaluate(cppn_program const& program, cppn_program::step const& step,
                                              std::span<cppn_tile const> const& planes, std::size_t count, float* result) {
    using floats = typename vectors<Lanes>::floats;
    for (std::size_t i = 0; i < count; i += 2 * Lanes) {
      floats a = floats{} + step.constant, b = a;
      for (std::uint32_t t = step.first; t < step.last; ++t) {
        auto const [weight, plane] = program.terms[t];
        floats x, y;
        load(planes[plane].values + i, x);
        load(planes[plane].values + i + Lanes, y);
        a = a + weight * x;
        b = b + weight * y;
      }
      activate<Activation>(a);
      activate<Activation>(b);
      store(a, result + i);
      store(b, result + i + Lanes);
    }
  }

  /// Outputs to colours, in place.
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void colour(cppn_colouring const& colouring, std::size_t count, std::array<float*, 3> const& channel) {
    using floats = typename vectors<Lanes>::floats;
    std::size_t const outputs = colouring.colours == cppn_colours::grey ? 1 : 3;
    for (std::size_t i = 0; i < count; i += Lanes) {
      floats v[3];
      for (std::size_t c = 0; c < outputs; ++c) {
        load(channel[c] + i, v[c]);
        v[c] = v[c] < 0.f ? -v[c] : v[c];
        quantise(colouring.levels, 0.f, v[c]);
      }
      if (colouring.colours == cppn_colours::hsv) hsv_space::to_rgb(colouring.hue_turns, v);
      if (colouring.colours == cppn_colours::hls) hls_space::to_rgb(colouring.hue_turns, v);
      for (std::size_t c = 0; c < outputs; ++c) {
        if (outputs == 3) quantise(colouring.levels, 0.5f, v[c]);
        store(v[c], channel[c] + i);
      }
    }
  }

  /// x <- trunc(x (levels - 1) + shift) / (levels - 1) for levels > 0, at most 1. x >= 0.
  template <class Floats>
  [[gnu::always_inline]] static void quantise(float levels, float shift, Floats& x) {
    Floats const one = Floats{} + 1.f;
    x = x > one ? one : x;
    if (levels > 0) {
      x = x * (levels - 1) + shift;
      vector_truncate(x);
      x = x / (levels - 1);
    }
  }
};

}  // namespace pareidolia::detail
