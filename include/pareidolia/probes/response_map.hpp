// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/filters.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encodings/patches.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
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

}  // namespace pareidolia
