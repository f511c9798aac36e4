// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/mean_softmax.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/models/network.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// Models in front of models. An adaptor is cheap to make: it points to its model, which must outlive it; a temporary does not compile. It
// is differentiable where its model is, and has a fingerprint where its model has one. Adaptors may stand in front of adaptors.
//
//     counted const spent{net};
//     ten_crop const judge{spent, 256, 256};
//     outcome const found = run(attack, judge, canvas, rng(1));  // spent.forwards() == 10 * found.forwards

namespace pareidolia {

namespace detail {

/// A model that is used and not owned.
template <Model M>
class borrowed {
 public:
  borrowed(M const& model) : model_(&model) {}
  borrowed(M const&&) = delete;  // would be gone before its first forward

  M const& operator*() const { return *model_; }
  M const* operator->() const { return model_; }
  [[nodiscard]] std::size_t classes() const { return static_cast<std::size_t>(model_->classes()); }

 private:
  M const* model_;
};

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

inline std::uint64_t crop_fingerprint(std::string_view who, std::uint64_t model, image_shape const& image) {
  hasher h;
  h.add(who);
  h.add(model);
  for (std::size_t extent : image) h.add(extent);
  return h.value();
}

/// A view of n rows in `room`, which grows when it must.
inline image_view<space::host> images_in(std::vector<float>& room, std::size_t n, image_shape const& s) {
  room.resize(std::max(room.size(), n * s[0] * s[1] * s[2]));
  return {room.data(), {n, s[0], s[1], s[2]}};
}
inline score_view<space::host> scores_in(std::vector<float>& room, std::size_t n, std::size_t classes) {
  room.resize(std::max(room.size(), n * classes));
  return {room.data(), {n, classes}};
}

}  // namespace detail

/// The same model, counting images passed through it in each direction; those of a call that throws do not count.
///
/// The counters belong to the adaptor, not to a workspace, and may be used by several threads. It cannot be copied: a copy would count its
/// own images and miss the others. Space: any.
template <Model M>
class counted {
 public:
  static constexpr space memory = M::memory;
  using workspace = typename M::workspace;

  explicit counted(detail::borrowed<M> model) : model_(model) {}

  [[nodiscard]] image_shape input() const { return model_->input(); }
  [[nodiscard]] std::size_t classes() const { return model_.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return model_->prepare(n); }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    model_->forward(x, y, w);
    forwards_ += x.shape[0];
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const requires DifferentiableModel<M> {
    model_->backward(dy, dx, w);
    backwards_ += dx.shape[0];
  }
  [[nodiscard]] std::uint64_t fingerprint() const requires FingerprintedModel<M> { return model_->fingerprint(); }

  [[nodiscard]] std::size_t forwards() const { return forwards_; }
  [[nodiscard]] std::size_t backwards() const { return backwards_; }

 private:
  detail::borrowed<M> model_;
  mutable std::atomic<std::size_t> forwards_ = 0, backwards_ = 0;
};
template <class M>
counted(M const&) -> counted<M>;

/// Thrown by `budgeted` in place of a forward that would pass more images than the budget.
class budget_spent : public error {
 public:
  using error::error;
};

/// The same model for at most `budget` images forward, by all threads together; backwards are free.
///
/// A batch is passed whole or not at all: one that fits exactly is passed, one that is larger than left() throws budget_spent, takes
/// nothing from the budget and does not reach the model. The exception leaves run() without an outcome; where that matters let a sink stop
/// the run while left() still holds the result and the canvas, which run() passes once more. It cannot be copied: the budget would double.
/// Space: any.
template <Model M>
class budgeted {
 public:
  static constexpr space memory = M::memory;
  using workspace = typename M::workspace;

  budgeted(detail::borrowed<M> model, std::size_t budget) : model_(model), left_(budget) {}

  [[nodiscard]] image_shape input() const { return model_->input(); }
  [[nodiscard]] std::size_t classes() const { return model_.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return model_->prepare(n); }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    take(x.shape[0]);
    model_->forward(x, y, w);
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const requires DifferentiableModel<M> {
    model_->backward(dy, dx, w);
  }
  [[nodiscard]] std::uint64_t fingerprint() const requires FingerprintedModel<M> { return model_->fingerprint(); }

  /// Images that may still be passed.
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  void take(std::size_t count) const {
    std::size_t left = left_;
    do {
      if (count > left)
        throw budget_spent(detail::text("budgeted: a batch of ", count, " images, and the budget has ", left,
                                        " left; stop the search earlier or give a larger budget"));
    } while (!left_.compare_exchange_weak(left, left - count));
  }

  detail::borrowed<M> model_;
  mutable std::atomic<std::size_t> left_;
};
template <class M>
budgeted(M const&, std::size_t) -> budgeted<M>;

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
    return detail::crop_fingerprint("center_crop", model_->fingerprint(), image_);
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
    return detail::crop_fingerprint("ten_crop", model_->fingerprint(), image_);
  }

 private:
  detail::borrowed<M> model_;
  image_shape cropped_, image_;
  std::array<detail::crop, 10> crops_;
};
template <class M>
ten_crop(M const&, std::size_t, std::size_t) -> ten_crop<M>;

/// Several models as one: y = log of the mean of their softmax vectors, so softmax(y) is the mean probability.
///
/// Differentiable when all of them are. Cost: the sum of theirs. Errors: models that differ in the shape of their images or in the number
/// of their classes.
template <Model... Ms>
requires(sizeof...(Ms) > 0 && ((Ms::memory == space::host) && ...)) class ensemble {
  static constexpr std::size_t size = sizeof...(Ms);

 public:
  static constexpr space memory = space::host;
  struct workspace {
    std::tuple<std::unique_ptr<typename Ms::workspace>...> inner;  // which need not be movable
    std::vector<float> dx, log_p, ds, y;                           // row m n + i is what model m says of image i
  };

  explicit ensemble(detail::borrowed<Ms>... models) : models_(models...) {
    each([&](auto m) {
      auto const& model = std::get<m>(models_);
      if (image_shape const s = model->input(), first = input(); s != first)
        detail::fail("ensemble: model ", m, " takes images of ", s[0], "x", s[1], "x", s[2], " (channels x height x width), model 0 of ",
                     first[0], "x", first[1], "x", first[2], "; put a center_crop in front or leave it out");
      if (model.classes() != classes())
        detail::fail("ensemble: model ", m, " has ", model.classes(), " classes, model 0 has ", classes(),
                     "; give models of the same classes");
    });
  }

  [[nodiscard]] image_shape input() const { return std::get<0>(models_)->input(); }
  [[nodiscard]] std::size_t classes() const { return std::get<0>(models_).classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const {
    workspace w;
    each([&](auto m) {
      auto& inner = std::get<m>(w.inner);
      inner.reset(new typename std::tuple_element_t<m, std::tuple<Ms...>>::workspace(std::get<m>(models_)->prepare(n)));
    });
    return w;
  }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    std::size_t const n = x.shape[0];
    auto const log_p = detail::scores_in(w.log_p, size * n, classes());
    each([&](auto m) { std::get<m>(models_)->forward(x, log_p.rows(m * n, n), *std::get<m>(w.inner)); });
    detail::log_mean_softmax(log_p, y);
    w.y.assign(y.data, y.data + y.size());
  }

  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const requires(DifferentiableModel<Ms>&&...) {
    std::size_t const n = dx.shape[0];
    auto const ds = detail::scores_in(w.ds, size * n, classes());
    detail::log_mean_softmax_backward({w.log_p.data(), ds.shape}, {w.y.data(), dy.shape}, dy, ds);
    auto const part = detail::images_in(w.dx, n, input());
    std::fill_n(dx.data, dx.size(), 0.f);
    each([&](auto m) {
      std::get<m>(models_)->backward(ds.rows(m * n, n), part, *std::get<m>(w.inner));
      for (std::size_t j = 0; j < dx.size(); ++j) dx.data[j] += part.data[j];
    });
  }

  /// Hash of the models', in their order.
  [[nodiscard]] std::uint64_t fingerprint() const requires(FingerprintedModel<Ms>&&...) {
    detail::hasher h;
    h.add(std::string_view("ensemble"));
    each([&](auto m) { h.add(std::uint64_t{std::get<m>(models_)->fingerprint()}); });
    return h.value();
  }

 private:
  // body(0), body(1), ...: each number a type of its own.
  template <class Body>
  static void each(Body const& body) {
    [&]<std::size_t... M>(std::index_sequence<M...>) { (body(std::integral_constant<std::size_t, M>{}), ...); }
    (std::make_index_sequence<size>{});
  }

  std::tuple<detail::borrowed<Ms>...> models_;
};
template <class... Ms>
ensemble(Ms const&...) -> ensemble<Ms...>;

}  // namespace pareidolia
