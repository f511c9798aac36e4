// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/stopwatch.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/session.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace pareidolia::detail {

/// The scores of a model and their gradients as functions on R^d, d the values of an image: what the probes of geometry look at.
///
/// Points are written and answers read in host memory, by functions that are called once for each point, from several threads; a batch is
/// full whichever images its points belong to. Points may lie outside [0, 1]. A SIGINT that stop_on_interrupt has seen ends what is asked
/// with an interruption.
template <Model M>
class landscape {
 public:
  static constexpr space S = M::memory;

  /// Errors: no batch.
  landscape(std::string_view probe, M const& model, std::size_t batch) : probe_(probe), batch_(batch), pass_(model), shape_(model.input()) {
    if (batch == 0) fail(probe, ": batch is 0; give at least 1");
    time_.start();
  }
  landscape(landscape const&) = delete;
  landscape& operator=(landscape const&) = delete;

  [[nodiscard]] std::string_view probe() const { return probe_; }
  [[nodiscard]] image_shape shape() const { return shape_; }
  [[nodiscard]] std::size_t length() const { return shape_[0] * shape_[1] * shape_[2]; }  ///< d
  [[nodiscard]] std::size_t classes() const { return pass_.classes(); }
  [[nodiscard]] std::size_t batch() const { return batch_; }

  /// Of all that was asked so far; `seconds` are those since this was made.
  [[nodiscard]] pareidolia::cost cost() {
    time_.stop();
    time_.start();
    return {pass_.forwards, pass_.backwards, time_.seconds(), pass_.seconds()};
  }

  /// point(k, x) writes point k < n, x (d); answer(k, y) is given its scores, y (classes).
  template <class Point, class Answer>
  void scores(std::size_t n, Point const& point, Answer const& answer) {
    for (std::size_t first = 0; first < n; first += batch_) {
      std::size_t const count = std::min(batch_, n - first);
      auto const y = show(first, count, point);
      for_rows(count, 16 * classes(), [&](std::size_t k) { answer(first + k, y.row(k)); });
    }
  }

  /// f_up - f_down, a difference of two scores.
  struct difference {
    int up, down;
  };

  /// The gradients of `each` differences of scores at each of n points: one forward and `each` backwards a point. which(k, j, y) says which
  /// difference is the j-th of point k, with scores y; answer(k, j, y, g) is given its gradient g (d).
  template <class Point, class Which, class Answer>
  void gradients(std::size_t n, std::size_t each, Point const& point, Which const& which, Answer const& answer) {
    static_assert(DifferentiableModel<M>, "model: this probe follows gradients, add backward(dy, dx, workspace) const");
    if constexpr (DifferentiableModel<M>)
      for (std::size_t first = 0; first < n; first += batch_) {
        std::size_t const count = std::min(batch_, n - first);
        auto const y = show(first, count, point);
        for (std::size_t j = 0; j < each; ++j) {
          auto const dy = seeds(count);
          std::fill_n(dy.data, dy.size(), 0.f);
          for (std::size_t k = 0; k < count; ++k) {
            difference const d = which(first + k, j, y.row(k));
            dy.row(k)[static_cast<std::size_t>(d.up)] += 1;
            dy.row(k)[static_cast<std::size_t>(d.down)] -= 1;
          }
          auto const g = backward(count);
          for_rows(count, 2 * length(), [&](std::size_t k) { answer(first + k, j, y.row(k), g.row(k)); });
        }
      }
  }

 private:
  template <class Point>
  const_score_view<space::host> show(std::size_t first, std::size_t count, Point const& point) {
    if (stop_on_interrupt::interrupted()) throw interruption(text(probe_, ": interrupted before it was done"));
    static_cast<void>(pass_.images(batch_));  // the one plan that is needed
    auto const write = [&](image_view<space::host> x) {
      for_rows(count, 2 * length(), [&](std::size_t k) { point(first + k, x.row(k)); });
    };
    if constexpr (S == space::host) {
      write(pass_.images(count));
      return pass_.forward(count);
    } else {
      reserve();
      write(as_view(x_).rows(0, count));
      copy(as_view(std::as_const(x_)).rows(0, count), pass_.images(count));
      copy(pass_.forward(count), as_view(y_).rows(0, count));
      return as_view(std::as_const(y_)).rows(0, count);
    }
  }

  score_view<space::host> seeds(std::size_t count) {
    if constexpr (S == space::host)
      return pass_.seeds(count);
    else
      return as_view(dy_).rows(0, count);
  }

  const_image_view<space::host> backward(std::size_t count) {
    if constexpr (S == space::host) {
      return pass_.backward(count);
    } else {
      copy(as_view(std::as_const(dy_)).rows(0, count), pass_.seeds(count));
      copy(const_image_view<S>(pass_.backward(count)), as_view(x_).rows(0, count));  // the points have been seen
      return as_view(std::as_const(x_)).rows(0, count);
    }
  }

  void reserve() {
    if (x_.shape()[0] == batch_) return;
    x_ = filled<float, 4>({batch_, shape_[0], shape_[1], shape_[2]});
    y_ = dy_ = filled<float, 2>({batch_, classes()});
  }

  std::string_view probe_;
  std::size_t batch_;
  session<M> pass_;
  image_shape shape_;
  stopwatch<space::host> time_;
  tensor<float, 4> x_ = filled<float, 4>({0, 0, 0, 0});  // of models elsewhere
  tensor<float, 2> y_ = filled<float, 2>({0, 0}), dy_ = y_;
};

/// The images of a probe in host memory, as rows (count, d).
template <space S>
[[nodiscard]] tensor<float, 2> rows_of(const_image_view<S> x) {
  auto result = filled<float, 4>(x.shape);
  copy(x, as_view(result));
  auto rows = filled<float, 2>({x.shape[0], x.stride()});
  std::copy(result.begin(), result.end(), rows.begin());
  return rows;
}

/// Rows (count, d) as images (count, channels, height, width).
[[nodiscard]] inline tensor<float, 4> images_of(tensor<float, 2> const& rows, image_shape const& shape) {
  auto result = filled<float, 4>({rows.shape()[0], shape[0], shape[1], shape[2]});
  std::copy(rows.begin(), rows.end(), result.begin());
  return result;
}

}  // namespace pareidolia::detail
