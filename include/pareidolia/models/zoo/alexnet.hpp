// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/zoo_parts.hpp>
#include <pareidolia/models/graph.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace pareidolia::zoo {

namespace detail {

/// The five convolutions and three inner products of Krizhevsky et al. (2012), normalised before or after the first two poolings.
inline graph alexnet_with(std::string const& name, bool normalise_first) {
  using namespace layer;
  graph g{.name = name, .input = {3, 227, 227}, .prepare = caffe_colours(), .nodes = {}};
  auto const add = [&](std::string const& layer_name, operation const& what) { g.nodes.push_back({layer_name, what}); };
  auto const grouped = [](convolution c) {
    c.groups = 2;
    return c;
  };
  auto const reduce = [&](std::string const& number) {
    if (normalise_first) add("norm" + number, lrn{});
    add("pool" + number, max_pool());
    if (!normalise_first) add("norm" + number, lrn{});
  };
  add("conv1", square(96, 11, 4));
  add("relu1", activation{});
  reduce("1");
  add("conv2", grouped(square(256, 5, 1, 2)));
  add("relu2", activation{});
  reduce("2");
  add("conv3", square(384, 3, 1, 1));
  add("relu3", activation{});
  add("conv4", grouped(square(384, 3, 1, 1)));
  add("relu4", activation{});
  add("conv5", grouped(square(256, 3, 1, 1)));
  add("relu5", activation{});
  add("pool5", max_pool());
  add_classifier(g);
  return g;
}

}  // namespace detail

/// AlexNet (Krizhevsky et al. 2012) as Caffe has it: (3, 227, 227), 1000 classes, 60,965,224 parameters. The mean colour stands for its
/// mean image.
[[nodiscard]] inline graph alexnet() { return detail::alexnet_with("alexnet", true); }

/// CaffeNet, AlexNet with pooling before normalisation: the ImageNet network of Nguyen et al. 60,965,224 parameters.
[[nodiscard]] inline graph caffenet() { return detail::alexnet_with("caffenet", false); }

/// Network in Network (Lin et al. 2014) for ImageNet: (3, 224, 224), 1000 classes, 7,595,176 parameters.
[[nodiscard]] inline graph nin() {
  using namespace layer;
  using detail::square, detail::square_pool, detail::max_pool;
  graph g{.name = "nin", .input = {3, 224, 224}, .prepare = detail::caffe_colours(), .nodes = {}};
  std::size_t cccp = 0;
  auto const stage = [&](std::size_t number, convolution const& c, std::size_t first, std::size_t second) {
    g.nodes.push_back({"conv" + std::to_string(number), c});
    g.nodes.push_back({"relu" + std::to_string(number), activation{}});
    for (std::size_t outputs : {first, second}) {
      std::string const name = "cccp" + std::to_string(++cccp);
      g.nodes.push_back({name, square(outputs, 1)});
      g.nodes.push_back({"relu_" + name, activation{}});
    }
  };
  stage(1, square(96, 11, 4), 96, 96);
  g.nodes.push_back({"pool1", max_pool()});
  stage(2, square(256, 5, 1, 2), 256, 256);
  g.nodes.push_back({"pool2", max_pool()});
  stage(3, square(384, 3, 1, 1), 384, 384);
  g.nodes.push_back({"pool3", max_pool()});
  g.nodes.push_back({"drop", dropout{}});
  stage(4, square(1024, 3, 1, 1), 1024, 1000);
  g.nodes.push_back({"pool4", square_pool(pool::average, 6, 1)});
  return g;
}

}  // namespace pareidolia::zoo
