// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_batch.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/objectives/opposite.hpp>

#include <cstddef>

namespace pareidolia::detail {

template <std::size_t Rank>
void negate(view<float, Rank, space::device> values) {
  cuda::kernels<cuda::batch_kernels>().launch("negate", values.size(), values.data, cuda::kernel_count(values.size()));
}

}  // namespace pareidolia::detail
