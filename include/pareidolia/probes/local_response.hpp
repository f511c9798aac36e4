// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/filters.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/patch_trials.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/background.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// A number for each place of a grid on each image: log10 p of a patch there, or what it adds.
struct response_map {
  window_grid grid;
  tensor<float, 3> values;  ///< (images, rows, columns)

  [[nodiscard]] std::size_t size() const { return values.shape()[0]; }
  /// (places) of image i; place = row * columns + column.
  [[nodiscard]] std::span<float const> of(std::size_t i) const { return as_view(values).row(i); }

  /// The place with the largest value of image i, the first of equal ones; and with the smallest.
  [[nodiscard]] std::size_t best(std::size_t i) const {
    return static_cast<std::size_t>(std::max_element(of(i).begin(), of(i).end()) - of(i).begin());
  }
  [[nodiscard]] std::size_t worst(std::size_t i) const {
    return static_cast<std::size_t>(std::min_element(of(i).begin(), of(i).end()) - of(i).begin());
  }

  /// Largest less smallest value of image i: of a map of log10 p, the decades between its best and its worst place.
  [[nodiscard]] double decades(std::size_t i) const { return double{of(i)[best(i)]} - double{of(i)[worst(i)]}; }
  [[nodiscard]] double median_decades() const {
    std::vector<float> all;
    for (std::size_t i = 0; i < size(); ++i) all.push_back(static_cast<float>(decades(i)));
    return double{detail::percentile_of(std::move(all), 50)};
  }
  /// Share of the images whose best and worst place are more than `least` decades apart.
  [[nodiscard]] double share_above(double least) const {
    std::size_t above = 0;
    for (std::size_t i = 0; i < size(); ++i) above += decades(i) > least;
    return static_cast<double>(above) / static_cast<double>(size());
  }

  /// How many values of all images are in each of `bins` equal parts of [low, high); those outside are in the first or the last.
  [[nodiscard]] std::vector<std::size_t> histogram(double low, double high, std::size_t bins) const {
    if (!(low < high) || bins == 0) detail::fail("histogram: ", bins, " bins from ", low, " to ", high, "; give at least one, low < high");
    std::vector<std::size_t> counts(bins);
    for (float const v : values) {
      double const place = (double{v} - low) / (high - low) * static_cast<double>(bins);
      ++counts[static_cast<std::size_t>(std::clamp(place, 0., static_cast<double>(bins - 1)))];
    }
    return counts;
  }
};

namespace detail {

/// Columns [0, places) of (images, places + 1), times `factor`.
[[nodiscard]] inline response_map map_of(window_grid const& grid, tensor<double, 2> const& p, double factor) {
  response_map map{grid, filled<float, 3>({p.shape()[0], grid.rows, grid.columns})};
  for (std::size_t i = 0; i < map.size(); ++i) {
    auto const from = as_view(p).row(i).first(grid.count());
    std::transform(from.begin(), from.end(), as_view(map.values).row(i).begin(), [=](double v) { return static_cast<float>(factor * v); });
  }
  return map;
}

/// The last column of (images, places + 1), times `factor`.
[[nodiscard]] inline std::vector<double> bare_of(tensor<double, 2> const& p, double factor) {
  std::vector<double> result;
  for (std::size_t i = 0; i < p.shape()[0]; ++i) result.push_back(factor * as_view(p).row(i).back());
  return result;
}

inline constexpr double decades_per_unit = 1 / std::numbers::ln10;  ///< log10 p = log p times this
[[nodiscard]] inline std::vector<double> log10_of(std::vector<double> v) {
  for (double& x : v) x *= decades_per_unit;
  return v;
}

template <class T>
[[nodiscard]] named_array named_values(std::string name, std::vector<T> const& v) {
  named_array result{std::move(name), {v.size()}, {}};
  for (T const x : v) result.values.push_back(static_cast<float>(x));
  return result;
}

/// (windows, 5): image, top, left, height, width.
[[nodiscard]] inline named_array named_windows(std::string name, std::vector<patch_window> const& windows) {
  named_array result{std::move(name), {windows.size(), 5}, {}};
  for (auto const& w : windows)
    for (std::size_t const v : {w.image, w.top, w.left, w.height, w.width}) result.values.push_back(static_cast<float>(v));
  return result;
}

/// Columns [0, places) of (images, places + 1) less the last one.
[[nodiscard]] inline tensor<double, 2> gains(tensor<double, 2> p) {
  for (std::size_t i = 0; i < p.shape()[0]; ++i) {
    auto const row = as_view(p).row(i);
    for (double& v : row.first(row.size() - 1)) v -= row.back();
  }
  return p;
}

inline void add_decades(std::vector<named_figure>& to, response_map const& map, std::string const& of_what) {
  to.emplace_back("median decades" + of_what, map.median_decades());
  to.emplace_back("share above 2 decades" + of_what, map.share_above(2));
  to.emplace_back("share above 3 decades" + of_what, map.share_above(3));
}

}  // namespace detail

/// A square window and the distance between neighbouring ones, in pixels.
struct window_size {
  std::size_t size = 32, stride = 16;
};

/// How much each part of an image, alone, evokes the image's class: the local property of Ouarti and Carmona (2018).
///
/// For each window w of image x, on its background B: L(w) = log10 p_c(B with x in w), c its label, or what the model sees in x where there
/// are no labels. Only the paper's abstract is known to us, so the protocol is ours, and so are sizes, strides and background.
///
/// Cost: one forward for each window, one for each image and one for each background and size of window. Memory: a copy of the images and
/// their backgrounds, a batch of images. The result does not depend on `batch`, but for the rounding of a model that computes batches of
/// another size otherwise. Errors: a window that is larger than the image, labels that are not one for each image.
///
///     auto const found = measure(local_response{.windows = {{32, 16}, {64, 16}}}, googlenet, photos);
///     double const decades = found.maps[0].decades(0);
struct local_response {
  std::vector<window_size> windows{window_size{}};
  background where = {};
  std::size_t batch = 64;

  struct result {
    std::vector<response_map> maps;    ///< log10 p_c of the windows, for each of their sizes
    std::vector<int> classes;          ///< (images), c
    std::vector<double> whole, empty;  ///< (images), log10 p_c of the image and of its background
    std::size_t forwards = 0;          ///< images that the model was shown

    [[nodiscard]] std::vector<named_figure> figures() const {
      std::vector<named_figure> all;
      for (auto const& map : maps) detail::add_decades(all, map, suffix(map, " of ", "/"));
      return all;
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      std::vector<named_array> all;
      for (auto const& map : maps) all.push_back(named(prefix + "map" + suffix(map, "_", "_"), map.values));
      all.push_back(detail::named_values(prefix + "classes", classes));
      all.push_back(detail::named_values(prefix + "whole", whole));
      all.push_back(detail::named_values(prefix + "empty", empty));
      return all;
    }

   private:
    /// Tells sizes apart where there are several.
    [[nodiscard]] std::string suffix(response_map const& map, char const* first, char const* between) const {
      return maps.size() == 1 ? "" : detail::text(first, map.grid.size, between, map.grid.stride);
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    if (windows.empty()) detail::fail("local_response: no sizes of windows; give at least one");
    where.check();
    std::vector<window_grid> grids;
    for (auto const& w : windows) grids.emplace_back(detail::shape_of(x.shape), w.size, w.stride);
    detail::patch_trials trials("local_response", model, x, labels, batch);
    auto const canvases = where.canvases(trials.images());
    patches const sources = trials.windows_of(grids);
    result found;
    std::size_t first = 0;  // source of this size
    for (window_grid const& grid : grids) {
      auto const p =
          trials.placed(sources, as_view(canvases), grid, [&](std::size_t i, std::size_t k) { return first + i * grid.count() + k; });
      first += trials.classes().size() * grid.count();
      found.maps.push_back(detail::map_of(grid, p, detail::decades_per_unit));
      found.empty = detail::bare_of(p, detail::decades_per_unit);
    }
    found.classes = trials.classes();
    found.whole = detail::log10_of(trials.whole());
    found.forwards = trials.forwards();
    return found;
  }
};

}  // namespace pareidolia
