// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

// Primitives on vectors that are the rows of (count, length): what gradient searches and the encodings they move in are written with. Each
// is overloaded on the memory space of its views. Factors, limits and what comes out for each row are spans in host memory.

namespace pareidolia {
namespace detail {

/// body(i) for each of n rows, split over threads where there is enough to do.
template <class Body>
void for_rows(std::size_t n, std::size_t length, Body const& body) {
  constexpr std::size_t enough = std::size_t{1} << 17;
  std::size_t const together = 1 + enough / std::max<std::size_t>(1, length);
  parallel_for((n + together - 1) / together, [&](std::size_t part, std::size_t) {
    for (std::size_t i = part * together; i < std::min(n, (part + 1) * together); ++i) body(i);
  });
}

/// Sum of term(j) for j < n in eight partial sums, always in the same order.
template <class Term>
double sum_of(std::size_t n, Term const& term) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> sums{};
  std::size_t j = 0;
  for (; j + lanes <= n; j += lanes)
    for (std::size_t l = 0; l < lanes; ++l) sums[l] += term(j + l);
  for (; j < n; ++j) sums[0] += term(j);
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace detail

/// out[i] = <a_i, b_i>, summed in double.
inline void dot_rows(view<float const, 2> a, view<float const, 2> b, std::span<double> out) {
  detail::for_rows(a.shape[0], a.shape[1], [&](std::size_t i) {
    float const *x = a.row(i).data(), *y = b.row(i).data();
    out[i] = detail::sum_of(a.shape[1], [=](std::size_t j) { return double{x[j]} * double{y[j]}; });
  });
}

/// out[i] = ||a_i||_1.
inline void norm1_rows(view<float const, 2> a, std::span<double> out) {
  detail::for_rows(a.shape[0], a.shape[1], [&](std::size_t i) {
    float const* x = a.row(i).data();
    out[i] = detail::sum_of(a.shape[1], [=](std::size_t j) { return std::abs(double{x[j]}); });
  });
}

/// out[i] = ||a_i||_2.
inline void norm2_rows(view<float const, 2> a, std::span<double> out) {
  dot_rows(a, a, out);
  for (std::size_t i = 0; i < a.shape[0]; ++i) out[i] = std::sqrt(out[i]);
}

/// out[i] = ||a_i||_inf.
inline void norm_inf_rows(view<float const, 2> a, std::span<double> out) {
  detail::for_rows(a.shape[0], a.shape[1], [&](std::size_t i) {
    float largest = 0;
    for (float v : a.row(i)) largest = std::max(largest, std::abs(v));
    out[i] = double{largest};
  });
}

/// y_i <- y_i + c[i] x_i.
inline void axpy_rows(std::span<float const> c, view<float const, 2> x, view<float, 2> y) {
  detail::for_rows(y.shape[0], y.shape[1], [&](std::size_t i) {
    float const* from = x.row(i).data();
    auto const to = y.row(i);
    for (std::size_t j = 0; j < to.size(); ++j) to[j] += c[i] * from[j];
  });
}

/// x_i <- c[i] x_i.
inline void scale_rows(std::span<float const> c, view<float, 2> x) {
  detail::for_rows(x.shape[0], x.shape[1], [&](std::size_t i) {
    for (float& v : x.row(i)) v *= c[i];
  });
}

/// x_i <- the sign of each value: -1, 0 or 1.
inline void sign_rows(view<float, 2> x) {
  detail::for_rows(x.shape[0], x.shape[1], [&](std::size_t i) {
    for (float& v : x.row(i)) v = static_cast<float>((v > 0) - (v < 0));
  });
}

/// Each value of row i into [-limits[i], limits[i]].
inline void clamp_rows(std::span<float const> limits, view<float, 2> x) {
  detail::for_rows(x.shape[0], x.shape[1], [&](std::size_t i) {
    for (float& v : x.row(i)) v = std::clamp(v, -limits[i], limits[i]);
  });
}

/// d_i to the nearest such that c + d_i is in [0, 1], c = canvas i mod canvases: d (n, length), canvas (canvases, channels, height, width).
inline void clamp_to_box(const_image_view<space::host> canvas, view<float, 2> d) {
  detail::for_rows(d.shape[0], d.shape[1], [&](std::size_t i) {
    float const* c = canvas.row(i % canvas.shape[0]).data();
    auto const row = d.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = std::min(std::max(row[j], -c[j]), 1 - c[j]);
  });
}

/// d_i to the nearest with ||d_i||_1 <= limits[i]: v <- sign(v) max(|v| - theta, 0), the theta of Duchi et al. (ICML 2008), by bisection
/// of the values instead of sorting. Cost: expected a few passes over a row.
inline void project_l1_rows(std::span<float const> limits, view<float, 2> d) {
  detail::for_rows(d.shape[0], d.shape[1], [&](std::size_t i) {
    auto const row = d.row(i);
    double sum = 0;
    std::vector<float> left;  // magnitudes among which the last one above theta is
    left.reserve(row.size());
    for (float v : row) sum += std::abs(double{v}), left.push_back(std::abs(v));
    double const limit = double{limits[i]};
    if (sum <= limit) return;
    double above = 0, count = 0;  // of those that are known to be above theta
    while (!left.empty()) {
      float const pivot = left[left.size() / 2];
      auto const middle = std::partition(left.begin(), left.end(), [&](float v) { return v >= pivot; });
      double part = 0;
      for (auto v = left.begin(); v != middle; ++v) part += double{*v};
      double const many = static_cast<double>(middle - left.begin());
      if ((above + part) - (count + many) * double{pivot} < limit) {
        above += part;
        count += many;
        left.erase(left.begin(), middle);
      } else {
        left.erase(middle, left.end());
        left.erase(std::find(left.begin(), left.end(), pivot));
      }
    }
    auto const theta = static_cast<float>((above - limit) / count);
    for (float& v : row) v = std::copysign(std::max(std::abs(v) - theta, 0.f), v);
  });
}

/// Zeros all but the limits[i] pixels of row i that are largest: of shape (channels, height, width), a pixel is as large as the sum of
/// the squares of its values. Of equal ones the first stay.
inline void keep_pixels(std::span<float const> limits, image_shape const& shape, view<float, 2> d) {
  std::size_t const channels = shape[0], area = shape[1] * shape[2];
  detail::for_rows(d.shape[0], d.shape[1], [&](std::size_t i) {
    auto const row = d.row(i);
    if (!(limits[i] < static_cast<float>(area))) return;
    auto const kept = static_cast<std::size_t>(std::max(limits[i], 0.f));
    std::vector<float> size(area);
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t j = 0; j < area; ++j) size[j] += row[c * area + j] * row[c * area + j];
    std::vector<std::size_t> order(area);
    for (std::size_t j = 0; j < area; ++j) order[j] = j;
    auto const larger = [&](std::size_t a, std::size_t b) { return size[a] != size[b] ? size[a] > size[b] : a < b; };
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(), larger);
    for (std::size_t k = kept; k < area; ++k)
      for (std::size_t c = 0; c < channels; ++c) row[c * area + order[k]] = 0;
  });
}

/// Each row to the sign of its `count` values that are largest in magnitude, divided by their number, and 0 elsewhere; fewer where fewer
/// are not 0.
inline void sparse_sign_rows(std::size_t count, view<float, 2> g) {
  detail::for_rows(g.shape[0], g.shape[1], [&](std::size_t i) {
    auto const row = g.row(i);
    std::vector<std::size_t> order;
    for (std::size_t j = 0; j < row.size(); ++j)
      if (row[j] != 0) order.push_back(j);
    std::size_t const kept = std::min(count, order.size());
    auto const larger = [&](std::size_t a, std::size_t b) {
      float const x = std::abs(row[a]), y = std::abs(row[b]);
      return x != y ? x > y : a < b;
    };
    if (kept < order.size()) std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(), larger);
    for (std::size_t k = 0; k < order.size(); ++k)
      row[order[k]] = k < kept ? std::copysign(1 / static_cast<float>(kept), row[order[k]]) : 0.f;
  });
}

/// Zeros the values of g that would lead out of the box: where c + d is at 0 and g < 0, or at 1 and g > 0. d and g (n, length).
inline void zero_outward(const_image_view<space::host> canvas, view<float const, 2> d, view<float, 2> g) {
  detail::for_rows(g.shape[0], g.shape[1], [&](std::size_t i) {
    float const *c = canvas.row(i % canvas.shape[0]).data(), *at = d.row(i).data();
    auto const row = g.row(i);
    for (std::size_t j = 0; j < row.size(); ++j)
      if ((row[j] < 0 && at[j] <= -c[j]) || (row[j] > 0 && at[j] >= 1 - c[j])) row[j] = 0;
  });
}

/// x_i = clip(c + d, 0, 1), c = canvas i mod canvases, d = row i mod size.
inline void add_to_canvas(const_image_view<space::host> canvas, view<float const, 2> d, image_view<space::host> x) {
  detail::for_rows(x.shape[0], x.stride(), [&](std::size_t i) {
    float const *c = canvas.row(i % canvas.shape[0]).data(), *delta = d.row(i % d.shape[0]).data();
    auto const row = x.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = std::clamp(c[j] + delta[j], 0.f, 1.f);
  });
}

/// d_i = sum of the x_j with j mod size = i.
inline void sum_rows(const_image_view<space::host> x, view<float, 2> d) {
  detail::for_rows(d.shape[0], d.shape[1] * (1 + x.shape[0] / std::max<std::size_t>(1, d.shape[0])), [&](std::size_t i) {
    auto const sum = d.row(i);
    std::copy_n(x.row(i).data(), sum.size(), sum.begin());
    for (std::size_t k = i + d.shape[0]; k < x.shape[0]; k += d.shape[0]) {
      float const* image = x.row(k).data();
      for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += image[j];
    }
  });
}

// What minimal perturbations are sought with.

/// Adam (Kingma and Ba, ICLR 2015) uphill: m <- b1 m + (1 - b1) g, s <- b2 s + (1 - b2) g^2, x <- x + rates[i] m / (sqrt(s unbias[i]) +
/// 1e-8), value by value with b1 = 0.9 and b2 = 0.999. At step t of row i rates[i] = rate / (1 - b1^t) and unbias[i] = 1 / (1 - b2^t).
inline void adam_rows(std::span<float const> rates, std::span<float const> unbias, view<float const, 2> g, view<float, 2> m,
                      view<float, 2> s, view<float, 2> x) {
  detail::for_rows(x.shape[0], 4 * x.shape[1], [&](std::size_t i) {
    float const* slope = g.row(i).data();
    float *mean = m.row(i).data(), *square = s.row(i).data();
    auto const to = x.row(i);
    for (std::size_t j = 0; j < to.size(); ++j) {
      mean[j] = .9f * mean[j] + .1f * slope[j];
      square[j] = .999f * square[j] + .001f * slope[j] * slope[j];
      to[j] += rates[i] * mean[j] / (std::sqrt(square[j] * unbias[i]) + 1e-8f);
    }
  });
}

/// out_to[k] = a_from[k] - b_from[k].
inline void subtract_rows(view<float const, 2> a, view<float const, 2> b, std::span<std::size_t const> from, view<float, 2> out,
                          std::span<std::size_t const> to) {
  detail::for_rows(from.size(), a.shape[1], [&](std::size_t k) {
    float const *x = a.row(from[k]).data(), *y = b.row(from[k]).data();
    auto const difference = out.row(to[k]);
    for (std::size_t j = 0; j < difference.size(); ++j) difference[j] = x[j] - y[j];
  });
}

/// Zeros the values of d where a and b are the same.
inline void zero_where_equal(view<float const, 2> a, view<float const, 2> b, view<float, 2> d) {
  detail::for_rows(d.shape[0], d.shape[1], [&](std::size_t i) {
    float const *x = a.row(i).data(), *y = b.row(i).data();
    auto const row = d.row(i);
    for (std::size_t j = 0; j < row.size(); ++j)
      if (x[j] == y[j]) row[j] = 0;
  });
}

/// d_i <- H_i d_i, H_i the inverse Hessian of L-BFGS (Nocedal 1980, the two loops) from the pairs s_r, y_r of the rows r in pairs[i],
/// oldest first. Values of d that are 0 are held: H_i is that of the others alone, and they stay 0. Pairs without curvature there are left
/// out; without any pair d_i stays as it is. s and y (pairs, length). Cost: 6 passes over a row for each pair.
inline void two_loop_rows(view<float const, 2> s, view<float const, 2> y, std::span<std::vector<std::size_t> const> pairs,
                          view<float, 2> d) {
  detail::for_rows(d.shape[0], 8 * d.shape[1], [&](std::size_t i) {
    struct pair {
      float const *s, *y;
      double curvature, alpha;
    };
    auto const q = d.row(i);
    std::vector<float> free;
    std::vector<pair> used;
    for (float v : q) free.push_back(v != 0 ? 1.f : 0.f);
    auto const product = [&](float const* a, float const* b) {
      return detail::sum_of(q.size(), [=](std::size_t j) { return double{a[j]} * double{b[j]}; });
    };
    auto const free_product = [&](float const* a, float const* b) {
      return detail::sum_of(q.size(), [=, f = free.data()](std::size_t j) { return double{f[j] * a[j]} * double{b[j]}; });
    };
    auto const add = [&](double c, float const* x) {
      for (std::size_t j = 0; j < q.size(); ++j) q[j] += free[j] * static_cast<float>(c) * x[j];
    };
    double newest = 0;  // scale of the first guess of H, s.y / y.y
    for (auto r = pairs[i].rbegin(); r != pairs[i].rend(); ++r) {
      pair at{s.row(*r).data(), y.row(*r).data(), 0, 0};
      double const size = free_product(at.y, at.y);
      at.curvature = free_product(at.s, at.y);
      if (!(at.curvature > 1e-8 * size)) continue;
      if (used.empty()) newest = at.curvature / size;
      at.alpha = product(at.s, q.data()) / at.curvature;
      add(-at.alpha, at.y);
      used.push_back(at);
    }
    if (used.empty()) return;
    for (float& v : q) v *= static_cast<float>(newest);
    for (auto at = used.rbegin(); at != used.rend(); ++at) add(at->alpha - product(at->y, q.data()) / at->curvature, at->s);
  });
}

}  // namespace pareidolia
