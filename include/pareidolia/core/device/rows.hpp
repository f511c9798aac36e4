// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_rows.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>
#include <pareidolia/detail/cuda_scratch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

// The primitives of core/rows.hpp on device memory. Those that give the host something wait for it; the others only start kernels, on the
// calling thread's stream.

namespace pareidolia {
namespace detail::cuda {

/// Starts a kernel of row_kernels for each value of an array of n.
template <class... Args>
void launch_values(char const* kernel, std::size_t n, Args... args) {
  kernels<row_kernels>().launch(kernel, n, args..., kernel_count(n));
}
/// Starts one with a block for each of n rows.
template <class... Args>
void launch_each_row(char const* kernel, std::size_t n, Args... args) {
  kernels<row_kernels>().launch_blocks(kernel, n, args...);
}

/// One number for each row of a, from a kernel that takes the arrays and writes them.
template <class... Arrays>
void reduce_rows(char const* kernel, std::span<double> out, view<float const, 2, space::device> a, Arrays... arrays) {
  double* const found = scratch<double>(a.shape[0]);
  launch_each_row(kernel, a.shape[0], a.data, arrays..., found, kernel_count(a.shape[1]));
  download<double>(found, out.first(a.shape[0]));
}

}  // namespace detail::cuda

inline void dot_rows(view<float const, 2, space::device> a, view<float const, 2, space::device> b, std::span<double> out) {
  detail::cuda::reduce_rows("dot_rows", out, a, b.data);
}
inline void norm1_rows(view<float const, 2, space::device> a, std::span<double> out) { detail::cuda::reduce_rows("norm1_rows", out, a); }
inline void norm2_rows(view<float const, 2, space::device> a, std::span<double> out) {
  dot_rows(a, a, out);
  for (std::size_t i = 0; i < a.shape[0]; ++i) out[i] = std::sqrt(out[i]);
}
inline void norm_inf_rows(view<float const, 2, space::device> a, std::span<double> out) {
  detail::cuda::reduce_rows("norm_inf_rows", out, a);
}

inline void axpy_rows(std::span<float const> c, view<float const, 2, space::device> x, view<float, 2, space::device> y) {
  using namespace detail::cuda;
  launch_values("axpy_rows", y.size(), uploaded(c), x.data, y.data, kernel_count(y.shape[1]));
}
inline void scale_rows(std::span<float const> c, view<float, 2, space::device> x) {
  using namespace detail::cuda;
  launch_values("scale_rows", x.size(), uploaded(c), x.data, kernel_count(x.shape[1]));
}
inline void sign_rows(view<float, 2, space::device> x) { detail::cuda::launch_values("sign_rows", x.size(), x.data); }
inline void clamp_rows(std::span<float const> limits, view<float, 2, space::device> x) {
  using namespace detail::cuda;
  launch_values("clamp_rows", x.size(), uploaded(limits), x.data, kernel_count(x.shape[1]));
}

inline void clamp_to_box(const_image_view<space::device> canvas, view<float, 2, space::device> d) {
  detail::cuda::launch_values("clamp_to_box", d.size(), canvas.data, d.data, detail::cuda::kernel_count(canvas.size()));
}
inline void zero_outward(const_image_view<space::device> canvas, view<float const, 2, space::device> d, view<float, 2, space::device> g) {
  detail::cuda::launch_values("zero_outward", g.size(), canvas.data, d.data, g.data, detail::cuda::kernel_count(canvas.size()));
}
inline void add_to_canvas(const_image_view<space::device> canvas, view<float const, 2, space::device> d, image_view<space::device> x) {
  using namespace detail::cuda;
  launch_values("add_to_canvas", x.size(), canvas.data, d.data, x.data, kernel_count(canvas.size()), kernel_count(d.size()));
}
inline void sum_rows(const_image_view<space::device> x, view<float, 2, space::device> d) {
  using namespace detail::cuda;
  kernels<row_kernels>().launch("sum_over_canvases", d.size(), x.data, d.data, kernel_count(d.size()), kernel_count(x.size()));
}

inline void project_l1_rows(std::span<float const> limits, view<float, 2, space::device> d) {
  using namespace detail::cuda;
  launch_each_row("project_l1_rows", d.shape[0], uploaded(limits), d.data, kernel_count(d.shape[1]));
}
inline void keep_pixels(std::span<float const> limits, image_shape const& shape, view<float, 2, space::device> d) {
  using namespace detail::cuda;
  launch_each_row("keep_pixels", d.shape[0], uploaded(limits), d.data, kernel_count(shape[0]), kernel_count(shape[1] * shape[2]));
}
inline void sparse_sign_rows(std::size_t count, view<float, 2, space::device> g) {
  using namespace detail::cuda;
  launch_each_row("sparse_sign_rows", g.shape[0], g.data, kernel_count(std::min(count, g.shape[1])), kernel_count(g.shape[1]));
}

inline void adam_rows(std::span<float const> rates, std::span<float const> unbias, view<float const, 2, space::device> g,
                      view<float, 2, space::device> m, view<float, 2, space::device> s, view<float, 2, space::device> x) {
  using namespace detail::cuda;
  std::vector<float> factors(rates.begin(), rates.end());
  factors.insert(factors.end(), unbias.begin(), unbias.end());
  launch_values("adam_rows", x.size(), uploaded(std::span<float const>(factors)), g.data, m.data, s.data, x.data, kernel_count(x.shape[1]));
}
inline void subtract_rows(view<float const, 2, space::device> a, view<float const, 2, space::device> b, std::span<std::size_t const> from,
                          view<float, 2, space::device> out, std::span<std::size_t const> to) {
  using namespace detail::cuda;
  if (from.empty()) return;
  std::vector<unsigned> rows;
  for (auto part : {from, to})
    for (std::size_t row : part) rows.push_back(kernel_count(row));
  launch_values("subtract_rows", from.size() * a.shape[1], a.data, b.data, uploaded(std::span<unsigned const>(rows)), out.data,
                kernel_count(from.size()), kernel_count(a.shape[1]));
}
inline void zero_where_equal(view<float const, 2, space::device> a, view<float const, 2, space::device> b,
                             view<float, 2, space::device> d) {
  detail::cuda::launch_values("zero_where_equal", d.size(), a.data, b.data, d.data);
}
inline void two_loop_rows(view<float const, 2, space::device> s, view<float const, 2, space::device> y,
                          std::span<std::vector<std::size_t> const> pairs, view<float, 2, space::device> d) {
  using namespace detail::cuda;
  std::size_t const n = d.shape[0];
  std::vector<unsigned> places(n + 1);  // where the pairs of each row begin, then the pairs
  for (std::size_t i = 0; i < n; ++i) {
    places[i] = kernel_count(places.size());
    for (std::size_t row : pairs[i]) places.push_back(kernel_count(row));
  }
  places[n] = kernel_count(places.size());
  launch_each_row("two_loop_rows", n, s.data, y.data, uploaded(std::span<unsigned const>(places)), d.data, scratch<unsigned char>(d.size()),
                  scratch<double>(2 * places.size()), kernel_count(d.shape[1]));
}

}  // namespace pareidolia
