// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/engine.hpp>
#include <pareidolia/models/parameters.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <span>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

static_assert(ParameterStore<host_parameters<float>, float> && ParameterStore<host_parameters<double>, double>);

namespace {
graph const two_layers{
    "two layers",
    {1, 2, 3},
    {},
    {{"conv", layer::convolution{.outputs = 2, .kernel = {2, 2}}}, {"ip", layer::inner_product{.outputs = 3, .bias = false}}}};
}

TEST_CASE("parameters lie in the order of the layers, weight before bias") {
  weights const w = random_weights(two_layers, 1);
  host_parameters<double> const p(two_layers, w);
  std::vector<double> theta(p.size());
  p.read(theta);
  std::vector<double> expected;
  for (char const* name : {"conv.weight", "conv.bias", "ip.weight"})
    for (float v : w.parameters.at(name).values) expected.push_back(v);
  CHECK(theta == expected);
}

TEST_CASE("a copy has its own values; contents stay where they were and count versions") {
  host_parameters<float> p(two_layers, random_weights(two_layers, 1));
  auto const seen = p.contents();
  host_parameters<float> const copy = p;
  auto const version = seen->version;
  p.write(std::vector<float>(p.size(), 2));
  CHECK(seen->values[0] == 2);
  CHECK(seen->version != version);
  CHECK(copy.contents()->values[0] != 2);
  CHECK_THROWS_WITH_AS(p.write(std::vector<float>(3)), doctest::Contains("3 values were given"), error);
}

TEST_CASE("leading ones of old files do not matter; everything else about an array does") {
  weights w = random_weights(two_layers, 1);
  w.source = "net.caffemodel";
  w.parameters["ip.weight"].shape = {1, 1, 3, 4};
  w.parameters["conv.bias"].shape = {1, 1, 1, 2};
  CHECK_NOTHROW(host_parameters<float>(two_layers, w));
  w.parameters["unused"] = {{1}, {0}};
  CHECK_NOTHROW(host_parameters<float>(two_layers, w));

  auto const refused = [&](weights const& bad, char const* message) {
    CHECK_THROWS_WITH_AS(host_parameters<float>(two_layers, bad), doctest::Contains(message), error);
  };
  weights bad = w;
  bad.parameters["ip.weight"].shape = {4, 3};
  refused(bad, "net.caffemodel: array 'ip.weight' has shape (4, 3), graph 'two layers' wants (3, 4)");
  bad = w;
  bad.parameters["ip.weight"].values.pop_back();
  refused(bad, "ip.weight");
  bad = w;
  bad.parameters.erase("conv.weight");
  refused(bad, "no array 'conv.weight' for graph 'two layers'; there are: conv.bias, ip.weight, unused");
  bad = w;
  bad.parameters["conv.weight"].values[5] = std::numeric_limits<float>::infinity();
  refused(bad, "'conv.weight' holds inf at index 5");
}
