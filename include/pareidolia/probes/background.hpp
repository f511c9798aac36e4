// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/filters.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>

namespace pareidolia {

/// What is seen around a patch that is shown alone.
enum class background_kind {
  grey,         ///< 0.5
  mean_colour,  ///< the mean of each channel over the image
  black,        ///< 0
  blurred,      ///< the image, smoothed by a Gaussian
  noise,        ///< each value uniform in [0, 1)
};

/// The canvas on which patches of an image are shown. Which one the networks of Ouarti and Carmona (2018) saw is not known, so it is a
/// setting of every probe.
///
/// Cost: host arithmetic, once for each image; a blur takes 8 sigma side multiplications a pixel. Errors: a sigma that is not positive,
/// noise without `random`.
struct background {
  background_kind kind = background_kind::mean_colour;
  float sigma = .1f;               ///< of `blurred`: standard deviation as a share of the image's shorter side
  std::optional<rng> random = {};  ///< of `noise`: image i draws from its stream i

  void check() const {
    if (!(sigma > 0 && sigma <= 10)) detail::fail("background: sigma is ", sigma, "; give a share of the image's side, in (0, 10]");
    if (kind == background_kind::noise && !random) detail::fail("background: noise is drawn at random; give it an rng");
  }

  /// Whether each image has a background of its own.
  [[nodiscard]] bool varies() const { return kind != background_kind::grey && kind != background_kind::black; }

  /// out = the background of image number `id`; both (channels, height, width).
  void fill(std::span<float const> image, std::span<float> out, image_shape const& shape, std::uint64_t id) const {
    std::size_t const plane = shape[1] * shape[2];
    switch (kind) {
      case background_kind::grey:
        std::fill(out.begin(), out.end(), .5f);
        break;
      case background_kind::black:
        std::fill(out.begin(), out.end(), 0.f);
        break;
      case background_kind::mean_colour:
        for (std::size_t c = 0; c < shape[0]; ++c) {
          auto const channel = image.subspan(c * plane, plane);
          double const sum = std::accumulate(channel.begin(), channel.end(), 0.);
          std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(c * plane), plane, static_cast<float>(sum / static_cast<double>(plane)));
        }
        break;
      case background_kind::blurred: {
        std::copy(image.begin(), image.end(), out.begin());
        std::array const pixels{sigma * static_cast<float>(std::min(shape[1], shape[2]))};
        blur_rows(pixels, shape, {out.data(), {1, out.size()}});
        for (float& v : out) v = std::clamp(v, 0.f, 1.f);  // the weights sum to 1 but for rounding
        break;
      }
      case background_kind::noise: {
        auto stream = random->stream(id);
        for (float& v : out) v = stream.uniform();
        break;
      }
    }
  }

  /// The backgrounds of these images (count, channels, height, width): one for each, or one for all where they are the same.
  [[nodiscard]] tensor<float, 4> canvases(const_image_view<space::host> images) const {
    check();
    auto const [count, channels, height, width] = images.shape;
    image_shape const shape{channels, height, width};
    auto result = filled<float, 4>({varies() ? count : 1, channels, height, width});
    auto const out = as_view(result);
    parallel_for(out.shape[0], [&](std::size_t i, std::size_t) { fill(images.row(i), out.row(i), shape, i); });
    return result;
  }
};

}  // namespace pareidolia
