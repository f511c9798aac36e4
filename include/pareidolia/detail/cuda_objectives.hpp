// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_scratch.hpp>

namespace pareidolia::detail::cuda {

/// Starts a kernel(y, t, result, classes) with a block for each row of scores. t (count) is in host memory; result: values or seeds.
inline void launch_scores(char const* kernel, const_score_view<space::device> y, label_view t, float* result) {
  launch_rows(kernel, y.shape[0], y.data, uploaded(t.first(y.shape[0])), result, kernel_count(y.shape[1]));
}

}  // namespace pareidolia::detail::cuda
