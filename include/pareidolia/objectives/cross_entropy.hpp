// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/score_rows.hpp>
#include <pareidolia/objective.hpp>

#include <cmath>
#include <cstddef>
#include <span>

namespace pareidolia {

/// v = -log p_t, p = softmax(y): the loss that classifiers are trained to lower, and that an untargeted attack raises.
///
/// seed: dv/dy_k = p_k - [k = t]. Exact where p_t underflows: v is computed from the logits. Targeted: `towards{cross_entropy{}}`.
struct cross_entropy {
  static constexpr bool targeted = false;

  void value(const_score_view<space::host> y, label_view t, value_view<space::host> v) const {
    detail::value_rows(y, t, v, [](std::span<float const> scores, std::size_t target) {
      detail::exponentials const e(scores);
      return std::log(e.sum) + e.top - scores[target];
    });
  }

  void seed(const_score_view<space::host> y, label_view t, score_view<space::host> dy) const {
    softmax_rows(y, dy);
    for (std::size_t i = 0; i < y.shape[0]; ++i) dy.row(i)[static_cast<std::size_t>(t[i])] -= 1.f;
  }

  // The same in device memory: objectives/device/cross_entropy.hpp, which comes with an engine for devices.
  void value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const;
  void seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const;
};

static_assert(DifferentiableObjective<cross_entropy, space::host>);

}  // namespace pareidolia
