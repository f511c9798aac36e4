// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/zoo/resnet.hpp>

#include <pareidolia/models/fold.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

bool has(planned_graph const& p, std::string_view array, std::vector<std::size_t> const& shape) {
  return std::any_of(p.slots.begin(), p.slots.end(), [&](auto const& slot) { return slot.name == array && slot.shape == shape; });
}

}  // namespace

TEST_CASE("resnets have torchvision's arrays: those of its files without the counters of batches") {
  auto const basic = plan(zoo::resnet18());
  CHECK(basic.slots.size() == 102);
  CHECK(has(basic, "conv1.weight", {64, 3, 7, 7}));
  CHECK(has(basic, "bn1.running_var", {64}));
  CHECK(has(basic, "layer1.1.conv2.weight", {64, 64, 3, 3}));
  CHECK(has(basic, "layer2.0.conv1.weight", {128, 64, 3, 3}));
  CHECK(has(basic, "layer2.0.downsample.0.weight", {128, 64, 1, 1}));
  CHECK(has(basic, "layer2.0.downsample.1.running_mean", {128}));
  CHECK(has(basic, "layer4.1.bn2.bias", {512}));
  CHECK(has(basic, "fc.weight", {1000, 512}));
  CHECK(after(basic, "layer1.0.downsample.0") == image_shape{});

  auto const deep = plan(zoo::resnet50());
  CHECK(deep.slots.size() == 267);
  CHECK(has(deep, "layer1.0.downsample.0.weight", {256, 64, 1, 1}));
  CHECK(has(deep, "layer1.2.conv1.weight", {64, 256, 1, 1}));
  CHECK(has(deep, "layer4.0.conv3.weight", {2048, 512, 1, 1}));
  CHECK(has(deep, "layer4.2.bn3.weight", {2048}));
  CHECK(has(deep, "fc.bias", {1000}));
  CHECK(has(plan(zoo::resnet152()), "layer3.35.bn3.running_var", {1024}));
}

TEST_CASE("resnets have the published shapes and multiplications") {
  auto const check = [](graph const& g, double billions, std::size_t channels) {
    CAPTURE(g.name);
    auto const p = plan(g);
    CHECK(std::abs(static_cast<double>(multiplications(p)) / 1e9 - billions) < .01 * billions);
    CHECK(after(p, "conv1") == image_shape{64, 112, 112});
    CHECK(after(p, "maxpool") == image_shape{64, 56, 56});
    CHECK(after(p, "layer1.0.relu") == image_shape{channels / 8, 56, 56});
    CHECK(after(p, "layer4.2.relu").front() == (g.name == "resnet18" ? 0 : channels));
    CHECK(after(p, "layer4.1.relu") == image_shape{channels, 7, 7});
    CHECK(after(p, "avgpool") == image_shape{channels, 1, 1});
    CHECK(p.source.prepare.deviation.size() == 3);
  };
  check(zoo::resnet18(), 1.81, 512);
  check(zoo::resnet34(), 3.66, 512);
  check(zoo::resnet50(), 4.09, 2048);
  check(zoo::resnet101(), 7.8, 2048);
  check(zoo::resnet152(), 11.51, 2048);
}

TEST_CASE("a bottleneck halves the image in its 3x3 convolution, a block adds what it read") {
  auto const p = plan(zoo::resnet50());
  CHECK(after(p, "layer2.0.relu1") == image_shape{128, 56, 56});
  CHECK(after(p, "layer2.0.relu2") == image_shape{128, 28, 28});
  for (node const& n : p.source.nodes) {
    if (n.name == "layer2.0.sum") CHECK(n.inputs == std::vector<std::string>{"layer2.0.bn3", "layer2.0.downsample.1"});
    if (n.name == "layer2.1.sum") CHECK(n.inputs == std::vector<std::string>{"layer2.1.bn3", "layer2.0.relu"});
    if (n.name == "layer2.0.downsample.0") CHECK(n.inputs == std::vector<std::string>{"layer1.2.relu"});
  }
}

TEST_CASE("all normalisations of a resnet fold into its convolutions") {
  auto const f = plan_folding(zoo::resnet50());
  CHECK(f.into.size() == 53);
  CHECK(f.into.at("layer4.2.conv3") == "layer4.2.bn3");
  for (node const& n : f.network.nodes) {
    CHECK_FALSE(std::holds_alternative<layer::batch_normalization>(n.what));
    CHECK_FALSE(std::holds_alternative<layer::scale>(n.what));
  }
}
