// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/zoo/torchvision.hpp>

#include <pareidolia/models/zoo.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

/// Arrays of one value each, which tells where it came from.
weights named_arrays(std::vector<std::string> const& layers) {
  weights w;
  w.source = "some.file";
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (char const* const array : {".weight", ".bias"}) w.parameters[layers[i] + array] = {{1}, {static_cast<float>(i)}};
  return w;
}

/// torchvision's names in the order of its layers, and the zoo's in the order of its own.
void check_names(graph const& g, std::vector<std::string> const& theirs) {
  CAPTURE(g.name);
  std::vector<std::string> ours;
  auto const p = plan(g);
  for (std::size_t s = 0; s < p.slots.size(); s += 2) ours.push_back(p.slots[s].name.substr(0, p.slots[s].name.rfind('.')));
  REQUIRE(ours.size() == theirs.size());
  weights const renamed = zoo::from_torchvision(named_arrays(theirs), g);
  CHECK(renamed.parameters.size() == 2 * ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i)
    for (char const* const array : {".weight", ".bias"}) {
      CAPTURE(ours[i]);
      REQUIRE(renamed.parameters.contains(ours[i] + array));
      CHECK(renamed.parameters.at(ours[i] + array).values[0] == static_cast<float>(i));
    }
}

std::vector<std::string> numbered(std::vector<int> const& features) {
  std::vector<std::string> names;
  for (int const k : features) names.push_back("features." + std::to_string(k));
  for (int const k : {0, 3, 6}) names.push_back("classifier." + std::to_string(k));
  return names;
}
std::vector<std::string> fires(std::vector<int> const& features) {
  std::vector<std::string> names{"features.0"};
  for (int const k : features)
    for (char const* const part : {".squeeze", ".expand1x1", ".expand3x3"}) names.push_back("features." + std::to_string(k) + part);
  names.push_back("classifier.1");
  return names;
}

}  // namespace

TEST_CASE("torchvision's arrays get the names of the zoo") {
  check_names(zoo::vgg16(), numbered({0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28}));
  check_names(zoo::vgg19(), numbered({0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34}));
  check_names(zoo::squeezenet_1_0(), fires({3, 4, 5, 7, 8, 9, 10, 12}));
  check_names(zoo::squeezenet_1_1(), fires({3, 4, 6, 7, 9, 10, 11, 12}));
  check_names(zoo::as_torchvision(zoo::squeezenet_1_0()), fires({3, 4, 5, 7, 8, 9, 10, 12}));
  weights const same = zoo::from_torchvision(named_arrays({"conv1"}), zoo::resnet18());
  CHECK(same.parameters.contains("conv1.weight"));
}

TEST_CASE("networks are prepared as torchvision's, with its published multiplications") {
  auto const check = [](graph const& g, double billions) {
    CAPTURE(g.name);
    auto const p = plan(zoo::as_torchvision(g));
    CHECK(std::abs(static_cast<double>(multiplications(p)) / 1e9 - billions) < .01 * billions);
    CHECK(p.source.input == image_shape{3, 224, 224});
    CHECK(p.source.prepare.order == channel_order::rgb);
    CHECK(p.source.prepare.scale == 1);
    CHECK(p.source.prepare.mean == std::vector{.485f, .456f, .406f});
    CHECK(p.source.prepare.deviation == std::vector{.229f, .224f, .225f});
    CHECK(p.out.back() == image_shape{1000, 1, 1});
  };
  check(zoo::vgg16(), 15.47);
  check(zoo::vgg19(), 19.63);
  check(zoo::squeezenet_1_0(), .82);
  check(zoo::squeezenet_1_1(), .35);
  check(zoo::resnet50(), 4.09);
}

TEST_CASE("networks that torchvision has not, and files that are not its own, are refused") {
  CHECK_THROWS_WITH_AS(static_cast<void>(zoo::as_torchvision(zoo::alexnet())),
                       doctest::Contains("torchvision has no 'alexnet' like the zoo's"), error);
  CHECK_THROWS_WITH_AS(static_cast<void>(zoo::from_torchvision({}, zoo::googlenet())), doctest::Contains("no 'googlenet'"), error);
  CHECK_THROWS_WITH_AS(static_cast<void>(zoo::from_torchvision(named_arrays({"conv1_1"}), zoo::vgg16())),
                       "some.file: no array 'features.0.weight', which torchvision's vgg16 has for 'conv1_1'", error);
}
