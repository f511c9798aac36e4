// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/borrowed.hpp>
#include <pareidolia/detail/hasher.hpp>
#include <pareidolia/detail/mean_softmax.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// Models in front of models. An adaptor is cheap to make: it points to its model, which must outlive it; a temporary does not compile. It
// is differentiable where its model is, and has a fingerprint where its model has one. Adaptors may stand in front of adaptors.
//
//     counted const spent{net};
//     ten_crop const judge{spent, 256, 256};  // models/crops.hpp
//     outcome const found = run(attack, judge, canvas, rng(1));  // spent.forwards() == 10 * found.forwards

namespace pareidolia {

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
                     first[0], "x", first[1], "x", first[2], "; put a center_crop or resized in front or leave it out");
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

/// The mean opinion of a model about noisy copies of an image: y = log (1 / R) sum_r softmax(f(x + e_r)), with e_r normal of standard
/// deviation `deviation` in each value of x, and R = `samples`. Softmax(y) is the mean probability, which randomised smoothing certifies
/// (Cohen, Rosenfeld and Kolter, ICML 2019) and through which attacks see past noise (Athalye et al., ICML 2018).
///
/// The noise is drawn once, from `source`, and is the same for every image: the model is a function, and differentiable where its model is.
/// As in the papers x + e is not cut to [0, 1]. A batch of n is one of R n for the model. Memory: R images for the noise, R n for the
/// copies, twice with gradients. Errors: no samples, a deviation that is not a number from 0.
template <Model M>
requires(M::memory == space::host) class averaged {
 public:
  static constexpr space memory = space::host;
  struct workspace {
    typename M::workspace inner;
    std::vector<float> x, dx, log_p, ds, y;  // row r n + i is copy r of image i
  };

  averaged(detail::borrowed<M> model, float deviation, std::size_t samples, rng const& source) : model_(model), samples_(samples) {
    if (samples == 0) detail::fail("averaged: 0 samples have no mean; give at least 1");
    if (!(deviation >= 0 && deviation <= std::numeric_limits<float>::max()))
      detail::fail("averaged: the deviation is ", deviation, "; it must be a number from 0");
    image_shape const s = input();
    noise_.resize(samples * s[0] * s[1] * s[2]);
    auto const draws = detail::images_in(noise_, samples, s);
    parallel_for(samples, [&](std::size_t r, std::size_t) {
      auto stream = source.stream(r);
      for (float& v : draws.row(r)) v = deviation * stream.normal();
    });
    print_.add(std::string_view("averaged"));
    print_.add(std::span<float const>(noise_));
  }

  [[nodiscard]] image_shape input() const { return model_->input(); }
  [[nodiscard]] std::size_t classes() const { return model_.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return {model_->prepare(samples_ * n), {}, {}, {}, {}, {}}; }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    std::size_t const n = x.shape[0], size = x.stride();
    auto const copies = detail::images_in(w.x, samples_ * n, input());
    parallel_for(samples_ * n, [&](std::size_t row, std::size_t) {
      auto const image = x.row(row % n);
      std::transform(image.begin(), image.end(), noise_.data() + row / n * size, copies.row(row).begin(), std::plus<>{});
    });
    auto const log_p = detail::scores_in(w.log_p, samples_ * n, classes());
    model_->forward(copies, log_p, w.inner);
    detail::log_mean_softmax(log_p, y);
    w.y.assign(y.data, y.data + y.size());
  }

  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const requires DifferentiableModel<M> {
    std::size_t const n = dx.shape[0];
    auto const ds = detail::scores_in(w.ds, samples_ * n, classes());
    detail::log_mean_softmax_backward({w.log_p.data(), ds.shape}, {w.y.data(), dy.shape}, dy, ds);
    auto const copies = detail::images_in(w.dx, samples_ * n, input());
    model_->backward(ds, copies, w.inner);
    std::fill_n(dx.data, dx.size(), 0.f);
    parallel_for(n, [&](std::size_t i, std::size_t) {
      auto const out = dx.row(i);
      for (std::size_t r = 0; r < samples_; ++r)
        std::transform(out.begin(), out.end(), copies.row(r * n + i).begin(), out.begin(), std::plus<>{});
    });
  }

  /// Hash of the model's and of the noise.
  [[nodiscard]] std::uint64_t fingerprint() const requires FingerprintedModel<M> {
    detail::hasher h = print_;
    h.add(std::uint64_t{model_->fingerprint()});
    return h.value();
  }

 private:
  detail::borrowed<M> model_;
  std::size_t samples_;
  std::vector<float> noise_;
  detail::hasher print_;
};
template <class M>
averaged(M const&, float, std::size_t, rng const&) -> averaged<M>;

}  // namespace pareidolia
