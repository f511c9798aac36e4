// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_objectives.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/objectives/class_probability.hpp>

namespace pareidolia {

inline void class_probability::value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const {
  detail::cuda::launch_scores("probability_rows", y, t, v.data);
}

inline void class_probability::seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const {
  detail::cuda::launch_scores("probability_seed_rows", y, t, dy.data);
}

inline void class_probability::values(const_score_view<space::device> y, score_view<space::device> v) const { softmax_rows(y, v); }

static_assert(DifferentiableObjective<class_probability, space::device> && ClasswiseObjective<class_probability, space::device>);

}  // namespace pareidolia
