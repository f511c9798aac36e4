// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace pareidolia {

/// Colours that stand for values: from dark to light, or from blue over white, which is 0, to red.
enum class palette { sequential, diverging };

/// What the colours of a map mean. Values outside are drawn as the nearer end.
struct heat_scale {
  /// Of the first and the last colour. Equal: the least and the greatest value of the map, or, for a diverging palette, as far below 0 as
  /// above it, up to the value that is farthest from it.
  double low = 0, high = 0;
  palette colours = palette::sequential;
  std::string unit = {};
};

/// The rectangle of an image over which the values of a map are spread, in pixels; it may have fractions and reach over the edges.
/// No height or width: the whole image.
struct map_extent {
  double top = 0, left = 0;
  double height = 0, width = 0;
};

namespace detail {

using colour = std::array<float, 3>;  ///< RGB in [0, 1]

[[nodiscard]] constexpr colour rgb(int hexadecimal) {
  auto const part = [&](int shift) { return static_cast<float>(hexadecimal >> shift & 255) / 255.f; };
  return {part(16), part(8), part(0)};
}

/// Nine colours of viridis (S. van der Walt, N. Smith), whose lightness rises evenly, also in grey and for the colour-blind.
inline constexpr std::array sequential_colours{rgb(0x440154), rgb(0x472d7b), rgb(0x3b528b), rgb(0x2c728e), rgb(0x21918c),
                                               rgb(0x28ae80), rgb(0x5ec962), rgb(0xaddc30), rgb(0xfde725)};
/// Both sides of white equally dark.
inline constexpr std::array diverging_colours{rgb(0x19499a), rgb(0x6f9dd6), rgb(0xffffff), rgb(0xe88069), rgb(0xa31920)};

[[nodiscard]] inline std::span<colour const> colours_of(palette p) {
  return p == palette::sequential ? std::span<colour const>(sequential_colours) : std::span<colour const>(diverging_colours);
}

/// The colour at t in [0, 1] of a palette, linear between its entries.
[[nodiscard]] inline colour colour_at(palette p, double t) {
  auto const entries = colours_of(p);
  double const place = std::clamp(t, 0., 1.) * static_cast<double>(entries.size() - 1);
  auto const first = std::min(static_cast<std::size_t>(place), entries.size() - 2);
  auto const weight = static_cast<float>(place - static_cast<double>(first));
  colour result;
  for (std::size_t c = 0; c < 3; ++c) result[c] = (1 - weight) * entries[first][c] + weight * entries[first + 1][c];
  return result;
}

/// The scale with the ends that a map of these values has. Errors: no values, one that is not finite, ends that are not finite or not in
/// order, a diverging scale that does not contain 0.
[[nodiscard]] inline heat_scale resolved(heat_scale scale, view<float const, 2> values) {
  if (values.size() == 0) fail("heat_map: values is ", values.shape[0], "x", values.shape[1], "; give at least one");
  for (std::size_t k = 0; k < values.size(); ++k)
    if (!std::isfinite(values.data[k]))
      fail("heat_map: values(", k / values.shape[1], ", ", k % values.shape[1], ") is ", values.data[k], "; give finite values");
  if (!std::isfinite(scale.high - scale.low) || scale.low > scale.high)
    fail("heat_map: scale goes from ", scale.low, " to ", scale.high, "; give finite ends, the lower first");
  bool const diverging = scale.colours == palette::diverging;
  if (scale.low == scale.high) {
    auto const [least, greatest] = std::minmax_element(values.data, values.data + values.size());
    scale.low = double{*least}, scale.high = double{*greatest};
    if (diverging) scale.low = -(scale.high = std::max(std::abs(scale.low), std::abs(scale.high)));
  } else if (diverging && (scale.low >= 0 || scale.high <= 0)) {
    fail("heat_map: a diverging scale from ", scale.low, " to ", scale.high, " has no 0 inside; give ends on both sides of it");
  }
  return scale;
}

/// Where a value is in the palette of a resolved scale: 0 the first colour, 1 the last.
[[nodiscard]] inline double place_in(heat_scale const& scale, double v) {
  if (scale.colours == palette::diverging) return v == 0 ? .5 : .5 + .5 * (v < 0 ? -v / scale.low : v / scale.high);
  return scale.high > scale.low ? (v - scale.low) / (scale.high - scale.low) : 0;
}

/// A colour of a map where the image under it is `grey`.
[[nodiscard]] inline colour over(colour const& c, float grey) {
  constexpr float opacity = .65f;
  return {opacity * c[0] + (1 - opacity) * grey, opacity * c[1] + (1 - opacity) * grey, opacity * c[2] + (1 - opacity) * grey};
}

/// What a colour of a scale looks like over mid-grey, which is how bars show it.
[[nodiscard]] inline colour bar_colour(palette p, double t) { return over(colour_at(p, t), .5f); }

/// How bright a pixel of an image of 1 or 3 channels is, in [0, 1].
[[nodiscard]] inline float grey_at(view<float const, 3> image, std::size_t y, std::size_t x) {
  auto const [channels, height, width] = image.shape;
  float const* const p = image.data + y * width + x;
  std::size_t const plane = height * width;
  return std::clamp(channels == 1 ? p[0] : .299f * p[0] + .587f * p[plane] + .114f * p[2 * plane], 0.f, 1.f);
}

/// How often each pixel is repeated, so that small images can be seen: to about 224 pixels.
[[nodiscard]] inline std::size_t enlargement(std::size_t height, std::size_t width) {
  std::size_t const longer = std::max(height, width);
  return std::max<std::size_t>(1, (224 + longer / 2) / longer);
}

/// The map alone, in a scale that is resolved: (3, height, width) of the enlarged image, with `margin` columns of white on its right.
[[nodiscard]] inline tensor<float, 3> painted(view<float const, 3> image, view<float const, 2> values, heat_scale const& scale,
                                              map_extent extent, std::size_t margin) {
  auto const [channels, height, width] = image.shape;
  if (channels != 1 && channels != 3) fail("heat_map: image has ", channels, " channels; give 1 (grey) or 3 (RGB)");
  if (height == 0 || width == 0) fail("heat_map: image is ", height, "x", width, "; give one with pixels");
  for (std::size_t k = 0; k < image.size(); ++k)
    if (!std::isfinite(image.data[k])) fail("heat_map: image has the value ", image.data[k], "; give finite ones");
  if (extent.height == 0 || extent.width == 0) extent = {0, 0, static_cast<double>(height), static_cast<double>(width)};
  if (!(extent.height > 0 && extent.width > 0)) fail("heat_map: extent is ", extent.height, "x", extent.width, "; give positive sides");

  std::size_t const times = enlargement(height, width);
  // The line or column of the map in which a pixel lies.
  auto const cell = [&](std::size_t pixel, double first, double length, std::size_t cells) -> std::optional<std::size_t> {
    double const at = ((static_cast<double>(pixel) + .5) / static_cast<double>(times) - first) / length * static_cast<double>(cells);
    return at >= 0 && at < static_cast<double>(cells) ? std::optional(static_cast<std::size_t>(at)) : std::nullopt;
  };
  auto result = filled<float, 3>({3, times * height, times * width + margin}, 1.f);
  for (std::size_t y = 0; y < times * height; ++y)
    for (std::size_t x = 0; x < times * width; ++x) {
      float const grey = grey_at(image, y / times, x / times);
      auto const row = cell(y, extent.top, extent.height, values.shape[0]), column = cell(x, extent.left, extent.width, values.shape[1]);
      float const faded = .2f + .6f * grey;
      colour shown{faded, faded, faded};
      if (row && column)
        shown = over(colour_at(scale.colours, place_in(scale, double{values.data[*row * values.shape[1] + *column]})), faded);
      for (std::size_t c = 0; c < 3; ++c) result(c, y, x) = shown[c];
    }
  return result;
}

}  // namespace detail

/// A picture of a map of values over an image: the image in grey, and over it (65 %) the colours of the values, each in one block.
///
/// `image` (1 or 3, height, width) in [0, 1]; `values` (rows, columns), which are spread evenly over `extent`. Blocks and not smooth
/// colours, since between the values nothing was measured; a block of less than a pixel may be lost. Where there are no values the image is
/// seen faded. Small images are enlarged by a whole number, to about 224 pixels. On the right a bar shows the colours over mid-grey, low
/// at the bottom; it has no numbers, for which see a report. Returns RGB, (3, height', width').
/// Errors: values or pixels that are not finite, a scale whose ends are not in order, a diverging one without 0.
[[nodiscard]] inline tensor<float, 3> heat_map(view<float const, 3> image, tensor<float, 2> const& values, heat_scale const& scale = {},
                                               map_extent const& extent = {}) {
  constexpr std::size_t gap = 8, bar = 12;
  heat_scale const shown = detail::resolved(scale, as_view(values));
  auto result = detail::painted(image, as_view(values), shown, extent, gap + bar);
  std::size_t const height = result.shape()[1], width = result.shape()[2];
  for (std::size_t y = 0; y < height; ++y) {
    double const share = 1 - (static_cast<double>(y) + .5) / static_cast<double>(height);
    auto const colour = detail::bar_colour(shown.colours, detail::place_in(shown, shown.low + share * (shown.high - shown.low)));
    for (std::size_t x = width - bar; x < width; ++x)
      for (std::size_t c = 0; c < 3; ++c) result(c, y, x) = colour[c];
  }
  return result;
}

}  // namespace pareidolia
