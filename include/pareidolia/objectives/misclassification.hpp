// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/score_rows.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace pareidolia {

/// v = 1 where the model no longer says t, else 0: v = [argmax_k y_k != t], of equal scores the first wins.
///
/// A step has no gradient, so `seed` is that of the cross entropy, the loss that stands for it: an optimizer that follows gradients climbs
/// the cross entropy and is told only whether it has arrived. Targeted, with v = -1 until t is reached: `towards{misclassification{}}`.
struct misclassification {
  static constexpr bool targeted = false;

  void value(const_score_view<space::host> y, label_view t, value_view<space::host> v) const {
    detail::value_rows(y, t, v, [](std::span<float const> scores, std::size_t target) {
      auto const said = static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
      return said == target ? 0.f : 1.f;
    });
  }

  void seed(const_score_view<space::host> y, label_view t, score_view<space::host> dy) const { cross_entropy{}.seed(y, t, dy); }

  // The same in device memory: objectives/device/misclassification.hpp, which comes with an engine for devices.
  void value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const;
  void seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const;
};

static_assert(DifferentiableObjective<misclassification, space::host>);

}  // namespace pareidolia
