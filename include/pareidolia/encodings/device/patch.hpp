// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_patch.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>
#include <pareidolia/detail/cuda_scratch.hpp>
#include <pareidolia/detail/pasting.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/encodings/patch.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pareidolia {
namespace detail::cuda {

/// A patch as the kernel reads it, and the kernel's last but one argument.
struct shown_patch {
  std::uint64_t source;
  std::int32_t top, left, height, width;
  std::int32_t source_height, source_width;
  float opacity;
};
struct pasting_scene {
  std::uint32_t channels, height, width, canvases, genotypes;
  std::uint32_t donor_width, donor_plane;
  float feather;
};

}  // namespace detail::cuda

/// The donors go to the device once. Lists stay on the host, which finds out what is shown of them, and sends that at each decode: 40 bytes
/// for each placement.
inline void patch::decode(placements const& p, const_image_view<space::device> canvas, image_view<space::device> x) const {
  using namespace detail;
  image_shape const shape{x.shape[1], x.shape[2], x.shape[3]};
  check_channels(shape[0]);
  auto const to_device = [](const_image_view<space::host> images) {
    storage<float, 4, space::device> there(images.shape);
    copy(images, there.view());
    cuda::synchronize();  // other threads have streams of their own
    return there;
  };
  auto const donors = sources.elsewhere(cuda::device_number(), to_device).view();
  std::size_t const donor_width = donors.shape[3], donor_plane = donors.shape[2] * donor_width;
  std::vector<cuda::shown_patch> patches_shown;
  std::vector<std::uint32_t> ends;
  for (std::size_t g = 0; g < p.size(); ++g) {
    each_shown(p.row(g), shape, [&](pasted const& one) {
      patch_window const& from = one.from;
      patches_shown.push_back({from.image * donors.stride() + from.top * donor_width + from.left, one.top, one.left, one.height, one.width,
                               static_cast<std::int32_t>(from.height), static_cast<std::int32_t>(from.width), one.opacity});
    });
    ends.push_back(cuda::kernel_count(patches_shown.size()));
  }
  cuda::pasting_scene const scene{
      cuda::kernel_count(shape[0]), cuda::kernel_count(shape[1]),    cuda::kernel_count(shape[2]),    cuda::kernel_count(canvas.shape[0]),
      cuda::kernel_count(p.size()), cuda::kernel_count(donor_width), cuda::kernel_count(donor_plane), feather};
  std::size_t const pixels_of_all = x.shape[0] * shape[1] * shape[2];
  cuda::kernels<cuda::patch_kernels>().launch("paste_patches", pixels_of_all, canvas.data, static_cast<float const*>(donors.data),
                                              cuda::uploaded(std::span<cuda::shown_patch const>(patches_shown)),
                                              cuda::uploaded(std::span<std::uint32_t const>(ends)), x.data, scene,
                                              cuda::kernel_count(pixels_of_all));
}

static_assert(EvolvableEncoding<patch, space::device>);

}  // namespace pareidolia
