// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/device/rows.hpp>
#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_pixels.hpp>
#include <pareidolia/detail/cuda_scratch.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/encodings/pixels.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace pareidolia {

/// Genotypes in device memory. They move and do not copy.
template <>
struct pixel_genes<space::device> {
  storage<float, 2, space::device> genes;  ///< (size(), channels * height * width)

  [[nodiscard]] std::size_t size() const { return rows().shape[0]; }
  [[nodiscard]] view<float, 2, space::device> rows() const { return genes.view(); }

  void assign(std::span<std::size_t const> to, pixel_genes const& source, std::span<std::size_t const> from) {
    copy_rows(source.rows(), from, rows(), to);
  }
};

namespace detail::cuda {

struct random_key {
  unsigned low, high;
};
[[nodiscard]] inline random_key key_of(rng const& random) {
  return {static_cast<unsigned>(random.key()), static_cast<unsigned>(random.key() >> 32)};
}

struct palette {
  unsigned space;
  float levels, turns;
};
[[nodiscard]] inline palette palette_of(pixels const& e) {
  return {static_cast<unsigned>(e.colours), static_cast<float>(e.levels), e.hue_turns};
}

}  // namespace detail::cuda

inline pixel_genes<space::device> pixels::buffer(std::size_t n, const_image_view<space::device> canvas) const {
  check();
  std::size_t const canvases = canvas.shape[0], length = canvas.stride();
  pixel_genes<space::device> p{storage<float, 2, space::device>({n, length})};
  if (in_colours(canvas.shape[1])) {
    auto here = filled<float, 4>(canvas.shape);
    copy(canvas, as_view(here));
    copy(view<float const, 2>(buffer(n, const_image_view<space::host>(as_view(here))).rows()), p.rows());
    return p;
  }
  std::vector<std::size_t> genotypes(n), shown(n);
  std::iota(genotypes.begin(), genotypes.end(), std::size_t{0});
  for (std::size_t i = 0; i < n; ++i) shown[i] = i % canvases;
  copy_rows({canvas.data, {canvases, length}}, shown, p.rows(), genotypes);
  return p;
}

inline void pixels::decode(pixel_genes<space::device> const& p, const_image_view<space::device>, image_view<space::device> x) const {
  using namespace detail;
  if (in_colours(x.shape[1])) {
    std::size_t const plane = x.stride() / 3, places = x.shape[0] * plane;
    cuda::kernels<cuda::pixels_kernels>().launch("paint_genes", places, static_cast<float const*>(p.rows().data), x.data,
                                                 cuda::palette_of(*this), cuda::kernel_count(p.size()), cuda::kernel_count(plane),
                                                 cuda::kernel_count(places));
    return;
  }
  cuda::kernels<cuda::pixels_kernels>().launch("quantise_genes", x.size(), static_cast<float const*>(p.rows().data), x.data,
                                               static_cast<float>(levels), cuda::kernel_count(p.rows().size()),
                                               cuda::kernel_count(x.size()));
}

inline void pixels::pullback(pixel_genes<space::device> const& p, const_image_view<space::device>, const_image_view<space::device> dx,
                             pixel_genes<space::device>& dp) const {
  using namespace detail;
  unsigned const genes = cuda::kernel_count(p.rows().size());
  auto const& kernels = cuda::kernels<cuda::pixels_kernels>();
  kernels.launch("sum_of_images", genes, dx.data, dp.rows().data, genes, cuda::kernel_count(dx.size()));
  if (!in_colours(dx.shape[1])) return;
  std::size_t const plane = dx.stride() / 3, places = p.size() * plane;
  kernels.launch("pull_back_colours", places, static_cast<float const*>(p.rows().data), dp.rows().data, cuda::palette_of(*this),
                 cuda::kernel_count(plane), cuda::kernel_count(places));
}

inline void pixels::draw(pixel_genes<space::device>& children, rng const& random) const {
  using namespace detail;
  auto const [count, length] = children.rows().shape;
  std::size_t const blocks = (length + 3) / 4;
  cuda::kernels<cuda::pixels_kernels>().launch("draw_genes", count * blocks, children.rows().data, cuda::kernel_count(length),
                                               cuda::kernel_count(blocks), cuda::kernel_count(count * blocks), cuda::key_of(random));
}

inline void pixels::vary(pixel_genes<space::device> const& parents, pixel_genes<space::device>& children, rng const& random) const {
  using namespace detail;
  auto const& kernels = cuda::kernels<cuda::pixels_kernels>();
  float* const genes = children.rows().data;
  unsigned const count = cuda::kernel_count(children.size()), length = cuda::kernel_count(children.rows().shape[1]);
  copy(parents.rows(), children.rows());

  rng const choice = random.fork(0), crossing = random.fork(1);
  std::vector<unsigned> couples;
  for (unsigned first = 0; first + 1 < count; first += 2)
    if (choice.stream(first).chance(crossover)) couples.push_back(first);
  if (!couples.empty())
    kernels.launch_blocks("cross_genes", couples.size(), genes, length, crossover_eta, cuda::key_of(crossing),
                          cuda::uploaded(std::span<unsigned const>(couples)));
  if (rate > 0)
    kernels.launch_blocks("mutate_genes", count, genes, length, static_cast<float>(1 / std::log1p(-double{rate})), 1 / (eta + 1),
                          cuda::key_of(random));
}

static_assert(DifferentiableEncoding<pixels, space::device> && ScheduledEncoding<pixels, space::device>);

}  // namespace pareidolia
