// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/eigenpairs.hpp>

#include <pareidolia/detail/vectors.hpp>

#include <support/quadric_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <stdexcept>
#include <vector>

using namespace pareidolia;
using namespace pareidolia::detail;
using namespace pareidolia_test;

namespace {

constexpr std::size_t d = 60;

tensor<float, 2> matrix_of(std::vector<double> const& values, std::vector<std::vector<double>> const& vectors) {
  auto a = filled<float, 2>({d, d});
  for (std::size_t k = 0; k < values.size(); ++k)
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j) a(i, j) += static_cast<float>(values[k] * vectors[k][i] * vectors[k][j]);
  return a;
}

/// Falling from 10 to -7, dense at neither end.
std::vector<double> spread() {
  std::vector<double> values;
  for (std::size_t k = 0; k < d; ++k) {
    double const t = 2 * static_cast<double>(k) / (d - 1) - 1;
    values.push_back(t < 0 ? -10 * t * t * t : -7 * t * t * t);
  }
  return values;
}

void multiply(tensor<float, 2> const& a, question const& q) {
  for (std::size_t i = 0; i < d; ++i) q.y[i] = static_cast<float>(detail::dot(as_view(a).row(i), q.x));
}

double alignment(eigenpairs const& found, std::size_t i, std::vector<double> const& v) {
  auto const row = as_view(found.vectors).row(i);
  return std::abs(quadric_model::dot(v, {row.begin(), row.end()}));
}

}  // namespace

TEST_CASE("all eigenpairs of a matrix are those it was made of") {
  auto const values = spread();
  auto const vectors = random_basis(d, d, 1);
  auto const found = all_eigenpairs(matrix_of(values, vectors));
  REQUIRE(found.values.size() == d);
  for (std::size_t i = 0; i < d; ++i) {
    CHECK(found.values[i] == doctest::Approx(values[i]).epsilon(1e-5).scale(1));
    if (std::abs(values[i]) > .1) CHECK(alignment(found, i, vectors[i]) == doctest::Approx(1).epsilon(1e-5));
  }
}

TEST_CASE("extreme eigenpairs of operators side by side are the ends of all, however many are side by side") {
  constexpr std::size_t n = 5, each = 4;
  std::vector<tensor<float, 2>> a;
  std::vector<std::vector<std::vector<double>>> vectors;
  for (std::size_t i = 0; i < n; ++i) {
    vectors.push_back(random_basis(d, d, i));
    auto values = spread();
    for (double& v : values) v *= static_cast<double>(1 + i);
    a.push_back(matrix_of(values, vectors.back()));
  }
  auto const product = [&](std::span<question const> asked) {
    for (auto const& q : asked) multiply(a[q.problem], q);
  };
  extreme_search const how{.each_end = each, .products = 500, .tolerance = 1e-5};
  auto const found = extreme_eigenpairs(n, n, d, how, product);
  for (std::size_t i = 0; i < n; ++i) {
    auto const all = all_eigenpairs(a[i]);
    REQUIRE(found[i].values.size() == 2 * each);
    CHECK(std::ranges::is_sorted(found[i].values, std::greater<>{}));
    for (std::size_t j = 0; j < 2 * each; ++j) {
      std::size_t const same = j < each ? j : d - 2 * each + j;
      CHECK(found[i].values[j] == doctest::Approx(all.values[same]).epsilon(1e-4));
      CHECK(alignment(found[i], j, vectors[i][same]) == doctest::Approx(1).epsilon(1e-4));
    }
  }
  for (std::size_t const together : {1u, 2u}) {
    auto const again = extreme_eigenpairs(n, together, d, how, product);
    for (std::size_t i = 0; i < n; ++i) {
      CHECK(again[i].values == found[i].values);
      CHECK(again[i].vectors == found[i].vectors);
    }
  }
}

TEST_CASE("an operator whose eigenvalues are all equal has them") {
  for (double const value : {0., 1., -3., 1e-20}) {
    auto const found = extreme_eigenpairs(2, 2, d, {.each_end = 3}, [=](std::span<question const> asked) {
      for (auto const& q : asked) std::ranges::transform(q.x, q.y.begin(), [=](float x) { return static_cast<float>(value) * x; });
    });
    for (auto const& pairs : found) {
      REQUIRE(pairs.values.size() == 6);
      for (std::size_t j = 0; j < 6; ++j) {
        CHECK(std::abs(pairs.values[j] - value) <= (value == 0 ? 1e-6 : 1e-5 * std::abs(value)));
        for (std::size_t k = 0; k <= j; ++k) {
          auto const row = as_view(pairs.vectors).row(k);
          CHECK(alignment(pairs, j, {row.begin(), row.end()}) == doctest::Approx(j == k).epsilon(1e-5).scale(1));
        }
      }
    }
  }
}

TEST_CASE("no more products are taken than are allowed, and what is found by then is given") {
  auto const vectors = random_basis(d, d, 1);
  std::vector<double> values;  // dense at both ends, so that nothing converges to this tolerance
  for (std::size_t k = 0; k < d; ++k) values.push_back(std::cos(3.14159 * static_cast<double>(k) / (d - 1)));
  auto const a = matrix_of(values, vectors);
  for (std::size_t const products : {0u, 40u, 70u}) {
    std::size_t taken = 0;
    extreme_search const how{.each_end = 4, .products = products, .tolerance = 1e-9};
    auto const found = extreme_eigenpairs(1, 1, d, how, [&](std::span<question const> asked) {
      taken += asked.size();
      for (auto const& q : asked) multiply(a, q);
    });
    CHECK(taken <= std::max(products, how.basis(d) + 1));
    REQUIRE(found[0].values.size() == 8);
    CHECK(found[0].values.front() == doctest::Approx(1).epsilon(.02));
    CHECK(found[0].values.back() == doctest::Approx(-1).epsilon(.02));
  }
}

TEST_CASE("a product that fails ends the search") {
  std::size_t left = 30;
  CHECK_THROWS_AS(static_cast<void>(extreme_eigenpairs(4, 2, d, {.each_end = 2},
                                                       [&](std::span<question const> asked) {
                                                         if (left-- == 0) throw std::domain_error("no product");
                                                         for (auto const& q : asked) std::ranges::copy(q.x, q.y.begin());
                                                       })),
                  std::domain_error);
}
