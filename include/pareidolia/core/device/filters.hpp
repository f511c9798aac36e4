// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/rows.hpp>
#include <pareidolia/core/filters.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_scratch.hpp>
#include <pareidolia/detail/cuda_transfers.hpp>

#include <cstddef>
#include <span>
#include <vector>

// The primitives of core/filters.hpp on device memory. They only start kernels, on the calling thread's stream.

namespace pareidolia {

inline void blur_rows(std::span<float const> sigma, image_shape const& shape, view<float, 2, space::device> x) {
  using namespace detail::cuda;
  std::vector<float> weights;
  std::vector<unsigned> begins{0};
  for (std::size_t i = 0; i < x.shape[0]; ++i) {
    if (sigma[i] > 0) {
      auto const own = detail::gaussian(sigma[i]);
      weights.insert(weights.end(), own.begin(), own.end());
    }
    begins.push_back(kernel_count(weights.size()));
  }
  float* const weights_there = scratch<float>(weights.size() + x.size());
  float* const between = weights_there + weights.size();
  upload<float>(weights, weights_there);
  unsigned const* const begins_there = uploaded(std::span<unsigned const>(begins));
  auto const blur = [&](float const* in, float* out, std::size_t length, std::size_t step) {
    launch_values("blur_lines", x.size(), weights_there, begins_there, in, out, kernel_count(length), kernel_count(step),
                  kernel_count(x.shape[1]));
  };
  blur(x.data, between, shape[2], 1);
  blur(between, x.data, shape[1], shape[2]);
}

inline void zero_small_pixels(float percentile, image_shape const& shape, view<float, 2, space::device> x) {
  using namespace detail::cuda;
  std::size_t const area = shape[1] * shape[2];
  auto const [low, share] = detail::percentile_place(area, percentile);
  launch_each_row("zero_small_pixels", x.shape[0], x.data, kernel_count(low), share, kernel_count(shape[0]), kernel_count(area));
}
inline void zero_idle_pixels(float percentile, image_shape const& shape, view<float const, 2, space::device> g,
                             view<float, 2, space::device> x) {
  using namespace detail::cuda;
  std::size_t const area = shape[1] * shape[2];
  auto const [low, share] = detail::percentile_place(area, percentile);
  launch_each_row("zero_idle_pixels", x.shape[0], g.data, x.data, kernel_count(low), share, kernel_count(shape[0]), kernel_count(area));
}

namespace detail::cuda {

/// The cosines of the lines and the columns of images, and room for `count` values behind them, in device memory.
struct cosine_tables {
  float *down, *along, *room;

  cosine_tables(std::size_t side, image_shape const& shape, std::size_t count) {
    std::vector<float> tables = cosines(side, shape[1]);
    auto const second = cosines(side, shape[2]);
    tables.insert(tables.end(), second.begin(), second.end());
    down = scratch<float>(tables.size() + count);
    along = down + side * shape[1];
    room = along + side * shape[2];
    upload<float>(tables, down);
  }
};

/// The `side` frequencies of lines of `length` values, `step` apart, and back; of n values that come out.
inline void lines_to_frequencies(float const* basis, std::size_t side, std::size_t length, std::size_t step, float const* in, float* out,
                                 std::size_t n) {
  launch_values("transform_lines", n, basis, kernel_count(length), 1u, in, out, kernel_count(length), kernel_count(side),
                kernel_count(step));
}
inline void frequencies_to_lines(float const* basis, std::size_t side, std::size_t length, std::size_t step, float const* in, float* out,
                                 std::size_t n) {
  launch_values("transform_lines", n, basis, 1u, kernel_count(length), in, out, kernel_count(side), kernel_count(length),
                kernel_count(step));
}

}  // namespace detail::cuda

inline void to_frequencies(std::size_t side, image_shape const& shape, view<float const, 2, space::device> x,
                           view<float, 2, space::device> p) {
  std::size_t const between = x.shape[0] * shape[0] * side * shape[2];
  detail::cuda::cosine_tables const b(side, shape, between);
  detail::cuda::lines_to_frequencies(b.down, side, shape[1], shape[2], x.data, b.room, between);
  detail::cuda::lines_to_frequencies(b.along, side, shape[2], 1, b.room, p.data, p.size());
}
inline void from_frequencies(std::size_t side, image_shape const& shape, view<float const, 2, space::device> p,
                             view<float, 2, space::device> x) {
  std::size_t const between = x.shape[0] * shape[0] * side * shape[2];
  detail::cuda::cosine_tables const b(side, shape, between);
  detail::cuda::frequencies_to_lines(b.along, side, shape[2], 1, p.data, b.room, between);
  detail::cuda::frequencies_to_lines(b.down, side, shape[1], shape[2], b.room, x.data, x.size());
}

}  // namespace pareidolia
