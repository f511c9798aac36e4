// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_image_addends.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/objectives/distortion.hpp>

namespace pareidolia {

inline void distortion::add_value(const_image_view<space::device> x, const_image_view<space::device> canvas,
                                  value_view<space::device> v) const {
  using namespace detail;
  cuda::kernels<cuda::image_addend_kernels>().launch_blocks("distortion_rows", x.shape[0], x.data, canvas.data, v.data, weight,
                                                            cuda::kernel_count(x.stride()), cuda::kernel_count(canvas.shape[0]));
}

inline void distortion::add_gradient(const_image_view<space::device> x, const_image_view<space::device> canvas,
                                     image_view<space::device> dx) const {
  using namespace detail;
  cuda::kernels<cuda::image_addend_kernels>().launch("distortion_gradients", x.size(), x.data, canvas.data, dx.data,
                                                     2 * weight / static_cast<float>(x.stride()), cuda::kernel_count(x.stride()),
                                                     cuda::kernel_count(canvas.shape[0]), cuda::kernel_count(x.size()));
}

static_assert(ImageAddend<distortion, space::device>);

}  // namespace pareidolia
