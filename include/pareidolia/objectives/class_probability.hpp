// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/dispatch.hpp>
#include <pareidolia/detail/score_kernels.hpp>
#include <pareidolia/detail/score_rows.hpp>
#include <pareidolia/objective.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace pareidolia {

/// The confidence of the model in the class to reach: v(i) = p(i, t_i), p = softmax(y) row by row. In [0, 1].
///
/// Nguyen, Yosinski and Clune (CVPR 2015) evolve and climb this probability itself, not its logarithm and not the logit: where the model
/// is sure of another class its gradient vanishes, as p_t does.
struct class_probability {
  static constexpr bool targeted = true;

  /// v(i) = p(i, t_i). y (count, classes) logits, t and v (count).
  void value(const_score_view<space::host> y, label_view t, value_view<space::host> v) const {
    auto const best = detail::best_instruction_set();
    std::vector<float> p(y.shape[1]);
    detail::value_rows(y, t, v, [&](std::span<float const> scores, std::size_t target) {
      detail::dispatch<detail::softmax_row>(best, scores, std::span<float>(p));
      return p[target];
    });
  }

  /// dp_t / dy_k = p_t (delta_tk - p_k). dy (count, classes).
  void seed(const_score_view<space::host> y, label_view t, score_view<space::host> dy) const {
    softmax_rows(y, dy);
    for (std::size_t i = 0; i < y.shape[0]; ++i) {
      auto const p = dy.row(i);
      auto const target = static_cast<std::size_t>(t[i]);
      float const p_t = p[target];
      float others = 0;  // 1 - p_t without the cancellation where p_t is near 1
      for (std::size_t k = 0; k < p.size(); ++k)
        if (k != target) others += p[k];
      for (float& p_k : p) p_k *= -p_t;
      p[target] = p_t * others;
    }
  }

  /// v(i, k) = p(i, k). y and v (count, classes).
  void values(const_score_view<space::host> y, score_view<space::host> v) const { softmax_rows(y, v); }

  // The same in device memory: objectives/device/class_probability.hpp, which comes with an engine for devices.
  void value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const;
  void seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const;
  void values(const_score_view<space::device> y, score_view<space::device> v) const;
};

static_assert(DifferentiableObjective<class_probability, space::host> && ClasswiseObjective<class_probability, space::host>);

}  // namespace pareidolia
