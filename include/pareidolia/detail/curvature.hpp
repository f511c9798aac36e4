// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/vectors.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// The length h of a difference quotient whose values are `step` apart on average (root mean square): h = step sqrt(d).
[[nodiscard]] inline double stride_of(float step, std::size_t d) { return double{step} * std::sqrt(static_cast<double>(d)); }

/// H v for n pairs of a point and a unit vector, H the Hessian of a difference of two scores, by central differences:
/// H v = (grad F(z + h v) - grad F(z - h v)) / (2 h). Two forwards and two backwards a product.
///
/// point(k) is z (d), which(k) the difference F, direction(k, v) writes v (d), answer(k, v, hv) is given v and H v; the last two are called
/// once for each k, from several threads.
template <class M, class Point, class Which, class Direction, class Answer>
void hessian_products(landscape<M>& f, std::size_t n, double h, Point const& point, Which const& which, Direction const& direction,
                      Answer const& answer) {
  std::size_t const most = std::max<std::size_t>(1, f.batch() / 2), d = f.length();
  auto v = filled<float, 2>({std::min(most, n), d});
  auto g = filled<float, 2>({2 * std::min(most, n), d});
  for (std::size_t first = 0; first < n; first += most) {
    std::size_t const count = std::min(most, n - first);
    for_rows(count, 32 * d, [&](std::size_t k) { direction(first + k, as_view(v).row(k)); });
    f.gradients(
        2 * count, 1, [&](std::size_t k, std::span<float> x) { along(point(first + k / 2), k % 2 ? -h : h, as_view(v).row(k / 2), x); },
        [&](std::size_t k, std::size_t, std::span<float const>) { return which(first + k / 2); },
        [&](std::size_t k, std::size_t, std::span<float const>, std::span<float const> gradient) {
          std::ranges::copy(gradient, as_view(g).row(k).begin());
        });
    for_rows(count, 4 * d, [&](std::size_t k) {
      auto const up = as_view(g).row(2 * k), down = as_view(g).row(2 * k + 1);
      for (std::size_t j = 0; j < d; ++j) up[j] = static_cast<float>((double{up[j]} - double{down[j]}) / (2 * h));
      answer(first + k, std::span<float const>(as_view(v).row(k)), std::span<float const>(up));
    });
  }
}

/// A uniformly random unit vector.
inline void draw_direction(random_stream stream, std::span<float> v) {
  do {
    for (float& value : v) value = stream.normal();
  } while (!(to_unit_length(v) > 0));
}

/// A uniformly random unit vector that is orthogonal to the unit vector n: a tangent.
inline void draw_tangent(random_stream stream, std::span<float const> n, std::span<float> v) {
  do {
    for (float& value : v) value = stream.normal();
    remove_component(n, v);
  } while (!(to_unit_length(v) > 0));
}

}  // namespace pareidolia::detail
