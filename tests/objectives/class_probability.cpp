// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/class_probability.hpp>

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using namespace pareidolia;

constexpr std::size_t count = 12, classes = 7;

tensor<float, 2> logits(float spread) {
  auto y = filled<float, 2>({count, classes});
  auto stream = rng(3).stream(0);
  for (float& v : y) v = spread * stream.normal();
  return y;
}

std::vector<int> targets() {
  std::vector<int> t;
  for (std::size_t i = 0; i < count; ++i) t.push_back(static_cast<int>(i % classes));
  return t;
}

// In double, straight from the definition.
double probability(tensor<float, 2> const& y, std::size_t i, std::size_t target, std::size_t moved = 0, double by = 0) {
  double sum = 0, wanted = 0;
  for (std::size_t k = 0; k < classes; ++k) {
    double const e = std::exp(double{y(i, k)} + (k == moved ? by : 0));
    sum += e;
    if (k == target) wanted = e;
  }
  return wanted / sum;
}

}  // namespace

TEST_CASE("class_probability is the softmax of the target") {
  auto const y = logits(3);
  auto const t = targets();
  auto v = filled<float, 1>({count});
  class_probability{}.value(as_view(y), t, as_view(v));
  for (std::size_t i = 0; i < count; ++i)
    CHECK(double{v(i)} == doctest::Approx(probability(y, i, static_cast<std::size_t>(t[i]))).epsilon(1e-5));
}

TEST_CASE("class_probability of every class is a distribution and agrees with that of one target") {
  auto const y = logits(3);
  auto const t = targets();
  auto v = filled<float, 1>({count});
  auto all = filled<float, 2>({count, classes});
  class_probability{}.value(as_view(y), t, as_view(v));
  class_probability{}.values(as_view(y), as_view(all));
  for (std::size_t i = 0; i < count; ++i) {
    CHECK(all(i, static_cast<std::size_t>(t[i])) == v(i));
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) sum += double{all(i, k)};
    CHECK(sum == doctest::Approx(1).epsilon(1e-6));
  }
}

TEST_CASE("class_probability's seed is its numerical derivative") {
  auto const t = targets();
  for (float spread : {0.1f, 3.f, 8.f}) {
    auto const y = logits(spread);
    auto dy = filled<float, 2>({count, classes});
    class_probability{}.seed(as_view(y), t, as_view(dy));
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t k = 0; k < classes; ++k) {
        auto const target = static_cast<std::size_t>(t[i]);
        constexpr double h = 1e-4;
        double const slope = (probability(y, i, target, k, h) - probability(y, i, target, k, -h)) / (2 * h);
        CHECK(double{dy(i, k)} == doctest::Approx(slope).epsilon(1e-4));
      }
  }
}

TEST_CASE("class_probability's seed keeps its digits where the target is almost certain") {
  auto const y = tensor<float, 2>{{20, 0}};
  auto dy = filled<float, 2>({1, 2});
  class_probability{}.seed(as_view(y), std::vector{0}, as_view(dy));
  CHECK(double{dy(0, 0)} == doctest::Approx(std::exp(-20.0)).epsilon(1e-5));  // p (1 - p)
}

TEST_CASE("class_probability stands logits that are too large for exp") {
  auto const y = tensor<float, 2>{{1000, 0, -1000}};
  auto v = filled<float, 2>({1, 3});
  class_probability{}.values(as_view(y), as_view(v));
  CHECK(v == tensor<float, 2>{{1, 0, 0}});
}
