// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/encodings/patches.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// A patch where it is to be seen: a window of a donor image, and the rectangle of the canvas, which may reach over its edges.
struct pasted {
  patch_window from;
  std::int32_t top = 0, left = 0;
  std::int32_t height = 0, width = 0;
  float opacity = 1;
};

/// The pixels of the canvas that a rectangle covers: lines [top, bottom), columns [left, right).
struct covered_box {
  std::int32_t top, left, bottom, right;

  covered_box(pasted const& p, std::size_t height, std::size_t width)
      : top(std::max(p.top, 0)),
        left(std::max(p.left, 0)),
        bottom(std::min(p.top + p.height, static_cast<std::int32_t>(height))),
        right(std::min(p.left + p.width, static_cast<std::int32_t>(width))) {}

  [[nodiscard]] bool empty() const { return top >= bottom || left >= right; }
  [[nodiscard]] std::size_t area() const {
    return empty() ? 0 : static_cast<std::size_t>(bottom - top) * static_cast<std::size_t>(right - left);
  }
  [[nodiscard]] bool meets(covered_box const& b) const { return top < b.bottom && b.top < bottom && left < b.right && b.left < right; }
};

/// Which pixels of an image are covered by boxes.
class coverage {
 public:
  coverage(std::size_t height, std::size_t width) : width_(width), pixels_(height * width) {}

  /// Of the pixels of a box those that are not covered yet.
  [[nodiscard]] std::size_t fresh(covered_box const& b) const {
    std::size_t n = 0;
    for (auto y = b.top; y < b.bottom; ++y) {
      auto const line = pixels_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * width_);
      n += static_cast<std::size_t>(std::count(line + b.left, line + std::max(b.left, b.right), std::uint8_t{0}));
    }
    return n;
  }
  void cover(covered_box const& b) {
    covered_ += fresh(b);
    for (auto y = b.top; y < b.bottom; ++y) {
      auto const line = pixels_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * width_);
      std::fill(line + b.left, line + std::max(b.left, b.right), std::uint8_t{1});
    }
  }
  [[nodiscard]] std::size_t covered() const { return covered_; }

 private:
  std::size_t width_, covered_ = 0;
  std::vector<std::uint8_t> pixels_;
};

/// Weight of a pixel j of n along one side, 0 outside a soft edge of f pixels and 1 behind it: min(1, (d + 1) / (f + 1)), d pixels from the
/// nearer end.
[[nodiscard]] inline float feathered(std::int32_t j, std::int32_t n, float f) {
  return std::min(1.f, static_cast<float>(std::min(j, n - 1 - j) + 1) / (f + 1));
}

/// Where pixel j of n falls on the `size` pixels of a source's side: between those of index low and low + 1, `share` of the way, mirrored
/// nowhere: beyond the first and the last pixel's centre it is that pixel.
struct bilinear_place {
  std::size_t low, high;
  float share;

  bilinear_place(std::int32_t j, std::int32_t n, std::size_t size) {
    float const place = std::clamp((static_cast<float>(j) + .5f) * (static_cast<float>(size) / static_cast<float>(n)) - .5f, 0.f,
                                   static_cast<float>(size - 1));
    low = static_cast<std::size_t>(place);
    high = std::min(low + 1, size - 1);
    share = place - static_cast<float>(low);
  }
};

/// Blends one patch into an image (channels, height, width): x <- x + w (patch - x), w = opacity times the feathers of both sides.
inline void paste(const_image_view<space::host> donors, pasted const& p, float feather, std::span<float> image, image_shape const& shape) {
  auto const [channels, height, width] = shape;
  covered_box const box(p, height, width);
  if (box.empty()) return;
  auto const donor = donors.row(p.from.image);
  std::size_t const donor_plane = donors.shape[2] * donors.shape[3], plane = height * width;
  bool const as_it_is = p.height == static_cast<std::int32_t>(p.from.height) && p.width == static_cast<std::int32_t>(p.from.width);
  bool const opaque = p.opacity == 1 && feather == 0;
  for (std::size_t c = 0; c < channels; ++c)
    for (auto y = box.top; y < box.bottom; ++y) {
      float* const line = image.data() + c * plane + static_cast<std::size_t>(y) * width;
      bilinear_place const v(y - p.top, p.height, p.from.height);
      float const* const above = donor.data() + c * donor_plane + (p.from.top + v.low) * donors.shape[3] + p.from.left;
      float const* const below = donor.data() + c * donor_plane + (p.from.top + v.high) * donors.shape[3] + p.from.left;
      if (as_it_is && opaque) {
        std::copy_n(above + (box.left - p.left), box.right - box.left, line + box.left);
        continue;
      }
      float const weight = p.opacity * feathered(y - p.top, p.height, feather);
      for (auto x = box.left; x < box.right; ++x) {
        float value = 0;
        if (as_it_is) {
          value = above[x - p.left];
        } else {
          bilinear_place const h(x - p.left, p.width, p.from.width);
          float const first = above[h.low] + h.share * (above[h.high] - above[h.low]);
          float const second = below[h.low] + h.share * (below[h.high] - below[h.low]);
          value = first + v.share * (second - first);
        }
        line[x] += weight * feathered(x - p.left, p.width, feather) * (value - line[x]);
      }
    }
}

}  // namespace pareidolia::detail
