// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/objective.hpp>

#include <cmath>
#include <cstddef>

namespace pareidolia {

/// An addend that keeps images smooth: v -= weight TV(x) / n, n the number of values of an image.
///
/// The isotropic total variation of Rudin, Osher and Fatemi (1992), each channel by itself, smoothed to have a derivative everywhere:
///     TV(x) = sum_{c,h,w} (sqrt(a^2 + b^2 + s^2) - s),  a = x(c, h, w+1) - x(c, h, w),  b = x(c, h+1, w) - x(c, h, w),
/// with differences beyond the border 0. Steps far above s cost their height, those far below next to nothing; a flat image costs 0. The
/// canvas does not matter: what is kept smooth is the image, not what was added to it. Cost: one pass over the images.
struct total_variation {
  float weight = 1;
  float smoothing = 1 / 255.f;  ///< s > 0, in units of the pixels; default: a step of an 8-bit image

  template <class A>
  void settings(A& a) const {
    a.setting("total_variation.weight", weight);
    a.setting("total_variation.smoothing", smoothing);
  }

  void add_value(const_image_view<space::host> x, const_image_view<space::host>, value_view<space::host> v) const {
    parallel_for(x.shape[0], [&](std::size_t i, std::size_t) {
      double sum = 0;
      each_step(x, i, [&](std::size_t, float, float, float length) { sum += double{length - smoothing}; });
      v.data[i] -= weight * static_cast<float>(sum / static_cast<double>(x.stride()));
    });
  }

  /// Each length takes part in the derivatives by its three pixels: -(a + b), a and b over the length.
  void add_gradient(const_image_view<space::host> x, const_image_view<space::host>, image_view<space::host> dx) const {
    float const factor = weight / static_cast<float>(x.stride());
    std::size_t const width = x.shape[3];
    parallel_for(x.shape[0], [&](std::size_t i, std::size_t) {
      float* const gradient = dx.row(i).data();
      each_step(x, i, [&](std::size_t j, float a, float b, float length) {
        float const share = factor / length;
        gradient[j] += share * (a + b);
        if (a != 0) gradient[j + 1] -= share * a;
        if (b != 0) gradient[j + width] -= share * b;
      });
    });
  }

  // The same in device memory: objectives/device/total_variation.hpp, which comes with an engine for devices.
  void add_value(const_image_view<space::device> x, const_image_view<space::device> canvas, value_view<space::device> v) const;
  void add_gradient(const_image_view<space::device> x, const_image_view<space::device> canvas, image_view<space::device> dx) const;

 private:
  /// Calls visit(j, a, b, sqrt(a^2 + b^2 + s^2)) for the values j of image i.
  template <class Visit>
  void each_step(const_image_view<space::host> x, std::size_t i, Visit const& visit) const {
    auto const [count, channels, height, width] = x.shape;
    float const* const image = x.row(i).data();
    for (std::size_t line = 0; line < channels * height; ++line) {
      bool const last = line % height == height - 1;
      for (std::size_t w = 0; w < width; ++w) {
        std::size_t const j = line * width + w;
        float const a = w + 1 < width ? image[j + 1] - image[j] : 0;
        float const b = last ? 0 : image[j + width] - image[j];
        visit(j, a, b, std::sqrt(a * a + b * b + smoothing * smoothing));
      }
    }
  }
};

static_assert(ImageAddend<total_variation, space::host>);

}  // namespace pareidolia
