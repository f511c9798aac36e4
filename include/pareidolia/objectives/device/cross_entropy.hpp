// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_objectives.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>

namespace pareidolia {

inline void cross_entropy::value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const {
  detail::cuda::launch_scores("cross_entropy_rows", y, t, v.data);
}

inline void cross_entropy::seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const {
  detail::cuda::launch_scores("cross_entropy_seed_rows", y, t, dy.data);
}

static_assert(DifferentiableObjective<cross_entropy, space::device>);

}  // namespace pareidolia
