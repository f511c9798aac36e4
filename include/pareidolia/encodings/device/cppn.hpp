// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cppn_program.hpp>
#include <pareidolia/detail/cuda_cppn.hpp>
#include <pareidolia/detail/cuda_cppn_programs.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_scratch.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/encodings/cppn.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace pareidolia {

/// Networks whose images are drawn in device memory. They themselves are small, irregular and on the host: drawn and varied there, and at
/// each decode sent as programs, some 500 bytes a network. Gradients come to them on the host, too: a pullback copies dx.
template <>
struct cppn_population<space::device> : cppn_population<space::host> {};

namespace detail::cuda {

/// The kernel's last argument.
struct cppn_scene {
  std::uint32_t channels, height, width, genotypes, raw, colours;
  float hue_turns, levels;
};

}  // namespace detail::cuda

inline cppn_population<space::device> cppn::buffer(std::size_t n, const_image_view<space::device> canvas) const {
  return {{black(n, canvas.shape[1])}};
}

inline void cppn::decode(cppn_population<space::device> const& p, const_image_view<space::device>, image_view<space::device> x) const {
  using namespace detail;
  auto const [count, channels, height, width] = x.shape;
  check_outputs(p, channels);
  cppn_program program;
  cuda::cppn_programs batch;
  for (cppn_network const& network : p.networks) {
    program.compile(network, weight_range);
    if (batch.append(program)) continue;
    // A network so wide that the kernel has no room for it: the host draws this batch.
    auto images = filled<float, 4>(x.shape);
    decode(p, const_image_view<space::host>(), as_view(images));
    return copy(as_view(images), x);
  }
  constexpr std::size_t pixels_of_a_block = cuda::block_threads;
  std::size_t const tiles = (height * width + pixels_of_a_block - 1) / pixels_of_a_block;
  cuda::cppn_scene const scene{cuda::kernel_count(channels),
                               cuda::kernel_count(height),
                               cuda::kernel_count(width),
                               cuda::kernel_count(p.size()),
                               positions == coordinates::pixels,
                               static_cast<std::uint32_t>(channels == 1 ? cppn_colours::grey : colours),
                               hue_turns,
                               static_cast<float>(levels)};
  cuda::kernels<cuda::cppn_kernels>().launch_blocks("render_cppn", count * tiles,
                                                    cuda::uploaded(std::span<cuda::cppn_programs::program const>(batch.programs)),
                                                    cuda::uploaded(std::span<cuda::cppn_programs::step const>(batch.steps)),
                                                    cuda::uploaded(std::span<cuda::cppn_programs::term const>(batch.terms)), x.data, scene);
}

inline void cppn::pullback(cppn_population<space::device> const& p, const_image_view<space::device>, const_image_view<space::device> dx,
                           cppn_population<space::device>& dp) const {
  auto gradients = filled<float, 4>(dx.shape);
  copy(dx, as_view(gradients));
  pullback(p, const_image_view<space::host>(), as_view(gradients), dp);
}

static_assert(EvolvableEncoding<cppn, space::device> && ClimbingEncoding<cppn, space::device>);

}  // namespace pareidolia
