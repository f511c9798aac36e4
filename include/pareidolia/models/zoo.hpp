// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/models/graph.hpp>

/// Well-known networks as data.
namespace pareidolia::zoo {

/// The LeNet that ships with Caffe and that Nguyen et al. fooled: (1, 28, 28) grey, 10 digits, 431,080 parameters.
///
/// It sees grey values 0..255 divided by 256, no mean.
[[nodiscard]] inline graph lenet5() {
  using namespace layer;
  return {.name = "lenet5",
          .input = {1, 28, 28},
          .prepare = {.scale = 255.f / 256.f},
          .nodes = {
              {"conv1", convolution{.outputs = 20, .kernel = {5, 5}}},
              {"pool1", pooling{.kind = pool::maximum, .kernel = {2, 2}, .stride = {2, 2}}},
              {"conv2", convolution{.outputs = 50, .kernel = {5, 5}}},
              {"pool2", pooling{.kind = pool::maximum, .kernel = {2, 2}, .stride = {2, 2}}},
              {"ip1", inner_product{.outputs = 500}},
              {"relu1", activation{function::relu}},
              {"ip2", inner_product{.outputs = 10}},
          }};
}

}  // namespace pareidolia::zoo
