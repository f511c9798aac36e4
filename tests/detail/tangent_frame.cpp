// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/tangent_frame.hpp>

#include <support/quadric_model.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

using namespace pareidolia::detail;
using namespace pareidolia_test;

namespace {

double product(std::vector<float> const& a, std::vector<float> const& b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += double{a[j]} * double{b[j]};
  return sum;
}

}  // namespace

TEST_CASE("a frame of tangents is orthonormal, across the normal, and gives back what it was given") {
  constexpr std::size_t d = 17;
  auto const random = random_basis(1, d, 1)[0];
  std::vector<std::vector<float>> normals{std::vector<float>(random.begin(), random.end())};
  for (std::size_t const axis : {std::size_t{0}, d - 1})
    for (float const sign : {1.f, -1.f}) {
      normals.emplace_back(d);
      normals.back()[axis] = sign;
    }
  for (auto const& n : normals) {
    tangent_frame const frame{std::span<float const>(n)};
    std::vector<std::vector<float>> tangents;
    for (std::size_t j = 0; j + 1 < d; ++j) {
      std::vector<float> x(d - 1), back(d - 1);
      x[j] = 1;
      tangents.emplace_back(d);
      frame.raise(x, tangents.back());
      frame.lower(tangents.back(), back);
      for (std::size_t k = 0; k < x.size(); ++k) CHECK(std::abs(back[k] - x[k]) < 1e-6f);
      CHECK(std::abs(product(tangents.back(), n)) < 1e-6);
      for (std::size_t k = 0; k <= j; ++k) CHECK(product(tangents[j], tangents[k]) == doctest::Approx(j == k).epsilon(1e-6));
    }
    std::vector<float> of_normal(d - 1, 1);
    frame.lower(n, of_normal);
    for (float const v : of_normal) CHECK(std::abs(v) < 1e-6f);
  }
}
