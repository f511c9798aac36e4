// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_image_addends.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/objectives/total_variation.hpp>

namespace pareidolia {

inline void total_variation::add_value(const_image_view<space::device> x, const_image_view<space::device>,
                                       value_view<space::device> v) const {
  using namespace detail;
  cuda::kernels<cuda::image_addend_kernels>().launch_blocks("total_variation_rows", x.shape[0], x.data, v.data, weight, smoothing,
                                                            cuda::kernel_count(x.shape[2]), cuda::kernel_count(x.shape[3]),
                                                            cuda::kernel_count(x.stride()));
}

inline void total_variation::add_gradient(const_image_view<space::device> x, const_image_view<space::device>,
                                          image_view<space::device> dx) const {
  using namespace detail;
  cuda::kernels<cuda::image_addend_kernels>().launch("total_variation_gradients", x.size(), x.data, dx.data,
                                                     weight / static_cast<float>(x.stride()), smoothing, cuda::kernel_count(x.shape[2]),
                                                     cuda::kernel_count(x.shape[3]), cuda::kernel_count(x.size()));
}

static_assert(ImageAddend<total_variation, space::device>);

}  // namespace pareidolia
