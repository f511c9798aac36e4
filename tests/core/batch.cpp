// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/batch.hpp>

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

using namespace pareidolia;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("softmax is the normalised exponential of each row") {
  tensor<float, 2> y{{0, std::log(2.f), std::log(5.f)}, {7, 7, 7}};
  auto p = filled<float, 2>({2, 3});
  softmax_rows(as_view(y), as_view(p));
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(p(0, k) == doctest::Approx(std::array{0.125, 0.25, 0.625}[k]));
    CHECK(p(1, k) == doctest::Approx(1.0 / 3));
  }
  softmax_rows(as_view(y), as_view(y));  // in place
  CHECK(y == p);
}

TEST_CASE("softmax stands scores of any size") {
  tensor<float, 2> y{{1e4f, 1e4f, -1e4f}, {-1e4f, -1e4f, -1e4f}};
  softmax_rows(as_view(y), as_view(y));
  CHECK(y(0, 0) == 0.5f);
  CHECK(y(0, 2) == 0);
  CHECK(y(1, 2) == doctest::Approx(1.0 / 3));
}

TEST_CASE("softmax, champions and the search for what is not finite do the same in rows of any length") {
  for (std::size_t classes : {1u, 2u, 7u, 15u, 16u, 17u, 33u, 255u, 256u, 257u, 1000u, 70'000u}) {
    CAPTURE(classes);
    auto y = filled<float, 2>({5, classes}), p = y;
    auto stream = rng(classes).stream(0);
    for (float& v : y) v = 30 * stream.uniform();
    softmax_rows(as_view(y), as_view(p));
    std::vector<std::size_t> row(classes), expected(classes);
    std::vector<float> best(classes);
    best_rows(as_view(y), row, best);
    double worst = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < classes; ++k) sum += std::exp(double{y(i, k)} - 30);
      for (std::size_t k = 0; k < classes; ++k) {
        double const expects = std::exp(double{y(i, k)} - 30) / sum;
        worst = std::max(worst, std::abs(double{p(i, k)} - expects) / expects);
        if (y(i, k) > y(expected[k], k)) expected[k] = i;
      }
    }
    CHECK(worst < 4e-6);  // of 30 some ulp, and a sum of 70,000
    CHECK(row == expected);
    for (std::size_t k = 0; k < classes; ++k) CHECK(best[k] == y(expected[k], k));
    CHECK(first_not_finite(as_view(y)) == 5);
    y(3, classes - 1) = infinity;
    CHECK(first_not_finite(as_view(y)) == 3);
    y(2, classes / 2) = not_a_number;
    CHECK(first_not_finite(as_view(y)) == 2);
  }
}

TEST_CASE("argmax is the first of the largest scores") {
  tensor<float, 2> const y{{1, 3, 3}, {-1, -2, -3}, {0, 0, 1}};
  std::vector<int> label(3);
  argmax(as_view(y), label);
  CHECK(label == std::vector{1, 0, 2});
}

TEST_CASE("the champion of a column is the first of its largest values, never a NaN") {
  tensor<float, 2> const v{
      {not_a_number, 1, not_a_number, -infinity}, {0.5f, 2, not_a_number, -infinity}, {0.25f, 2, not_a_number, -infinity}};
  std::vector<std::size_t> row(4);
  std::vector<float> best(4);
  best_rows(as_view(v), row, best);
  CHECK(row == std::vector<std::size_t>{1, 1, 3, 3});
  CHECK(best == std::vector{0.5f, 2.f, -infinity, -infinity});
}

TEST_CASE("the first row that is not finite is found") {
  tensor<float, 2> y{{1, 2}, {3, 4}, {5, 6}};
  CHECK(first_not_finite(as_view(y)) == 3);
  y(2, 1) = not_a_number;
  CHECK(first_not_finite(as_view(y)) == 2);
  y(1, 0) = -infinity;
  CHECK(first_not_finite(as_view(y)) == 1);
}

TEST_CASE("distances are L0, L1, L2 and Linf to each image's canvas") {
  tensor<float, 4> const canvas{{{{0, 0}, {0, 0}}}, {{{1, 1}, {1, 1}}}};
  tensor<float, 4> const x{{{{0, 0.5f}, {0, 0}}}, {{{1, 1}, {1, 1}}}, {{{0.25f, 0}, {0.5f, 0.75f}}}, {{{0, 0}, {0, 0}}}};
  auto d = filled<float, 2>({4, 4});
  distances(as_view(x), as_view(canvas), as_view(d));
  auto const row = [&](std::size_t i) { return std::array{d(i, 0), d(i, 1), d(i, 2), d(i, 3)}; };
  CHECK(row(0) == std::array{1.f, 0.5f, 0.5f, 0.5f});
  CHECK(row(1) == std::array{0.f, 0.f, 0.f, 0.f});
  CHECK(row(2) == std::array{3.f, 1.5f, std::sqrt(0.875f), 0.75f});
  CHECK(row(3) == std::array{4.f, 4.f, 2.f, 1.f});
}

TEST_CASE("copies are of whole batches, and of rows by their numbers") {
  std::vector<float> const source{0, 1, 2, 3, 4, 5};
  std::vector<float> whole(6), some(8, 9.f);
  copy(view<float const, 2>{source.data(), {3, 2}}, view<float, 2>{whole.data(), {3, 2}});
  CHECK(whole == source);
  copy_rows({source.data(), {3, 2}}, std::vector<std::size_t>{2, 0, 2}, {some.data(), {4, 2}}, std::vector<std::size_t>{0, 3, 1});
  CHECK(some == std::vector<float>{4, 5, 4, 5, 9, 9, 0, 1});
}
