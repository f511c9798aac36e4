// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_objectives.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/objectives/margin.hpp>

namespace pareidolia {

inline void margin::value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const {
  detail::check_others(y.shape[1]);
  detail::cuda::launch_scores("margin_rows", y, t, v.data);
}

inline void margin::seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const {
  detail::check_others(y.shape[1]);
  detail::cuda::launch_scores("margin_seed_rows", y, t, dy.data);
}

static_assert(DifferentiableObjective<margin, space::device>);

}  // namespace pareidolia
