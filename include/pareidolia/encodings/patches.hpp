// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// A rectangle of an image, in pixels: lines [top, top + height), columns [left, left + width).
struct patch_window {
  std::size_t image = 0;
  std::size_t top = 0, left = 0;
  std::size_t height = 0, width = 0;

  friend bool operator==(patch_window const&, patch_window const&) = default;
};

/// Where windows of one size stand on an image: `rows` x `columns` of them, `stride` pixels apart, in the middle of what is left over.
struct window_grid {
  std::size_t size = 0, stride = 0;
  std::size_t rows = 0, columns = 0;
  std::size_t top = 0, left = 0;  ///< of the first

  /// Of a square of `size` pixels on images of that shape. Errors: no size or stride, a square that is larger than the image.
  window_grid(image_shape const& shape, std::size_t size_, std::size_t stride_) : size(size_), stride(stride_) {
    auto const [channels, height, width] = shape;
    if (size == 0 || stride == 0) detail::fail("window_grid: a size of ", size, " with a stride of ", stride, "; give at least 1");
    if (size > height || size > width)
      detail::fail("window_grid: a window of ", size, " pixels on images of ", height, "x", width, "; give a smaller one");
    rows = (height - size) / stride + 1;
    columns = (width - size) / stride + 1;
    top = (height - size) % stride / 2;
    left = (width - size) % stride / 2;
  }

  [[nodiscard]] std::size_t count() const { return rows * columns; }

  /// Window k of an image; k = row * columns + column.
  [[nodiscard]] patch_window operator()(std::size_t k, std::size_t image = 0) const {
    return {image, top + k / columns * stride, left + k % columns * stride, size, size};
  }
};

/// Patches that can be pasted: windows of donor images. A handle: copies share one constant set.
///
/// `evokes` is the class that each patch stands for and `strength` how much it does, if that was measured (probes/donor_ranking.hpp), or
/// both are empty. Errors: no windows, one that is empty or leaves its image, classes or strengths of some windows only, a pixel outside
/// [0, 1].
class patches {
 public:
  explicit patches(tensor<float, 4> images, std::vector<patch_window> windows, std::vector<int> evokes = {},
                   std::vector<float> strength = {})
      : shared_(std::make_shared<contents>(std::move(images), std::move(windows), std::move(evokes), std::move(strength))) {
    auto const& s = shared_->images.shape();
    std::size_t const n = size();
    if (n == 0) detail::fail("patches: no windows; give at least one");
    for (std::size_t k = 0; k < n; ++k) {
      auto const& w = shared_->windows[k];
      if (w.image >= s[0] || w.height == 0 || w.width == 0 || w.height > s[2] || w.top > s[2] - w.height || w.width > s[3] ||
          w.left > s[3] - w.width)
        detail::fail("patches: window ", k, " is ", w.height, "x", w.width, " at (", w.top, ", ", w.left, ") of image ", w.image,
                     ", but there are ", s[0], " images of ", s[2], "x", s[3]);
    }
    for (std::size_t given : {shared_->evokes.size(), shared_->strength.size()})
      if (given != 0 && given != n) detail::fail("patches: ", n, " windows but ", given, " classes or strengths; give one for each");
    auto const pixels = this->images();
    for (std::size_t j = 0; j < pixels.size(); ++j)
      if (float const v = pixels.data[j]; !(v >= 0 && v <= 1))
        detail::fail("patches: image ", j / pixels.stride(), " has a pixel of ", v, "; pixels must be in [0, 1]");
  }

  [[nodiscard]] std::size_t size() const { return shared_->windows.size(); }
  [[nodiscard]] std::size_t channels() const { return shared_->images.shape()[1]; }
  [[nodiscard]] const_image_view<space::host> images() const { return as_view(std::as_const(shared_->images)); }
  [[nodiscard]] std::span<patch_window const> windows() const { return shared_->windows; }
  [[nodiscard]] std::span<int const> evokes() const { return shared_->evokes; }
  [[nodiscard]] std::span<float const> strength() const { return shared_->strength; }

  /// A copy of the images in the memory of a device, made by make(images()) when the first asks and kept as long as the set. Whoever asks
  /// must make the same type.
  template <class Make>
  [[nodiscard]] auto const& elsewhere(int device, Make const& make) const {
    using kept = decltype(make(images()));
    std::lock_guard const one_at_a_time(shared_->making);
    auto& copy = shared_->copies[device];
    if (!copy) copy = std::make_shared<kept>(make(images()));
    return *static_cast<kept const*>(copy.get());
  }

 private:
  struct contents {
    tensor<float, 4> images;
    std::vector<patch_window> windows;
    std::vector<int> evokes;
    std::vector<float> strength;
    std::mutex making = {};
    std::map<int, std::shared_ptr<void>> copies = {};

    contents(tensor<float, 4> i, std::vector<patch_window> w, std::vector<int> e, std::vector<float> s)
        : images(std::move(i)), windows(std::move(w)), evokes(std::move(e)), strength(std::move(s)) {}
  };
  std::shared_ptr<contents> shared_;
};

/// Every window of a grid on every image, image by image.
[[nodiscard]] inline patches all_windows(tensor<float, 4> images, std::size_t size, std::size_t stride) {
  auto const& s = images.shape();
  window_grid const grid({s[1], s[2], s[3]}, size, stride);
  std::vector<patch_window> windows;
  for (std::size_t i = 0; i < s[0]; ++i)
    for (std::size_t k = 0; k < grid.count(); ++k) windows.push_back(grid(k, i));
  return patches(std::move(images), std::move(windows));
}

}  // namespace pareidolia
