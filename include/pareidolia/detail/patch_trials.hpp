// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/session.hpp>
#include <pareidolia/encodings/patch.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// What the probes of patches have in common: many images of few patches, of each of which one probability is wanted.

namespace pareidolia::detail {

/// log softmax(y)_c.
[[nodiscard]] inline double log_probability(std::span<float const> y, int c) {
  double const top = double{*std::max_element(y.begin(), y.end())};
  double sum = 0;
  for (float const score : y) sum += std::exp(double{score} - top);
  return double{y[static_cast<std::size_t>(c)]} - top - std::log(sum);
}

[[nodiscard]] inline image_shape shape_of(std::array<std::size_t, 4> const& images) { return {images[1], images[2], images[3]}; }

/// The patch that is moved over each image: source index[i] for image i.
struct moved_patches {
  patches sources;
  std::vector<std::uint32_t> index;

  [[nodiscard]] std::vector<patch_window> windows() const {
    std::vector<patch_window> result;
    for (std::uint32_t s : index) result.push_back(sources.windows()[s]);
    return result;
  }
};

/// Which canvas each image of a batch has, in the memory of the model. Only those that change are copied.
template <space S>
class canvas_seats {
 public:
  canvas_seats(const_image_view<space::host> canvases, std::size_t seats)
      : all_(canvases), seats_(seats, nobody), images_({seats, canvases.shape[1], canvases.shape[2], canvases.shape[3]}) {}

  /// Canvases who[0], who[1], ...; the view is good until the next call.
  [[nodiscard]] const_image_view<S> sit(std::span<std::size_t const> who) {
    from_.clear();
    to_.clear();
    for (std::size_t k = 0; k < who.size(); ++k)
      if (seats_[k] != who[k]) {
        seats_[k] = who[k];
        from_.push_back(who[k]);
        to_.push_back(k);
      }
    copy_rows(rows_of(all_.view()), from_, rows_of(images_.view()), to_);
    return images_.view().rows(0, who.size());
  }

 private:
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  template <class T>
  [[nodiscard]] static view<T, 2, S> rows_of(view<T, 4, S> x) {
    return {x.data, {x.shape[0], x.stride()}};
  }

  canvas_in<S> all_;
  std::vector<std::size_t> seats_, from_, to_;
  storage<float, 4, S> images_;
};

/// Shows placements to a model, in batches that are full whichever images they belong to, and keeps the probability of each image's class.
template <Model M>
class patch_trials {
 public:
  static constexpr space S = M::memory;

  /// One forward of each image. Errors: no batch, labels that are not one of the model's classes for each image.
  patch_trials(std::string_view probe, M const& model, const_image_view<S> x, label_view labels, std::size_t batch)
      : probe_(probe), batch_(batch), pass_(model) {
    std::size_t const n = x.shape[0];
    if (batch == 0) fail(probe, ": batch is 0; give at least 1");
    if (!labels.empty() && labels.size() != n) fail(probe, ": ", n, " images but ", labels.size(), " labels; give one for each, or none");
    for (int label : labels)
      if (label < 0 || static_cast<std::size_t>(label) >= pass_.classes())
        fail(probe, ": a label is ", label, "; the model's classes are 0 to ", pass_.classes() - 1);
    if constexpr (S == space::host) {
      images_ = x;
    } else {
      copy_ = filled<float, 4>(x.shape);
      copy(x, as_view(copy_));
      images_ = as_view(std::as_const(copy_));
    }
    classes_.assign(labels.begin(), labels.end());
    classes_.resize(n);
    whole_.resize(n);
    static_cast<void>(pass_.images(batch));  // the one plan that is needed
    for (std::size_t first = 0; first < n; first += batch) {
      std::size_t const count = std::min(batch, n - first);
      copy(x.rows(first, count), pass_.images(count));
      auto const y = scores(count);
      if (labels.empty()) argmax(y, std::span(classes_).subspan(first, count));
      read(y, std::span(whole_).subspan(first, count), [&](std::size_t k) { return classes_[first + k]; });
    }
  }

  patch_trials(patch_trials const&) = delete;
  patch_trials& operator=(patch_trials const&) = delete;

  [[nodiscard]] const_image_view<space::host> images() const { return images_; }
  [[nodiscard]] image_shape shape() const { return shape_of(images_.shape); }
  /// (images), whose probability is measured: the labels, or what the model sees in each image.
  [[nodiscard]] std::vector<int> const& classes() const { return classes_; }
  /// (images), log p of the images themselves.
  [[nodiscard]] std::vector<double> const& whole() const { return whole_; }
  /// Images that the model has seen.
  [[nodiscard]] std::size_t forwards() const { return pass_.forwards; }

  /// (n), log p of each of n trials. `trial(k, list)` writes the placements of trial k, of which there may be `copies`, and says which
  /// image it is of; the canvas is that of the image, or the only one.
  template <class Trial>
  [[nodiscard]] std::vector<double> answers(patch const& encoding, const_image_view<space::host> canvases, std::size_t copies,
                                            std::size_t n, Trial const& trial) {
    std::vector<double> result(n);
    canvas_seats<S> seats(canvases, batch_);
    std::vector<std::size_t> image(batch_), canvas(batch_);
    placements lists{shape(), copies, {}};
    for (std::size_t first = 0; first < n; first += batch_) {
      std::size_t const count = std::min(batch_, n - first);
      lists.all.assign(count * copies, placement{});
      for (std::size_t k = 0; k < count; ++k) {
        image[k] = trial(first + k, lists.row(k));
        canvas[k] = image[k] % canvases.shape[0];
      }
      encoding.decode(lists, seats.sit(std::span(canvas).first(count)), pass_.images(count));
      read(scores(count), std::span(result).subspan(first, count), [&](std::size_t k) { return classes_[image[k]]; });
    }
    return result;
  }

  /// log p of each canvas with patch source(image, place) in each place of the grid, and of the canvas alone.
  template <class Source>
  [[nodiscard]] placed_answers placed(patches const& sources, const_image_view<space::host> canvases, window_grid const& grid,
                                      Source const& source) {
    std::size_t const row = grid.count() + 1, n = classes_.size();
    auto const p = answers({.sources = sources}, canvases, 1, n * row, [&](std::size_t k, std::span<placement> list) {
      std::size_t const i = k / row, place = k % row;
      if (place < grid.count()) list[0] = placed_at(source(i, place), grid(place));
      return i;
    });
    placed_answers result{grid, filled<double, 2>({n, row})};
    std::copy(p.begin(), p.end(), result.log_p.data());
    return result;
  }
  /// The same with the patch that belongs to each image.
  [[nodiscard]] placed_answers placed(moved_patches const& moved, const_image_view<space::host> canvases, window_grid const& grid) {
    return placed(moved.sources, canvases, grid, [&](std::size_t i, std::size_t) { return moved.index[i]; });
  }

  /// Every window of these grids on every image, grid by grid.
  [[nodiscard]] patches windows_of(std::vector<window_grid> const& grids) const {
    std::vector<patch_window> windows;
    for (window_grid const& grid : grids)
      for (std::size_t i = 0; i < classes_.size(); ++i)
        for (std::size_t k = 0; k < grid.count(); ++k) windows.push_back(grid(k, i));
    return patches(own_images(), std::move(windows));
  }

  /// The window of each image that evokes its class most, alone on the background; or those that are given, one for each image or one for
  /// all. Errors: another number of given windows, or of another size.
  [[nodiscard]] moved_patches chosen(const_image_view<space::host> canvases, std::size_t size, std::size_t stride,
                                     std::vector<patch_window> const& given) {
    std::size_t const n = classes_.size();
    std::vector<std::uint32_t> index(n);
    if (!given.empty()) {
      if (given.size() != n && given.size() != 1)
        fail(probe_, ": ", given.size(), " windows for ", n, " images; give one for each, or one for all");
      for (auto const& w : given)
        if (w.height != size || w.width != size)
          fail(probe_, ": a given window is ", w.height, "x", w.width, " pixels; give windows of the size ", size);
      for (std::size_t i = 0; i < n; ++i) index[i] = static_cast<std::uint32_t>(i % given.size());
      return {patches(own_images(), given), std::move(index)};
    }
    window_grid const grid(shape(), size, stride);
    patches const sources = windows_of({grid});
    auto const p = placed(sources, canvases, grid, [&](std::size_t i, std::size_t k) { return i * grid.count() + k; });
    for (std::size_t i = 0; i < n; ++i) {
      auto const own = p.places(i);
      auto const best = static_cast<std::size_t>(std::max_element(own.begin(), own.end()) - own.begin());
      index[i] = static_cast<std::uint32_t>(i * grid.count() + best);
    }
    return {sources, std::move(index)};
  }

  [[nodiscard]] static placement placed_at(std::size_t source, patch_window const& w) {
    return {static_cast<std::uint32_t>(source), static_cast<std::int32_t>(w.top), static_cast<std::int32_t>(w.left)};
  }

 private:
  [[nodiscard]] tensor<float, 4> own_images() const {
    auto result = filled<float, 4>(images_.shape);
    copy(images_, as_view(result));
    return result;
  }

  /// Of the images that are in the session, in host memory.
  [[nodiscard]] const_score_view<space::host> scores(std::size_t count) {
    auto const y = pass_.forward(count);
    if constexpr (S == space::host) {
      return y;
    } else {
      if (here_.shape()[0] < count) here_ = filled<float, 2>({count, pass_.classes()});
      copy(y, as_view(here_).rows(0, count));
      return as_view(std::as_const(here_)).rows(0, count);
    }
  }

  template <class Class>
  static void read(const_score_view<space::host> y, std::span<double> out, Class const& wanted) {
    constexpr std::size_t exponential = 16;  // additions that take as long
    for_rows(y.shape[0], exponential * y.shape[1], [&](std::size_t k) { out[k] = log_probability(y.row(k), wanted(k)); });
  }

  std::string_view probe_;
  std::size_t batch_;
  session<M> pass_;
  const_image_view<space::host> images_;
  tensor<float, 4> copy_ = filled<float, 4>({0, 0, 0, 0});  // of images elsewhere
  std::vector<int> classes_;
  std::vector<double> whole_;
  tensor<float, 2> here_ = filled<float, 2>({0, 0});
};

}  // namespace pareidolia::detail
