// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_scratch.hpp>
#include <pareidolia/objectives/class_probability.hpp>

namespace pareidolia {

inline void class_probability::value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const {
  using namespace detail;
  cuda::launch_rows("probability_rows", y.shape[0], y.data, cuda::uploaded(t.first(y.shape[0])), v.data, cuda::kernel_count(y.shape[1]));
}

inline void class_probability::seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const {
  using namespace detail;
  cuda::launch_rows("probability_seed_rows", y.shape[0], y.data, cuda::uploaded(t.first(y.shape[0])), dy.data,
                    cuda::kernel_count(y.shape[1]));
}

inline void class_probability::values(const_score_view<space::device> y, score_view<space::device> v) const { softmax_rows(y, v); }

static_assert(DifferentiableObjective<class_probability, space::device> && ClasswiseObjective<class_probability, space::device>);

}  // namespace pareidolia
