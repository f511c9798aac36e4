// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/score_rows.hpp>
#include <pareidolia/objective.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace pareidolia {

/// How far another class leads: v = max_{k != t} y_k - y_t, in units of the logits; positive where the model no longer says t.
///
/// f_6 of Carlini and Wagner (S&P 2017), which minimise max(-v, -kappa) for a target; that bound is the affair of the optimizer. Its
/// gradient does not vanish where the model is sure, as that of the cross entropy does. seed: dv/dy = e_m - e_t, m the best class but t,
/// the first of equal ones. Targeted: `towards{margin{}}`, v = y_t - max_{k != t} y_k. Errors: a model of one class.
struct margin {
  static constexpr bool targeted = false;

  void value(const_score_view<space::host> y, label_view t, value_view<space::host> v) const {
    detail::check_others(y.shape[1]);
    detail::value_rows(y, t, v, [](std::span<float const> scores, std::size_t target) {
      return scores[detail::best_but(scores, target)] - scores[target];
    });
  }

  void seed(const_score_view<space::host> y, label_view t, score_view<space::host> dy) const {
    detail::check_others(y.shape[1]);
    std::fill_n(dy.data, dy.size(), 0.f);
    for (std::size_t i = 0; i < y.shape[0]; ++i) {
      auto const target = static_cast<std::size_t>(t[i]);
      dy.row(i)[detail::best_but(y.row(i), target)] = 1;
      dy.row(i)[target] = -1;
    }
  }

  // The same in device memory: objectives/device/margin.hpp, which comes with an engine for devices.
  void value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const;
  void seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const;
};

static_assert(DifferentiableObjective<margin, space::host>);

}  // namespace pareidolia
