// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/zoo/alexnet.hpp>
#include <pareidolia/models/zoo/googlenet.hpp>
#include <pareidolia/models/zoo/lenet.hpp>
#include <pareidolia/models/zoo/resnet.hpp>
#include <pareidolia/models/zoo/squeezenet.hpp>
#include <pareidolia/models/zoo/szegedy.hpp>
#include <pareidolia/models/zoo/torchvision.hpp>
#include <pareidolia/models/zoo/vgg.hpp>

#include <string>
#include <string_view>

/// Well-known networks as data, each with what it wants to see of an image.
///
/// Networks of 10 classes have labels; those of 1000 have ILSVRC's, in its order, whose names are in a file (read_class_names()).
namespace pareidolia::zoo {

/// A network and its name, "lenet5" for lenet5().
struct entry {
  std::string_view name;
  graph (*make)();
};

inline constexpr entry networks[] = {
    {"lenet5", lenet5},
    {"cifar10_quick", cifar10_quick},
    {"alexnet", alexnet},
    {"caffenet", caffenet},
    {"vgg_f", vgg_f},
    {"vgg_m", vgg_m},
    {"vgg_s", vgg_s},
    {"vgg16", vgg16},
    {"vgg19", vgg19},
    {"nin", nin},
    {"googlenet", googlenet},
    {"squeezenet_1_0", squeezenet_1_0},
    {"squeezenet_1_1", squeezenet_1_1},
    {"resnet18", resnet18},
    {"resnet34", resnet34},
    {"resnet50", resnet50},
    {"resnet101", resnet101},
    {"resnet152", resnet152},
    {"fc10", fc10},
    {"fc100_100_10", fc100_100_10},
    {"fc200_200_10", fc200_200_10},
};

/// The network of that name. Errors: an unknown name, with those there are.
[[nodiscard]] inline graph named(std::string_view name) {
  std::string known;
  for (entry const& e : networks) {
    if (e.name == name) return e.make();
    known += (known.empty() ? "" : ", ") + std::string(e.name);
  }
  pareidolia::detail::fail("zoo: there is no network '", name, "'; there are: ", known);
}

}  // namespace pareidolia::zoo
