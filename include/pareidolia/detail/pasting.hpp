// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/encodings/patches.hpp>

#include <algorithm>
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
      : top(std::max(p.top, 0)), left(std::max(p.left, 0)), bottom(end(p.top, p.height, height)), right(end(p.left, p.width, width)) {}

  [[nodiscard]] bool empty() const { return top >= bottom || left >= right; }
  [[nodiscard]] std::size_t area() const {
    return empty() ? 0 : static_cast<std::size_t>(bottom - top) * static_cast<std::size_t>(right - left);
  }

 private:
  // In 64 bits: a placement may be anywhere.
  static std::int32_t end(std::int64_t first, std::int64_t count, std::size_t canvas) {
    return static_cast<std::int32_t>(std::min(first + count, static_cast<std::int64_t>(canvas)));
  }
};

/// Which pixels of an image are covered by boxes.
class coverage {
 public:
  coverage(std::size_t height, std::size_t width) : width_(width), pixels_(height * width) {}

  /// Of the pixels of a box those that are not covered yet.
  [[nodiscard]] std::size_t fresh(covered_box const& b) const {
    std::size_t n = 0;
    for (auto y = b.top; !b.empty() && y < b.bottom; ++y) {
      auto const line = pixels_.begin() + offset(y);
      n += static_cast<std::size_t>(std::count(line + b.left, line + b.right, std::uint8_t{0}));
    }
    return n;
  }
  void cover(covered_box const& b) {
    covered_ += fresh(b);
    for (auto y = b.top; !b.empty() && y < b.bottom; ++y)
      std::fill_n(pixels_.begin() + offset(y) + b.left, b.right - b.left, std::uint8_t{1});
  }
  [[nodiscard]] std::size_t covered() const { return covered_; }

 private:
  [[nodiscard]] std::ptrdiff_t offset(std::int32_t line) const {
    return static_cast<std::ptrdiff_t>(line) * static_cast<std::ptrdiff_t>(width_);
  }

  std::size_t width_, covered_ = 0;
  std::vector<std::uint8_t> pixels_;
};

/// What a growing list of patches leaves room for on a canvas: at most `most` covered pixels in all and, unless patches may overlap, none
/// of them twice.
class vacancy {
 public:
  vacancy(image_shape const& canvas, bool overlap, std::size_t most)
      : height_(canvas[1]),
        width_(canvas[2]),
        overlap_(overlap),
        limited_(!overlap || most < height_ * width_),
        most_(most),
        covered_(limited_ ? height_ : 0, width_) {}

  /// Whether some of it would be seen, and may be.
  [[nodiscard]] bool takes(pasted const& p) const {
    covered_box const box(p, height_, width_);
    if (box.empty() || !limited_) return !box.empty();
    if (!overlap_ && covered_.covered() + box.area() > most_) return false;  // without a look at the pixels
    std::size_t const fresh = covered_.fresh(box);
    return (overlap_ || fresh == box.area()) && covered_.covered() + fresh <= most_;
  }
  void take(pasted const& p) {
    if (limited_) covered_.cover({p, height_, width_});
  }

 private:
  std::size_t height_, width_;
  bool overlap_, limited_;
  std::size_t most_;
  coverage covered_;
};

/// Weight of pixel j of n along one side, which rises over f pixels from either end: min(1, (d + 1) / (f + 1)), d pixels from the nearer
/// one.
[[nodiscard]] inline float feathered(std::int32_t j, std::int32_t n, float f) {
  return std::min(1.f, static_cast<float>(std::min(j, n - 1 - j) + 1) / (f + 1));
}

/// Where the centre of pixel j of n falls on a source of `size` pixels: `share` of the way from the centre of pixel low to that of high.
/// Beyond the first and the last centre it is that pixel.
struct bilinear_place {
  std::size_t low, high;
  float share = 0;

  bilinear_place(std::int32_t j, std::int32_t n, std::size_t source) : low(static_cast<std::size_t>(j)), high(low) {
    auto const size = static_cast<std::int64_t>(source), unit = std::int64_t{2} * n;
    if (size == n) return;
    // (j + 1/2) size / n - 1/2 in units of 1 / (2 n): exact, so that every machine interpolates between the same pixels.
    std::int64_t const place = std::max((2 * std::int64_t{j} + 1) * size - n, std::int64_t{0});
    low = static_cast<std::size_t>(place / unit);
    high = std::min(low + 1, source - 1);
    share = static_cast<float>(place % unit) / static_cast<float>(unit);
  }
};

/// x with the share w of p; exactly p for w = 1.
[[nodiscard]] inline float blended(float x, float p, float w) { return w == 1 ? p : x + w * (p - x); }

/// Blends one patch into an image (channels, height, width): x <- x + w (patch - x), w = opacity times the feathers of both sides.
inline void paste(const_image_view<space::host> donors, pasted const& p, float feather, std::span<float> image, image_shape const& shape) {
  auto const [channels, height, width] = shape;
  covered_box const box(p, height, width);
  if (box.empty()) return;
  struct column {
    bilinear_place from;
    float weight;
  };
  thread_local std::vector<column> columns;  // they are the same in all lines and channels
  columns.clear();
  bool const as_it_is = p.height == static_cast<std::int32_t>(p.from.height) && p.width == static_cast<std::int32_t>(p.from.width);
  bool const copied = as_it_is && p.opacity == 1 && feather == 0;
  for (auto x = box.left; !copied && x < box.right; ++x)
    columns.push_back({bilinear_place(x - p.left, p.width, p.from.width), feathered(x - p.left, p.width, feather)});
  std::size_t const donor_width = donors.shape[3], donor_plane = donors.shape[2] * donor_width;
  float const* const source = donors.row(p.from.image).data() + p.from.top * donor_width + p.from.left;
  for (auto y = box.top; y < box.bottom; ++y) {
    bilinear_place const from(y - p.top, p.height, p.from.height);
    float const weight = p.opacity * feathered(y - p.top, p.height, feather);
    for (std::size_t c = 0; c < channels; ++c) {
      float const* const above = source + c * donor_plane + from.low * donor_width;
      float const* const below = source + c * donor_plane + from.high * donor_width;
      float* x = image.data() + (c * height + static_cast<std::size_t>(y)) * width + static_cast<std::size_t>(box.left);
      if (copied) {
        std::copy_n(above + (box.left - p.left), box.right - box.left, x);
        continue;
      }
      for (auto const& [at, share] : columns) {
        float const upper = above[at.low] + at.share * (above[at.high] - above[at.low]);
        float const lower = below[at.low] + at.share * (below[at.high] - below[at.low]);
        *x = blended(*x, upper + from.share * (lower - upper), weight * share);
        ++x;
      }
    }
  }
}

}  // namespace pareidolia::detail
