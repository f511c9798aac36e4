// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/device/batch.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

#include <array>
#include <cstddef>
#include <limits>
#include <vector>

// Each primitive against the host's.

namespace pareidolia_test {
namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

// Rows and columns that are fewer and more than the threads of a block, one, and no multiple of anything.
constexpr std::array<std::array<std::size_t, 2>, 6> shapes{{{1, 1}, {3, 10}, {1, 1000}, {70, 33}, {5, 256}, {33, 777}}};

}  // namespace

TEST_CASE("values go to the device, stay what they are, and come back") {
  if (!has_device()) return;
  auto const values = random_values<4>({2, 3, 5, 7}, 1);
  auto const there = on_device(values);
  storage<float, 4, space::device> const again({2, 3, 5, 7});
  copy(there.view(), again.view());
  CHECK(on_host(again.view()) == values);
  auto const part = on_host(again.view().rows(1, 1));
  CHECK(std::equal(part.begin(), part.end(), values.begin() + 3 * 5 * 7));
}

TEST_CASE("rows are gathered and scattered by their numbers") {
  if (!has_device()) return;
  for (std::size_t size : {1u, 6u, 700u}) {
    CAPTURE(size);
    auto const source = random_values<2>({5, size}, 1);
    auto expected = random_values<2>({7, size}, 2);
    auto const there = on_device(source), target = on_device(expected);
    std::vector<std::size_t> const from{4, 0, 4, 2}, to{6, 1, 0, 3};
    copy_rows(as_view(source), from, as_view(expected), to);
    copy_rows(there.view(), from, target.view(), to);
    CHECK(on_host(target.view()) == expected);
    copy_rows(there.view(), {}, target.view(), {});
    CHECK(on_host(target.view()) == expected);
  }
}

TEST_CASE("softmax is the host's, in place as well, and the same each time") {
  if (!has_device()) return;
  for (auto const& shape : shapes) {
    CAPTURE(shape[0]);
    CAPTURE(shape[1]);
    auto const y = random_values<2>(shape, 3, -30, 30);
    auto p = filled<float, 2>(shape);
    softmax_rows(as_view(y), as_view(p));
    auto const there = on_device(y), out = on_device(p);
    softmax_rows(there.view(), out.view());
    auto const first = on_host(out.view());
    CHECK(largest_difference(first, p) < 1e-6f);
    softmax_rows(there.view(), there.view());
    CHECK(on_host(there.view()) == first);
  }
}

TEST_CASE("softmax of scores beyond exp's range is finite") {
  if (!has_device()) return;
  auto const y = on_device(tensor<float, 2>{{1000, 999, -1000}});
  softmax_rows(y.view(), y.view());
  auto const p = on_host(y.view());
  CHECK(p(0, 0) == doctest::Approx(1 / (1 + std::exp(-1.0))));
  CHECK(p(0, 2) == 0);
}

TEST_CASE("the largest score of a row is the first of equals") {
  if (!has_device()) return;
  for (auto const& shape : shapes) {
    auto y = random_values<2>(shape, 4, -1, 1);
    for (float& v : y) v = std::round(4 * v);  // many are equal
    std::vector<int> expected(shape[0]), label(shape[0]);
    argmax(as_view(y), expected);
    argmax(on_device(y).view(), label);
    CHECK(label == expected);
  }
  std::vector<int> label(1);
  argmax(on_device(filled<float, 2>({1, 300}, -infinity)).view(), label);
  CHECK(label[0] == 0);
}

TEST_CASE("the champion of a column is the host's, NaN and infinities included") {
  if (!has_device()) return;
  for (auto const& shape : shapes) {
    auto v = random_values<2>(shape, 5, -1, 1);
    for (float& value : v) value = std::round(4 * value) / 4;
    v(0, 0) = not_a_number;
    for (std::size_t i = 0; i < shape[0]; ++i) v(i, shape[1] - 1) = i % 2 == 0 ? -infinity : not_a_number;
    std::vector<std::size_t> row(shape[1]), expected_row(shape[1]);
    std::vector<float> best(shape[1]), expected_best(shape[1]);
    best_rows(as_view(v), expected_row, expected_best);
    best_rows(on_device(v).view(), row, best);
    CHECK(row == expected_row);
    CHECK(best == expected_best);
    CHECK(row.back() == shape[0]);
  }
}

TEST_CASE("the first row with a NaN or an infinity is found") {
  if (!has_device()) return;
  for (auto const& shape : shapes) {
    auto y = random_values<2>(shape, 6, -1e30f, 1e30f);
    CHECK(first_not_finite(on_device(y).view()) == shape[0]);
    for (std::size_t i = shape[0]; i-- > 0;) {
      y(i, (7 * i) % shape[1]) = std::array{not_a_number, infinity, -infinity}[i % 3];
      if (i % 5 == 0 || i == shape[0] - 1) CHECK(first_not_finite(on_device(y).view()) == i);
    }
  }
}

TEST_CASE("distances from canvases are the host's") {
  if (!has_device()) return;
  for (std::size_t canvases : {1u, 2u, 4u}) {
    auto const canvas = random_values<4>({canvases, 3, 9, 13}, 7);
    auto x = random_values<4>({4, 3, 9, 13}, 8);
    std::copy_n(canvas.begin(), 50, x.begin());  // some are equal
    auto expected = filled<float, 2>({4, 4}), d = expected;
    distances(as_view(x), as_view(canvas), as_view(expected));
    auto const there = on_device(x), start = on_device(canvas);
    distances(there.view(), start.view(), as_view(d));
    for (std::size_t j = 0; j < d.size(); ++j) CHECK(d.data()[j] == doctest::Approx(expected.data()[j]).epsilon(1e-6));
    CHECK(d(0, 0) == expected(0, 0));
    CHECK(d(0, 3) == expected(0, 3));
  }
}

}  // namespace pareidolia_test
