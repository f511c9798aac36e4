// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/score_rows.hpp>
#include <pareidolia/objective.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace pareidolia {

/// The score of the class to reach, before softmax: v = y_t.
///
/// What class model visualisation climbs (Simonyan, Vedaldi and Zisserman, 2014): unlike the probability it does not grow by making the
/// other classes unlikely. seed: dv/dy = e_t. Untargeted: `away_from{logit{}}`.
struct logit {
  static constexpr bool targeted = true;

  void value(const_score_view<space::host> y, label_view t, value_view<space::host> v) const {
    detail::value_rows(y, t, v, [](std::span<float const> scores, std::size_t target) { return scores[target]; });
  }

  void seed(const_score_view<space::host> y, label_view t, score_view<space::host> dy) const {
    std::fill_n(dy.data, dy.size(), 0.f);
    for (std::size_t i = 0; i < y.shape[0]; ++i) dy.row(i)[static_cast<std::size_t>(t[i])] = 1;
  }

  /// v(i, k) = y(i, k). y and v (count, classes).
  void values(const_score_view<space::host> y, score_view<space::host> v) const { copy(y, v); }

  // The same in device memory: objectives/device/logit.hpp, which comes with an engine for devices.
  void value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const;
  void seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const;
  void values(const_score_view<space::device> y, score_view<space::device> v) const;
};

static_assert(DifferentiableObjective<logit, space::host> && ClasswiseObjective<logit, space::host>);

}  // namespace pareidolia
