// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/probes/response_map.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

// How the answers of patch trials become the maps, figures and arrays of a probe's result.

namespace pareidolia::detail {

inline constexpr double decades_per_unit = 1 / std::numbers::ln10;  ///< log10 p = log p times this
[[nodiscard]] inline std::vector<double> log10_of(std::vector<double> v) {
  for (double& x : v) x *= decades_per_unit;
  return v;
}

/// What a model says of one patch in each place of a grid, and of the canvas alone.
struct placed_answers {
  window_grid grid;
  tensor<double, 2> log_p;  ///< (images, places + 1), natural logarithms; the canvas comes last

  [[nodiscard]] std::size_t size() const { return log_p.shape()[0]; }
  [[nodiscard]] std::span<double const> places(std::size_t i) const { return as_view(log_p).row(i).first(grid.count()); }

  /// (images)
  [[nodiscard]] std::vector<double> bare() const {
    std::vector<double> result;
    for (std::size_t i = 0; i < size(); ++i) result.push_back(as_view(log_p).row(i).back());
    return result;
  }
  /// log10 p.
  [[nodiscard]] response_map decades() const {
    return mapped([](double v, double) { return v * decades_per_unit; });
  }
  /// log p less that of the canvas.
  [[nodiscard]] response_map gains() const { return mapped(std::minus<>{}); }

 private:
  template <class F>
  [[nodiscard]] response_map mapped(F const& f) const {
    response_map map{grid, filled<float, 3>({size(), grid.rows, grid.columns})};
    for (std::size_t i = 0; i < size(); ++i) {
      double const alone = as_view(log_p).row(i).back();
      std::transform(places(i).begin(), places(i).end(), as_view(map.values).row(i).begin(),
                     [&](double v) { return static_cast<float>(f(v, alone)); });
    }
    return map;
  }
};

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

/// The figures of a map of log10 p; what distinguishes it from others goes behind their names.
inline void add_decades(std::vector<named_figure>& to, response_map const& map, std::string const& suffix) {
  to.emplace_back("median decades" + suffix, map.median_decades());
  to.emplace_back("share above 2 decades" + suffix, map.share_above(2));
  to.emplace_back("share above 3 decades" + suffix, map.share_above(3));
}

}  // namespace pareidolia::detail
