// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_objectives.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/objectives/logit.hpp>

namespace pareidolia {

inline void logit::value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const {
  detail::cuda::launch_scores("logit_rows", y, t, v.data);
}

inline void logit::seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const {
  detail::cuda::launch_scores("logit_seed_rows", y, t, dy.data);
}

inline void logit::values(const_score_view<space::device> y, score_view<space::device> v) const { copy(y, v); }

static_assert(DifferentiableObjective<logit, space::device> && ClasswiseObjective<logit, space::device>);

}  // namespace pareidolia
