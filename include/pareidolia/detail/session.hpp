// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/stopwatch.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/model.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// Runs a model on batches of any size: plans again when one is larger than the last, times itself, and checks what comes out.
template <Model M>
class session {
 public:
  static constexpr space S = M::memory;

  explicit session(M const& model) : model_(model) {}

  /// Scores of the first `count` images of `images()`, which the caller has filled.
  const_score_view<S> forward(std::size_t count) {
    time_.start();
    model_.forward(images(count), scores(count), *workspace_);
    time_.stop();
    forwards += count;
    if (std::size_t const bad = first_not_finite(scores(count)); bad < count)
      fail("the model gave a score that is not a finite number for image ", bad, " of a batch of ", count,
           "; check its weights and that the images are in [0, 1]");
    return scores(count);
  }

  /// dx for the last forward; `seeds()` was filled by the caller.
  image_view<S> backward(std::size_t count) requires DifferentiableModel<M> {
    if (dx_.view().shape[0] < count) dx_ = storage<float, 4, S>(shape_of(count));
    time_.start();
    model_.backward(seeds(count), dx_.view().rows(0, count), *workspace_);
    time_.stop();
    backwards += count;
    return dx_.view().rows(0, count);
  }

  /// Room for `count` images.
  image_view<S> images(std::size_t count) {
    if (!workspace_ || x_.view().shape[0] < count) {
      x_ = storage<float, 4, S>(shape_of(count));
      y_ = storage<float, 2, S>({count, classes()});
      dy_ = storage<float, 2, S>({count, classes()});
      workspace_.reset(new typename M::workspace(model_.prepare(count)));  // which need not be movable
    }
    return x_.view().rows(0, count);
  }
  score_view<S> scores(std::size_t count) { return y_.view().rows(0, count); }
  score_view<S> seeds(std::size_t count) { return dy_.view().rows(0, count); }
  [[nodiscard]] std::size_t classes() const { return static_cast<std::size_t>(model_.classes()); }

  /// That the model has taken.
  [[nodiscard]] double seconds() { return time_.seconds(); }

  std::size_t forwards = 0, backwards = 0;

 private:
  std::array<std::size_t, 4> shape_of(std::size_t count) const {
    image_shape const s = model_.input();
    return {count, s[0], s[1], s[2]};
  }

  M const& model_;
  std::unique_ptr<typename M::workspace> workspace_;
  storage<float, 4, S> x_, dx_;
  storage<float, 2, S> y_, dy_;
  stopwatch<S> time_;
};

/// A canvas in the memory of a model: the caller's own images on the host, a copy elsewhere.
template <space S>
class canvas_in {
 public:
  explicit canvas_in(const_image_view<space::host> images) : images_(images.shape) { copy(images, images_.view()); }
  [[nodiscard]] const_image_view<S> view() { return images_.view(); }

 private:
  storage<float, 4, S> images_;
};
template <>
class canvas_in<space::host> {
 public:
  explicit canvas_in(const_image_view<space::host> images) : images_(images) {}
  [[nodiscard]] const_image_view<space::host> view() const { return images_; }

 private:
  const_image_view<space::host> images_;
};

/// Some of the images of a run, in the memory of its model.
template <space S>
class seating {
 public:
  explicit seating(const_image_view<space::host> all) : all_(all) {}

  /// Images who[0], who[1], ...; the view is good until the next call. Only those that change place are copied.
  const_image_view<S> sit(std::span<std::size_t const> who) {
    if (who.size() > seats_.size()) {
      images_ = storage<float, 4, S>({who.size(), all_.shape[1], all_.shape[2], all_.shape[3]});
      seats_.assign(who.size(), nobody);
    }
    for (std::size_t k = 0; k < who.size(); ++k)
      if (seats_[k] != who[k]) {
        if (k > 0 && who[k - 1] == who[k])  // beside itself: no way from the host for each
          copy(const_image_view<S>(images_.view().rows(k - 1, 1)), images_.view().rows(k, 1));
        else
          copy(all_.rows(who[k], 1), images_.view().rows(k, 1));
        seats_[k] = who[k];
      }
    return images_.view().rows(0, who.size());
  }

 private:
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  const_image_view<space::host> all_;
  std::vector<std::size_t> seats_;
  storage<float, 4, S> images_;
};

}  // namespace pareidolia::detail
