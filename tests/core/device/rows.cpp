// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/device/rows.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

// Each primitive against the host's.

namespace pareidolia_test {
namespace {

constexpr std::array<std::array<std::size_t, 2>, 5> shapes{{{1, 1}, {3, 10}, {5, 256}, {2, 1000}, {7, 333}}};

std::vector<float> one_each(std::size_t n, float low, float high) {
  auto const values = random_values<1>({n}, 77, low, high);
  return {values.begin(), values.end()};
}

/// What both halves make of the same rows.
template <class Change>
std::pair<tensor<float, 2>, tensor<float, 2>> both(tensor<float, 2> rows, Change const& change) {
  auto const there = on_device(rows);
  change(as_view(rows));
  change(there.view());
  return {rows, on_host(there.view())};
}

}  // namespace

TEST_CASE("norms and products of rows are the host's up to the last bits") {
  if (!has_device()) return;
  for (auto const& shape : shapes) {
    auto const a = random_values<2>(shape, 1, -2, 2), b = random_values<2>(shape, 2, -2, 2);
    auto const c = on_device(a), d = on_device(b);
    std::vector<double> here(shape[0]), there(shape[0]);
    auto const compare = [&] {
      for (std::size_t i = 0; i < shape[0]; ++i) CHECK(there[i] == doctest::Approx(here[i]).epsilon(1e-12));
    };
    dot_rows(as_view(a), as_view(b), here), dot_rows(c.view(), d.view(), there), compare();
    norm1_rows(as_view(a), here), norm1_rows(c.view(), there), compare();
    norm2_rows(as_view(a), here), norm2_rows(c.view(), there), compare();
    norm_inf_rows(as_view(a), here), norm_inf_rows(c.view(), there), compare();
  }
}

TEST_CASE("rows change as they do on the host") {
  if (!has_device()) return;
  for (auto const& shape : shapes) {
    auto const x = random_values<2>(shape, 3, -2, 2);
    auto const factors = one_each(shape[0], -1, 1), limits = one_each(shape[0], 0, 1.5f);
    auto const x_there = on_device(x);
    auto y = random_values<2>(shape, 4);
    auto const y_there = on_device(y);
    axpy_rows(factors, as_view(x), as_view(y));
    axpy_rows(factors, x_there.view(), y_there.view());
    CHECK(largest_difference(on_host(y_there.view()), y) < 1e-6f);  // a fused product is rounded once
    for (auto const& [here, there] : {both(x, [&](auto v) { scale_rows(factors, v); }), both(x, [](auto v) { sign_rows(v); }),
                                      both(x, [&](auto v) { clamp_rows(limits, v); })})
      CHECK(here == there);
  }
}

TEST_CASE("canvases are those of the host") {
  if (!has_device()) return;
  for (auto const& [genotypes, canvases] : {std::pair{1u, 4u}, {4u, 4u}, {6u, 3u}, {3u, 1u}}) {
    std::size_t const count = std::max(genotypes, canvases);
    auto const canvas = random_values<4>({canvases, 3, 5, 7}, 5);
    auto const canvas_there = on_device(canvas);
    auto const d = random_values<2>({genotypes, 105}, 6, -1, 1);
    auto const d_there = on_device(d);
    auto x = filled<float, 4>({count, 3, 5, 7});
    auto const x_there = on_device(x);
    add_to_canvas(as_view(canvas), as_view(d), as_view(x));
    add_to_canvas(canvas_there.view(), d_there.view(), x_there.view());
    CHECK(on_host(x_there.view()) == x);
    auto sums = filled<float, 2>({genotypes, 105}, -9.f);
    auto const sums_there = on_device(sums);
    sum_rows(as_view(x), as_view(sums));
    sum_rows(x_there.view(), sums_there.view());
    CHECK(on_host(sums_there.view()) == sums);
    if (genotypes < canvases) continue;
    auto boxed = d;
    auto const boxed_there = on_device(d);
    clamp_to_box(as_view(canvas), as_view(boxed));
    clamp_to_box(canvas_there.view(), boxed_there.view());
    CHECK(on_host(boxed_there.view()) == boxed);
    auto g = random_values<2>({genotypes, 105}, 7, -1, 1);
    auto const g_there = on_device(g);
    zero_outward(as_view(canvas), as_view(boxed), as_view(g));
    zero_outward(canvas_there.view(), boxed_there.view(), g_there.view());
    CHECK(on_host(g_there.view()) == g);
  }
}

TEST_CASE("projections and sparse steps are the host's, ties too") {
  if (!has_device()) return;
  for (auto const& shape : shapes)
    for (bool coarse : {false, true}) {
      auto x = random_values<2>(shape, 8, -2, 2);
      if (coarse)
        for (float& v : x) v = std::round(2 * v) / 2;
      auto const limits = one_each(shape[0], 0, static_cast<float>(shape[1]));
      auto const [near, near_there] = both(x, [&](auto v) { project_l1_rows(limits, v); });
      CHECK(largest_difference(near, near_there) < 2e-6f);
      for (std::size_t count : {std::size_t{1}, std::size_t{9}, shape[1]}) {
        auto const [sparse, sparse_there] = both(x, [&](auto v) { sparse_sign_rows(count, v); });
        CHECK(sparse == sparse_there);
      }
      if (shape[1] % 2 == 0) {
        auto const pixels = one_each(shape[0], 0, static_cast<float>(shape[1] / 2));
        auto const [kept, kept_there] = both(x, [&](auto v) { keep_pixels(pixels, {2, 1, shape[1] / 2}, v); });
        CHECK(kept == kept_there);
      }
    }
}

TEST_CASE("Adam steps as on the host") {
  if (!has_device()) return;
  for (auto const& shape : shapes) {
    auto const rates = one_each(shape[0], 0, 1), unbias = one_each(shape[0], 1, 100);
    auto m = random_values<2>(shape, 11, -1, 1), s = random_values<2>(shape, 12), x = random_values<2>(shape, 13);
    auto const m_there = on_device(m), s_there = on_device(s), x_there = on_device(x);
    for (std::uint64_t step = 0; step < 3; ++step) {
      auto const g = random_values<2>(shape, 14 + step, -1, 1);
      auto const g_there = on_device(g);
      adam_rows(rates, unbias, as_view(g), as_view(m), as_view(s), as_view(x));
      adam_rows(rates, unbias, g_there.view(), m_there.view(), s_there.view(), x_there.view());
    }
    CHECK(largest_difference(on_host(m_there.view()), m) < 1e-6f);
    CHECK(largest_difference(on_host(s_there.view()), s) < 1e-6f);
    CHECK(largest_difference(on_host(x_there.view()), x) < 1e-5f);
  }
}

TEST_CASE("differences go to the rows that are named, and equal values are held, as on the host") {
  if (!has_device()) return;
  for (auto const& shape : shapes) {
    auto const a = random_values<2>(shape, 21, -2, 2);
    auto b = random_values<2>(shape, 22, -2, 2);
    for (std::size_t j = 0; j < b.size(); j += 3) b.data()[j] = a.data()[j];
    auto const a_there = on_device(a), b_there = on_device(b);
    auto out = filled<float, 2>({shape[0] + 2, shape[1]}, 7.f);
    auto const out_there = on_device(out);
    std::vector<std::size_t> from, to;
    for (std::size_t i = 0; i < shape[0]; i += 2) from.push_back(i), to.push_back(shape[0] + 1 - i);
    subtract_rows(as_view(a), as_view(b), from, as_view(out), to);
    subtract_rows(a_there.view(), b_there.view(), from, out_there.view(), to);
    CHECK(on_host(out_there.view()) == out);
    subtract_rows(a_there.view(), b_there.view(), {}, out_there.view(), {});
    CHECK(on_host(out_there.view()) == out);
    auto d = random_values<2>(shape, 23, -1, 1);
    auto const d_there = on_device(d);
    zero_where_equal(as_view(a), as_view(b), as_view(d));
    zero_where_equal(a_there.view(), b_there.view(), d_there.view());
    CHECK(on_host(d_there.view()) == d);
  }
}

TEST_CASE("two loops over pairs of their own turn rows as on the host") {
  if (!has_device()) return;
  for (std::size_t length : {1u, 10u, 256u, 777u}) {
    auto const s = random_values<2>({7, length}, 31, -1, 1);
    auto y = random_values<2>({7, length}, 32, -.2f, .2f);
    for (std::size_t r = 0; r < 7; ++r)
      for (std::size_t j = 0; j < length; ++j) y(r, j) += s(r, j) * (r == 5 ? -1.f : 1.f);  // the pair 5 has no curvature
    auto d = random_values<2>({5, length}, 33, -1, 1);
    for (std::size_t j = 0; j < d.size(); j += 4) d.data()[j] = 0;
    std::vector<std::vector<std::size_t>> const pairs{{0, 1, 2}, {}, {6, 5, 4}, {5}, {3}};
    auto const s_there = on_device(s), y_there = on_device(y), d_there = on_device(d);
    auto const before = d;
    two_loop_rows(as_view(s), as_view(y), pairs, as_view(d));
    two_loop_rows(s_there.view(), y_there.view(), pairs, d_there.view());
    auto const found = on_host(d_there.view());
    CHECK(largest_difference(found, d) < 1e-5f);
    for (std::size_t j = 0; j < d.size(); ++j) CHECK((before.data()[j] != 0 || found.data()[j] == 0));
    for (std::size_t j = 0; j < length; ++j) CHECK((found(1, j) == before(1, j) && found(3, j) == before(3, j)));
  }
}

}  // namespace pareidolia_test
