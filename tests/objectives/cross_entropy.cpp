// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

using namespace pareidolia;

static_assert(DifferentiableObjective<cross_entropy, space::host> && !cross_entropy::targeted);

TEST_CASE("cross entropy is the negative logarithm of the label's probability, exact where that underflows") {
  tensor<float, 2> const y{{0.f, std::log(3.f)}, {200.f, 0.f}, {-1000.f, 1000.f}};
  std::vector<int> const labels{0, 1, 0};
  auto v = filled<float, 1>({3});
  cross_entropy{}.value(as_view(y), labels, as_view(v));
  CHECK(v[0] == doctest::Approx(std::log(4.)));
  CHECK(v[1] == doctest::Approx(200));
  CHECK(v[2] == doctest::Approx(2000));
}

TEST_CASE("its seed is the limit of difference quotients") {
  tensor<float, 2> y{{.3f, -1.2f, .7f, 2.f}};
  std::vector<int> const labels{2};
  auto dy = filled<float, 2>({1, 4});
  cross_entropy{}.seed(as_view(std::as_const(y)), labels, as_view(dy));
  for (std::size_t k = 0; k < 4; ++k) {
    constexpr float h = 1e-2f;  // float: quotients err by about h^2 / 6 + 1e-7 / h
    auto above = filled<float, 1>({1}), below = above;
    float const kept = y(0, k);
    y(0, k) = kept + h;
    cross_entropy{}.value(as_view(std::as_const(y)), labels, as_view(above));
    y(0, k) = kept - h;
    cross_entropy{}.value(as_view(std::as_const(y)), labels, as_view(below));
    y(0, k) = kept;
    CHECK(std::abs((above[0] - below[0]) / (2 * h) - dy(0, k)) < 1e-4);
  }
}
