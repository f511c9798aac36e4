// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_objectives.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>
#include <pareidolia/objectives/misclassification.hpp>

namespace pareidolia {

inline void misclassification::value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const {
  detail::cuda::launch_scores("misclassification_rows", y, t, v.data);
}

inline void misclassification::seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const {
  cross_entropy{}.seed(y, t, dy);
}

static_assert(DifferentiableObjective<misclassification, space::device>);

}  // namespace pareidolia
