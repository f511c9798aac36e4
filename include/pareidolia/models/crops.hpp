// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/borrowed.hpp>
#include <pareidolia/detail/hasher.hpp>
#include <pareidolia/detail/mean_softmax.hpp>
#include <pareidolia/detail/resize_taps.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

// Models of images of another size than their model wants: adaptors, as those of models/adaptors.hpp.

namespace pareidolia {

namespace detail {

/// Where a crop of height x width lies in an image, and whether left and right are exchanged.
struct crop {
  std::size_t top, left;
  bool mirrored;
};

/// Calls body(begin of a row of the crop in the image, begin of that row in the cropped image) for all rows of all channels.
template <class Body>
void for_rows(crop const& c, image_shape const& image, image_shape const& cropped, Body const& body) {
  for (std::size_t row = 0; row < cropped[0] * cropped[1]; ++row) {
    std::size_t const channel = row / cropped[1], h = row % cropped[1];
    body((channel * image[1] + c.top + h) * image[2] + c.left, row * cropped[2]);
  }
}

/// y = the crop of x: one image each.
inline void cut(crop const& c, image_shape const& image, image_shape const& cropped, float const* x, float* y) {
  for_rows(c, image, cropped, [&](std::size_t from, std::size_t to) {
    if (c.mirrored)
      std::reverse_copy(x + from, x + from + cropped[2], y + to);
    else
      std::copy_n(x + from, cropped[2], y + to);
  });
}

/// dx += what a gradient dy of the crop means for the image.
inline void add_back(crop const& c, image_shape const& image, image_shape const& cropped, float const* dy, float* dx) {
  for_rows(c, image, cropped, [&](std::size_t to, std::size_t from) {
    for (std::size_t w = 0; w < cropped[2]; ++w) dx[to + (c.mirrored ? cropped[2] - 1 - w : w)] += dy[from + w];
  });
}

inline void check_crop(std::string_view who, image_shape const& cropped, std::size_t height, std::size_t width) {
  if (height < cropped[1] || width < cropped[2])
    fail(who, ": images of ", height, "x", width, " (height x width) are smaller than the ", cropped[1], "x", cropped[2],
         " crops that the model wants; give larger images");
}

inline std::uint64_t sight_fingerprint(std::string_view who, std::uint64_t model, image_shape const& image) {
  hasher h;
  h.add(who);
  h.add(model);
  for (std::size_t extent : image) h.add(extent);
  return h.value();
}

}  // namespace detail

/// A model of height x width images that sees their centre: what its model wants, from row floor((height - h) / 2) and column
/// floor((width - w) / 2) on. Pixels outside have no gradient.
///
/// Memory: the crops of a batch, twice with gradients. Errors: images smaller than the crop.
template <Model M>
requires(M::memory == space::host) class center_crop {
 public:
  static constexpr space memory = space::host;
  struct workspace {
    typename M::workspace inner;
    std::vector<float> x, dx;
  };

  center_crop(detail::borrowed<M> model, std::size_t height, std::size_t width)
      : model_(model), cropped_(model->input()), image_{cropped_[0], height, width} {
    detail::check_crop("center_crop", cropped_, height, width);
  }

  [[nodiscard]] image_shape input() const { return image_; }
  [[nodiscard]] std::size_t classes() const { return model_.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return {model_->prepare(n), {}, {}}; }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    auto const crops = detail::images_in(w.x, x.shape[0], cropped_);
    for (std::size_t i = 0; i < x.shape[0]; ++i) detail::cut(centre(), image_, cropped_, x.row(i).data(), crops.row(i).data());
    model_->forward(crops, y, w.inner);
  }

  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const requires DifferentiableModel<M> {
    auto const crops = detail::images_in(w.dx, dx.shape[0], cropped_);
    model_->backward(dy, crops, w.inner);
    std::fill_n(dx.data, dx.size(), 0.f);
    for (std::size_t i = 0; i < dx.shape[0]; ++i) detail::add_back(centre(), image_, cropped_, crops.row(i).data(), dx.row(i).data());
  }

  /// Hash of the model's and of the size of the images.
  [[nodiscard]] std::uint64_t fingerprint() const requires FingerprintedModel<M> {
    return detail::sight_fingerprint("center_crop", model_->fingerprint(), image_);
  }

 private:
  [[nodiscard]] detail::crop centre() const { return {(image_[1] - cropped_[1]) / 2, (image_[2] - cropped_[2]) / 2, false}; }

  detail::borrowed<M> model_;
  image_shape cropped_, image_;
};
template <class M>
center_crop(M const&, std::size_t, std::size_t) -> center_crop<M>;

/// A model of height x width images that asks its model about ten crops: the four corners and the centre (as center_crop has it), and each
/// of them mirrored. y = log of the mean of the ten softmax vectors, so softmax(y) is the mean probability.
///
/// Nguyen, Yosinski and Clune (CVPR 2015) judge images of 256x256 by the mean probability of ten crops of 227x227, as Krizhevsky, Sutskever
/// and Hinton (NIPS 2012) test their network. Mean and scale belong to the model, so every crop loses the same mean image, as in the
/// released code. A batch of n is one batch of 10 n for the model, which is prepared for 10 n. Memory: 10 n crops, twice with gradients.
/// Errors: images smaller than the crop.
template <Model M>
requires(M::memory == space::host) class ten_crop {
 public:
  static constexpr space memory = space::host;
  struct workspace {
    typename M::workspace inner;
    std::vector<float> x, dx, log_p, ds, y;  // row c n + i is crop c of image i
  };

  ten_crop(detail::borrowed<M> model, std::size_t height, std::size_t width)
      : model_(model), cropped_(model->input()), image_{cropped_[0], height, width} {
    detail::check_crop("ten_crop", cropped_, height, width);
    std::size_t const bottom = height - cropped_[1], right = width - cropped_[2];
    crops_ = {{{0, 0, false}, {0, right, false}, {bottom, 0, false}, {bottom, right, false}, {bottom / 2, right / 2, false}}};
    for (std::size_t c = 0; c < 5; ++c) crops_[5 + c] = {crops_[c].top, crops_[c].left, true};
  }

  [[nodiscard]] image_shape input() const { return image_; }
  [[nodiscard]] std::size_t classes() const { return model_.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return {model_->prepare(10 * n), {}, {}, {}, {}, {}}; }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    std::size_t const n = x.shape[0];
    auto const crops = detail::images_in(w.x, 10 * n, cropped_);
    parallel_for(n, [&](std::size_t i, std::size_t) {
      for (std::size_t c = 0; c < 10; ++c) detail::cut(crops_[c], image_, cropped_, x.row(i).data(), crops.row(c * n + i).data());
    });
    auto const log_p = detail::scores_in(w.log_p, 10 * n, classes());
    model_->forward(crops, log_p, w.inner);
    detail::log_mean_softmax(log_p, y);
    w.y.assign(y.data, y.data + y.size());
  }

  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const requires DifferentiableModel<M> {
    std::size_t const n = dx.shape[0];
    auto const ds = detail::scores_in(w.ds, 10 * n, classes());
    detail::log_mean_softmax_backward({w.log_p.data(), ds.shape}, {w.y.data(), dy.shape}, dy, ds);
    auto const crops = detail::images_in(w.dx, 10 * n, cropped_);
    model_->backward(ds, crops, w.inner);
    std::fill_n(dx.data, dx.size(), 0.f);
    parallel_for(n, [&](std::size_t i, std::size_t) {
      for (std::size_t c = 0; c < 10; ++c) detail::add_back(crops_[c], image_, cropped_, crops.row(c * n + i).data(), dx.row(i).data());
    });
  }

  /// Hash of the model's and of the size of the images.
  [[nodiscard]] std::uint64_t fingerprint() const requires FingerprintedModel<M> {
    return detail::sight_fingerprint("ten_crop", model_->fingerprint(), image_);
  }

 private:
  detail::borrowed<M> model_;
  image_shape cropped_, image_;
  std::array<detail::crop, 10> crops_;
};
template <class M>
ten_crop(M const&, std::size_t, std::size_t) -> ten_crop<M>;

/// A model of height x width images that sees them at the size its model wants, by the triangle filter of resize(): bilinear interpolation
/// when enlarging, an antialiased mean when reducing. The gradient is the transpose, exactly.
///
/// Memory: the resized images of a batch, twice with gradients, and a row between. Errors: an extent of 0.
template <Model M>
requires(M::memory == space::host) class resized {
 public:
  static constexpr space memory = space::host;
  struct workspace {
    typename M::workspace inner;
    std::vector<float> x, dx;
  };

  resized(detail::borrowed<M> model, std::size_t height, std::size_t width)
      : model_(model), seen_(model->input()), image_{seen_[0], height, width} {
    if (height == 0 || width == 0) detail::fail("resized: images of ", height, "x", width, " (height x width) have no pixels");
    down_ = detail::resize_taps(height, seen_[1]);
    across_ = detail::resize_taps(width, seen_[2]);
  }

  [[nodiscard]] image_shape input() const { return image_; }
  [[nodiscard]] std::size_t classes() const { return model_.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return {model_->prepare(n), {}, {}}; }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    auto const seen = detail::images_in(w.x, x.shape[0], seen_);
    parallel_for(x.shape[0] * seen_[0], [&](std::size_t plane, std::size_t) {
      std::vector<double> line(image_[2]);
      for (std::size_t h = 0; h < seen_[1]; ++h) {
        std::fill(line.begin(), line.end(), 0.);
        for (std::size_t k = 0; k < down_[h].weights.size(); ++k) {
          float const* const from = x.data + (plane * image_[1] + down_[h].first + k) * image_[2];
          for (std::size_t v = 0; v < image_[2]; ++v) line[v] += down_[h].weights[k] * static_cast<double>(from[v]);
        }
        for (std::size_t v = 0; v < seen_[2]; ++v) {
          double sum = 0;
          for (std::size_t k = 0; k < across_[v].weights.size(); ++k) sum += across_[v].weights[k] * line[across_[v].first + k];
          seen.data[(plane * seen_[1] + h) * seen_[2] + v] = static_cast<float>(sum);
        }
      }
    });
    model_->forward(seen, y, w.inner);
  }

  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const requires DifferentiableModel<M> {
    auto const seen = detail::images_in(w.dx, dx.shape[0], seen_);
    model_->backward(dy, seen, w.inner);
    parallel_for(dx.shape[0] * seen_[0], [&](std::size_t plane, std::size_t) {
      std::vector<double> line(image_[2]), sums(image_[1] * image_[2], 0.);
      for (std::size_t h = 0; h < seen_[1]; ++h) {
        std::fill(line.begin(), line.end(), 0.);
        for (std::size_t v = 0; v < seen_[2]; ++v) {
          double const d = static_cast<double>(seen.data[(plane * seen_[1] + h) * seen_[2] + v]);
          for (std::size_t k = 0; k < across_[v].weights.size(); ++k) line[across_[v].first + k] += across_[v].weights[k] * d;
        }
        for (std::size_t k = 0; k < down_[h].weights.size(); ++k)
          for (std::size_t v = 0; v < image_[2]; ++v) sums[(down_[h].first + k) * image_[2] + v] += down_[h].weights[k] * line[v];
      }
      std::transform(sums.begin(), sums.end(), dx.data + plane * sums.size(), [](double v) { return static_cast<float>(v); });
    });
  }

  /// Hash of the model's and of the size of the images.
  [[nodiscard]] std::uint64_t fingerprint() const requires FingerprintedModel<M> {
    return detail::sight_fingerprint("resized", model_->fingerprint(), image_);
  }

 private:
  detail::borrowed<M> model_;
  image_shape seen_, image_;
  std::vector<detail::resize_tap> down_, across_;
};
template <class M>
resized(M const&, std::size_t, std::size_t) -> resized<M>;

}  // namespace pareidolia
