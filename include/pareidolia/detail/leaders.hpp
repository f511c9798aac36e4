// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia::detail {

/// Share of the most frequent label among some images.
[[nodiscard]] inline double label_purity(std::span<std::size_t const> images, label_view labels) {
  std::map<int, std::size_t> count;
  std::size_t most = 0;
  for (std::size_t const i : images) most = std::max(most, ++count[labels[i]]);
  return static_cast<double>(most) / static_cast<double>(images.size());
}

/// The images of the highest scores in each of several rankings, while images come one after the other.
class leaders {
 public:
  leaders(std::size_t rankings, std::size_t top)
      : images_(filled<std::size_t, 2>({rankings, top})),
        scores_(filled<float, 2>({rankings, top}, -std::numeric_limits<float>::infinity())),
        lowest_(rankings, std::numeric_limits<float>::infinity()) {}

  /// An image with its scores, one for each ranking; false, and nothing added, if one is not finite. Images come in order, so that of equal
  /// scores the first image leads.
  [[nodiscard]] bool add(std::size_t image, std::span<float const> scores) {
    if (!std::all_of(scores.begin(), scores.end(), [](float s) { return std::isfinite(s); })) return false;
    for (std::size_t r = 0; r < scores.size(); ++r) {
      lowest_[r] = std::min(lowest_[r], scores[r]);
      auto const row = as_view(scores_).row(r);
      if (!(scores[r] > row.back())) continue;
      auto const place = static_cast<std::size_t>(std::upper_bound(row.begin(), row.end(), scores[r], std::greater{}) - row.begin());
      auto const names = as_view(images_).row(r);
      std::copy_backward(row.begin() + static_cast<std::ptrdiff_t>(place), row.end() - 1, row.end());
      std::copy_backward(names.begin() + static_cast<std::ptrdiff_t>(place), names.end() - 1, names.end());
      row[place] = scores[r];
      names[place] = image;
    }
    return true;
  }

  /// All of it, as a Ranking with images, scores, telling and purity.
  template <class Ranking>
  [[nodiscard]] Ranking ranking(label_view labels) {
    Ranking found{.images = images_, .scores = scores_, .telling = {}, .purity = {}};
    for (std::size_t r = 0; r < lowest_.size(); ++r) {
      found.telling.push_back(scores_(r, 0) > lowest_[r]);
      if (!labels.empty()) found.purity.push_back(label_purity(as_view(images_).row(r), labels));
    }
    return found;
  }

 private:
  tensor<std::size_t, 2> images_;
  tensor<float, 2> scores_;
  std::vector<float> lowest_;
};

}  // namespace pareidolia::detail
