// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/device/rows.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

#include <array>
#include <cmath>
#include <cstddef>
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

}  // namespace pareidolia_test
