// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/zoo_parts.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/weights.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// torchvision's trained weights for the zoo's networks: VGG-16 and 19, SqueezeNet 1.0 and 1.1, and all the residual networks, for which
// these functions do nothing, since the zoo has them as torchvision does. AlexNet and GoogLeNet are other networks there.
//
//     graph const g = zoo::as_torchvision(zoo::vgg16());
//     network const net{cpu_engine{}, g, zoo::from_torchvision(read_safetensors("vgg16.safetensors"), g)};

namespace pareidolia::zoo {

namespace detail {

/// True for a network that torchvision names differently, false for one it names as the zoo does. Errors: one it does not have.
inline bool differs_in_torchvision(graph const& g) {
  if (std::set<std::string>{"vgg16", "vgg19", "squeezenet_1_0", "squeezenet_1_1"}.contains(g.name)) return true;
  if (g.name.starts_with("resnet")) return false;
  pareidolia::detail::fail("zoo: torchvision has no '", g.name,
                           "' like the zoo's; it has vgg16, vgg19, squeezenet_1_0, squeezenet_1_1 and the resnets");
}

/// Each layer with parameters and torchvision's name of it: "features" and "classifier" with the number of the layer in that part, where a
/// fire module counts as one layer. The second part begins with the first inner product or dropout.
inline std::vector<std::pair<std::string, std::string>> torchvision_names(graph const& g) {
  std::vector<std::pair<std::string, std::string>> names;
  std::string part = "features", module;
  std::size_t number = 0;
  for (node const& n : g.nodes) {
    bool const product = std::holds_alternative<layer::inner_product>(n.what);
    std::size_t const slash = n.name.find('/');
    std::string const own = n.name.substr(0, slash);
    if (part == "features" && (product || std::holds_alternative<layer::dropout>(n.what))) {
      part = "classifier";
      number = 0;
    } else if (own != module && !module.empty()) {
      ++number;
    }
    module = own;
    if (!product && !std::holds_alternative<layer::convolution>(n.what)) continue;
    std::string const local = slash == std::string::npos ? "" : n.name.substr(slash + 1);
    names.push_back({n.name, part + "." + std::to_string(number) +
                                 (local == "squeeze1x1" ? ".squeeze"
                                  : local.empty()       ? ""
                                                        : "." + local)});
  }
  return names;
}

}  // namespace detail

/// A network of the zoo as torchvision trained it: images of (3, 224, 224), red first, (x - mean) / deviation of each channel; and no
/// margin in SqueezeNet 1.0. Errors: a network that is another one in torchvision.
[[nodiscard]] inline graph as_torchvision(graph g) {
  if (!detail::differs_in_torchvision(g)) return g;
  g.input = {3, 224, 224};
  g.prepare = detail::torchvision_colours();
  std::erase_if(g.nodes, [](node const& n) { return std::holds_alternative<layer::padding>(n.what); });
  return g;
}

/// torchvision's arrays ("features.0.weight") under the names of the zoo's network `g` ("conv1_1.weight"). Nothing is copied if `w` is
/// moved. Errors: an array that is not there, a network that is another one in torchvision.
[[nodiscard]] inline weights from_torchvision(weights w, graph const& g) {
  if (!detail::differs_in_torchvision(g)) return w;
  for (auto const& [ours, theirs] : detail::torchvision_names(g))
    for (char const* const array : {".weight", ".bias"}) {
      auto found = w.parameters.extract(theirs + array);
      if (found.empty())
        pareidolia::detail::fail(w.source, ": no array '", theirs, array, "', which torchvision's ", g.name, " has for '", ours, "'");
      found.key() = ours + array;
      w.parameters.insert(std::move(found));
    }
  return w;
}

}  // namespace pareidolia::zoo
