// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/objective.hpp>

#include <cstddef>

namespace pareidolia {

/// An addend that keeps images near their canvas c: v -= weight ||x - c||_2^2 / n, n the number of values of an image.
///
/// The mean, not the sum, so that a weight means the same for images of every size: one that is off by 0.1 everywhere costs 0.01 weight.
/// Szegedy et al. (ICLR 2014) and Carlini and Wagner (S&P 2017) add the sum with a constant c on the other side: c = n / weight.
/// Gradient: -2 weight (x - c) / n. Cost: one pass over the images.
struct distortion {
  float weight = 1;

  template <class A>
  void settings(A& a) const {
    a.setting("distortion.weight", weight);
  }

  void add_value(const_image_view<space::host> x, const_image_view<space::host> canvas, value_view<space::host> v) const {
    parallel_for(x.shape[0], [&](std::size_t i, std::size_t) {
      auto const image = x.row(i), from = canvas.row(i % canvas.shape[0]);
      double sum = 0;
      for (std::size_t j = 0; j < image.size(); ++j) {
        double const r = double{image[j]} - double{from[j]};
        sum += r * r;
      }
      v.data[i] -= weight * static_cast<float>(sum / static_cast<double>(image.size()));
    });
  }

  void add_gradient(const_image_view<space::host> x, const_image_view<space::host> canvas, image_view<space::host> dx) const {
    float const factor = 2 * weight / static_cast<float>(x.stride());
    parallel_for(x.shape[0], [&](std::size_t i, std::size_t) {
      auto const image = x.row(i), from = canvas.row(i % canvas.shape[0]);
      auto const gradient = dx.row(i);
      for (std::size_t j = 0; j < image.size(); ++j) gradient[j] -= factor * (image[j] - from[j]);
    });
  }

  // The same in device memory: objectives/device/distortion.hpp, which comes with an engine for devices.
  void add_value(const_image_view<space::device> x, const_image_view<space::device> canvas, value_view<space::device> v) const;
  void add_gradient(const_image_view<space::device> x, const_image_view<space::device> canvas, image_view<space::device> dx) const;
};

static_assert(ImageAddend<distortion, space::host>);

}  // namespace pareidolia
