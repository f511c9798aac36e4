// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_scratch.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>

namespace pareidolia {

inline void cross_entropy::value(const_score_view<space::device> y, label_view t, value_view<space::device> v) const {
  using namespace detail;
  cuda::launch_rows("cross_entropy_rows", y.shape[0], y.data, cuda::uploaded(t.first(y.shape[0])), v.data, cuda::kernel_count(y.shape[1]));
}

inline void cross_entropy::seed(const_score_view<space::device> y, label_view t, score_view<space::device> dy) const {
  using namespace detail;
  cuda::launch_rows("cross_entropy_seed_rows", y.shape[0], y.data, cuda::uploaded(t.first(y.shape[0])), dy.data,
                    cuda::kernel_count(y.shape[1]));
}

static_assert(DifferentiableObjective<cross_entropy, space::device>);

}  // namespace pareidolia
