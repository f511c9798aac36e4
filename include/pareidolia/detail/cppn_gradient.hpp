// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cppn_kernel.hpp>
#include <pareidolia/detail/cppn_program.hpp>
#include <pareidolia/detail/vector_math.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// x <- the activation of x, slope <- its derivative there. The linear one is flat where it is cut off.
template <cppn_activation Activation, class Floats>
[[gnu::always_inline]] inline void activate(Floats& x, Floats& slope) {
  if constexpr (Activation == cppn_activation::sine) {
    vector_sin_cos(x, slope);
  } else if constexpr (Activation == cppn_activation::sigmoid) {
    activate<Activation>(x);
    slope = 0.5f * (1.f - x * x);
  } else if constexpr (Activation == cppn_activation::gaussian) {
    slope = -2.f * x;
    activate<Activation>(x);
    slope = slope * x;
  } else {
    Floats const third = Floats{} + 1 / 3.f;
    slope = x < 3.f ? third : Floats{};
    slope = x > -3.f ? slope : Floats{};
    activate<Activation>(x);
  }
}

/// What a thread needs to go back through programs; its memory is used again.
struct cppn_gradient_scratch {
  std::vector<cppn_tile> values, slopes, adjoints;  ///< of the planes; of the steps, the derivatives of the activations and of the image
  std::vector<double> sums;                         ///< the answer: the derivatives by the weights of the terms, then by the constants

  void fit(cppn_program const& program) {
    std::size_t const steps = program.steps.size();
    values.resize(std::max(values.size(), 3 + steps));
    slopes.resize(std::max(slopes.size(), steps));
    adjoints.resize(std::max(adjoints.size(), steps));
    sums.assign(program.terms.size() + steps, 0.0);
  }
};

/// Derivatives of <image, seeds> by the weights of the network that draws the image: a Kernel for detail/dispatch.hpp.
///
/// Backpropagation through a tile of pixels at a time. The image is the one before its values are rounded to levels.
struct cppn_gradient {
  /// `scratch` fits the program; `seeds` (channels, height, width).
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(cppn_program const& program, cppn_planes const& planes, cppn_colouring const& colouring,
                                         cppn_gradient_scratch* const& scratch, std::span<float const> const& seeds) {
    constexpr std::size_t stride = 2 * Lanes;
    std::size_t const channels = seeds.size() / planes.pixels;
    std::array<cppn_tile, 3> seed{};
    for (std::size_t tile = 0, begin = 0; begin < planes.pixels; ++tile, begin += cppn_tile::pixels) {
      std::size_t const pixels = std::min(cppn_tile::pixels, planes.pixels - begin), count = (pixels + stride - 1) / stride * stride;
      for (std::size_t i = 0; i < 3; ++i) scratch->values[i] = planes.inputs[i][tile];
      for (std::size_t c = 0; c < channels; ++c) {
        std::copy_n(&seeds[c * planes.pixels + begin], pixels, seed[c].values);
        std::fill(seed[c].values + pixels, seed[c].values + count, 0.f);  // beyond the image nothing counts
      }
      for (std::size_t k = 0; k < program.steps.size(); ++k) {
        evaluate<Lanes>(program, k, *scratch, count);
        std::fill_n(scratch->adjoints[k].values, count, 0.f);
      }
      uncolour<Lanes>(program, colouring, channels, seed, *scratch, count);
      for (std::size_t k = program.steps.size(); k-- > 0;) go_back<Lanes>(program, k, *scratch, count);
    }
  }

 private:
  /// The values and slopes of step k.
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void evaluate(cppn_program const& program, std::size_t k, cppn_gradient_scratch& scratch,
                                              std::size_t count) {
    switch (program.steps[k].activation) {
      case cppn_activation::sine:
        return evaluate<cppn_activation::sine, Lanes>(program, k, scratch, count);
      case cppn_activation::sigmoid:
        return evaluate<cppn_activation::sigmoid, Lanes>(program, k, scratch, count);
      case cppn_activation::gaussian:
        return evaluate<cppn_activation::gaussian, Lanes>(program, k, scratch, count);
      case cppn_activation::linear:
        return evaluate<cppn_activation::linear, Lanes>(program, k, scratch, count);
    }
  }
  template <cppn_activation Activation, std::size_t Lanes>
  [[gnu::always_inline]] static void evaluate(cppn_program const& program, std::size_t k, cppn_gradient_scratch& scratch,
                                              std::size_t count) {
    using floats = typename vectors<Lanes>::floats;
    auto const& step = program.steps[k];
    float *const value = scratch.values[3 + k].values, *const slope = scratch.slopes[k].values;
    for (std::size_t i = 0; i < count; i += 2 * Lanes) {
      floats a = floats{} + step.constant, b = a, a_slope, b_slope;
      for (std::uint32_t t = step.first; t < step.last; ++t) {
        auto const [weight, plane] = program.terms[t];
        floats x, y;
        load(scratch.values[plane].values + i, x);
        load(scratch.values[plane].values + i + Lanes, y);
        a = a + weight * x;
        b = b + weight * y;
      }
      activate<Activation>(a, a_slope);
      activate<Activation>(b, b_slope);
      store(a, value + i);
      store(b, value + i + Lanes);
      store(a_slope, slope + i);
      store(b_slope, slope + i + Lanes);
    }
  }

  /// From the adjoint of step k to the derivatives by its weights and constant, and to the adjoints of the steps it reads.
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void go_back(cppn_program const& program, std::size_t k, cppn_gradient_scratch& scratch,
                                             std::size_t count) {
    using floats = typename vectors<Lanes>::floats;
    auto const& step = program.steps[k];
    float* const delta = scratch.adjoints[k].values;  // by the sum that enters the activation
    floats total{};
    for (std::size_t i = 0; i < count; i += Lanes) {
      floats d, slope;
      load(delta + i, d);
      load(scratch.slopes[k].values + i, slope);
      d = d * slope;
      total = total + d;
      store(d, delta + i);
    }
    add_lanes<Lanes>(total, scratch.sums[program.terms.size() + k]);
    for (std::uint32_t t = step.first; t < step.last; ++t) {
      auto const [weight, plane] = program.terms[t];
      multiply<Lanes>(delta, scratch.values[plane].values, count, scratch.sums[t]);
      if (plane >= 3) add<Lanes>(weight, delta, count, scratch.adjoints[plane - 3].values);
    }
  }

  /// sum <- sum + <a, b>, in two sums so that one is worked on while the other waits.
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void multiply(float const* a, float const* b, std::size_t count, double& sum) {
    typename vectors<Lanes>::floats even{}, odd{}, x, y;
    for (std::size_t i = 0; i < count; i += 2 * Lanes) {
      load(a + i, x);
      load(b + i, y);
      even = even + x * y;
      load(a + i + Lanes, x);
      load(b + i + Lanes, y);
      odd = odd + x * y;
    }
    even = even + odd;
    add_lanes<Lanes>(even, sum);
  }

  /// b <- b + weight a.
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void add(float weight, float const* a, std::size_t count, float* b) {
    typename vectors<Lanes>::floats x, y;
    for (std::size_t i = 0; i < count; i += Lanes) {
      load(a + i, x);
      load(b + i, y);
      y = y + weight * x;
      store(y, b + i);
    }
  }

  template <std::size_t Lanes, class Floats>
  [[gnu::always_inline]] static void add_lanes(Floats const& total, double& sum) {
    std::array<float, Lanes> lanes;
    store(total, lanes.data());
    float all = 0;
    for (float lane : lanes) all += lane;
    sum += double{all};
  }

  /// From the seeds of the channels to the adjoints of the outputs.
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void uncolour(cppn_program const& program, cppn_colouring const& colouring, std::size_t channels,
                                              std::array<cppn_tile, 3> const& seed, cppn_gradient_scratch& scratch, std::size_t count) {
    using floats = typename vectors<Lanes>::floats;
    std::size_t const outputs = program.outputs.size();
    for (std::size_t i = 0; i < count; i += Lanes) {
      floats answer[3], g[3], v[3], d[3];
      for (std::size_t c = 0; c < channels; ++c) load(seed[c].values + i, g[c]);
      for (std::size_t c = 0; c < outputs; ++c) {
        load(scratch.values[program.outputs[c]].values + i, answer[c]);
        v[c] = answer[c] < 0.f ? -answer[c] : answer[c];
      }
      if (colouring.colours == cppn_colours::hsv) {
        hsv_adjoint(colouring.hue_turns, v, g, d);
      } else if (colouring.colours == cppn_colours::hls) {
        hls_adjoint(colouring.hue_turns, v, g, d);
      } else {
        d[0] = g[0];
        for (std::size_t c = 1; c < channels; ++c) d[0] = d[0] + g[c];
      }
      for (std::size_t c = 0; c < outputs; ++c) {
        float* const adjoint = scratch.adjoints[program.outputs[c] - 3].values + i;
        floats sum;
        load(adjoint, sum);
        sum = sum + (answer[c] < 0.f ? -d[c] : d[c]);
        store(sum, adjoint);
      }
    }
  }

  /// The formulas of cppn_kernel: a channel is V - V S f.
  template <class Floats>
  [[gnu::always_inline]] static void hsv_adjoint(float turns, Floats const (&v)[3], Floats const (&g)[3], Floats (&d)[3]) {
    d[0] = d[1] = d[2] = Floats{};
    for (std::size_t c = 0; c < 3; ++c) {
      Floats k, f, slope;
      hue_angle(v[0] * turns + (5.f - 2.f * static_cast<float>(c)) / 6.f, 6, k);
      ramp(k, 4.f - k, 0, f, slope);
      d[0] = d[0] - g[c] * v[1] * v[2] * slope * (6 * turns);
      d[1] = d[1] - g[c] * v[2] * f;
      d[2] = d[2] + g[c] * (1.f - v[1] * f);
    }
  }

  /// Likewise: a channel is L - S min(L, 1 - L) f.
  template <class Floats>
  [[gnu::always_inline]] static void hls_adjoint(float turns, Floats const (&v)[3], Floats const (&g)[3], Floats (&d)[3]) {
    Floats const dark = 1.f - v[1], one = Floats{} + 1.f;
    Floats const room = v[1] < dark ? v[1] : dark, room_slope = v[1] < dark ? one : -one;
    d[0] = d[1] = d[2] = Floats{};
    for (std::size_t c = 0; c < 3; ++c) {
      Floats k, f, slope;
      hue_angle(v[0] * turns + static_cast<float>((3 - c) % 3) / 3.f, 12, k);
      ramp(k - 3.f, 9.f - k, -1, f, slope);
      d[0] = d[0] - g[c] * v[2] * room * slope * (12 * turns);
      d[1] = d[1] + g[c] * (1.f - v[2] * room_slope * f);
      d[2] = d[2] - g[c] * room * f;
    }
  }

  /// k <- what is left of `turns` after whole ones, times `parts`.
  template <class Floats>
  [[gnu::always_inline]] static void hue_angle(Floats const& turns, float parts, Floats& k) {
    k = (turns - __builtin_convertvector(__builtin_convertvector(turns, ints_of<Floats>), Floats)) * parts;
  }

  /// f <- clamp(min(up, down), low, 1), where up grows as fast as down falls; slope <- its derivative by up.
  template <class Floats>
  [[gnu::always_inline]] static void ramp(Floats const& up, Floats const& down, float low, Floats& f, Floats& slope) {
    Floats const one = Floats{} + 1.f, lowest = Floats{} + low;
    f = up < down ? up : down;
    slope = up < down ? one : -one;
    slope = f > lowest ? slope : Floats{};
    slope = f < one ? slope : Floats{};
    f = f < lowest ? lowest : f;
    f = f > one ? one : f;
  }
};

}  // namespace pareidolia::detail
