// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/zoo.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

using namespace pareidolia;

TEST_CASE("xavier fills weights uniformly within sqrt(3 / inputs) and biases with zero, each array by itself") {
  weights const w = xavier(zoo::lenet5(), rng{1});
  auto const check = [&](char const* name, double inputs) {
    auto const& values = w.parameters.at(name).values;
    double const bound = std::sqrt(3 / inputs);
    double sum = 0, squares = 0;
    for (float v : values) {
      sum += double{v};
      squares += double{v} * double{v};
    }
    auto const n = static_cast<double>(values.size());
    CHECK(double{*std::max_element(values.begin(), values.end())} <= bound);
    CHECK(double{*std::min_element(values.begin(), values.end())} >= -bound);
    CHECK(std::abs(sum / n) < 5 * bound / std::sqrt(3 * n));                     // five standard deviations of the mean
    CHECK(std::abs(squares / n - 1 / inputs) < 5 / inputs * std::sqrt(.8 / n));  // and of the variance, 1 / inputs
  };
  check("conv1.weight", 25);
  check("conv2.weight", 500);
  check("ip1.weight", 800);
  for (float v : w.parameters.at("ip1.bias").values) CHECK(v == 0.f);
  CHECK(xavier(zoo::lenet5(), rng{1}).parameters.at("ip2.weight").values == w.parameters.at("ip2.weight").values);
  CHECK(xavier(zoo::lenet5(), rng{2}).parameters.at("ip2.weight").values != w.parameters.at("ip2.weight").values);
}

TEST_CASE("xavier leaves scales and normalisations the identity") {
  graph const g{.name = "g",
                .input = {2, 3, 3},
                .prepare = {},
                .nodes = {{"bn", layer::batch_normalization{}}, {"relu", layer::activation{}}, {"scale", layer::scale{}}}};
  weights const w = xavier(g, rng{1});
  for (auto const& [name, value] : {std::pair{"bn.weight", 1.f},
                                    {"bn.bias", 0.f},
                                    {"bn.running_mean", 0.f},
                                    {"bn.running_var", 1.f},
                                    {"scale.weight", 1.f},
                                    {"scale.bias", 0.f}})
    CHECK(w.parameters.at(name).values == std::vector<float>{value, value});
}
