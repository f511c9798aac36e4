// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

// Several opinions of one image as one. R rows of scores of each of n images: row r n + i is opinion r of image i.

namespace pareidolia::detail {

/// y(i, k) = log (1 / R) sum_r softmax(s_r)(i, k), so that softmax(y) is the mean of the R probabilities.
///
/// s (R n, classes) becomes log softmax(s), which the backward needs; y (n, classes). All of it in logarithms: y is finite when s is, also
/// where every probability is too small for a float.
inline void log_mean_softmax(score_view<space::host> s, score_view<space::host> y) {
  std::size_t const n = y.shape[0], opinions = s.shape[0] / n;
  for (std::size_t row = 0; row < s.shape[0]; ++row) {
    auto const scores = s.row(row);
    float const top = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (float v : scores) sum += std::exp(v - top);
    auto const log_sum = static_cast<float>(std::log(sum));
    for (float& v : scores) v = v - top - log_sum;
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < y.shape[1]; ++k) {
      float top = -std::numeric_limits<float>::infinity();
      for (std::size_t r = 0; r < opinions; ++r) top = std::max(top, s.row(r * n + i)[k]);
      double sum = 0;
      for (std::size_t r = 0; r < opinions; ++r) sum += std::exp(s.row(r * n + i)[k] - top);
      y.row(i)[k] = top + static_cast<float>(std::log(sum / static_cast<double>(opinions)));
    }
}

/// ds_r(k) = q_r(k) dy(k) - p_r(k) sum_j q_r(j) dy(j), p_r = softmax(s_r), q_r(k) = p_r(k) / sum_t p_t(k): the share of opinion r in class
/// k. log_p (R n, classes) and y (n, classes) as log_mean_softmax left them; dy (n, classes), ds (R n, classes).
inline void log_mean_softmax_backward(const_score_view<space::host> log_p, const_score_view<space::host> y,
                                      const_score_view<space::host> dy, score_view<space::host> ds) {
  std::size_t const n = y.shape[0], classes = y.shape[1];
  float const opinions = static_cast<float>(log_p.shape[0] / n);
  for (std::size_t row = 0; row < log_p.shape[0]; ++row) {
    auto const log_p_r = log_p.row(row), mean = y.row(row % n), seed = dy.row(row % n);
    auto const out = ds.row(row);
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) sum += out[k] = std::exp(log_p_r[k] - mean[k]) / opinions * seed[k];
    for (std::size_t k = 0; k < classes; ++k) out[k] -= std::exp(log_p_r[k]) * static_cast<float>(sum);
  }
}

}  // namespace pareidolia::detail
