// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/zoo_parts.hpp>
#include <pareidolia/models/graph.hpp>

namespace pareidolia::zoo {

/// The LeNet that ships with Caffe and that Nguyen et al. fooled: (1, 28, 28) grey, 10 digits, 431,080 parameters.
///
/// It sees grey values 0..255 divided by 256, no mean.
[[nodiscard]] inline graph lenet5() {
  using namespace layer;
  return {.name = "lenet5",
          .input = {1, 28, 28},
          .prepare = {.scale = 255.f / 256.f},
          .nodes =
              {
                  {"conv1", convolution{.outputs = 20, .kernel = {5, 5}}},
                  {"pool1", pooling{.kind = pool::maximum, .kernel = {2, 2}, .stride = {2, 2}}},
                  {"conv2", convolution{.outputs = 50, .kernel = {5, 5}}},
                  {"pool2", pooling{.kind = pool::maximum, .kernel = {2, 2}, .stride = {2, 2}}},
                  {"ip1", inner_product{.outputs = 500}},
                  {"relu1", activation{function::relu}},
                  {"ip2", inner_product{.outputs = 10}},
              },
          .labels = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
}

/// The quick network of Caffe's CIFAR-10 example: (3, 32, 32), 10 classes, 145,578 parameters.
///
/// It sees 0..255, red first, minus the mean image of the training set, which comes in a file of its own; the mean colour of that image
/// stands for it here.
///
///     graph g = zoo::cifar10_quick();
///     g.prepare.mean = read_binaryproto("mean.binaryproto").values;
[[nodiscard]] inline graph cifar10_quick() {
  using namespace layer;
  using detail::square, detail::square_pool, detail::max_pool;
  return {.name = "cifar10_quick",
          .input = {3, 32, 32},
          .prepare = {.scale = 255, .mean = {125.307f, 122.95f, 113.865f}},
          .nodes =
              {
                  {"conv1", square(32, 5, 1, 2)},
                  {"pool1", max_pool()},
                  {"relu1", activation{}},
                  {"conv2", square(32, 5, 1, 2)},
                  {"relu2", activation{}},
                  {"pool2", square_pool(pool::average, 3, 2)},
                  {"conv3", square(64, 5, 1, 2)},
                  {"relu3", activation{}},
                  {"pool3", square_pool(pool::average, 3, 2)},
                  {"ip1", inner_product{.outputs = 64}},
                  {"ip2", inner_product{.outputs = 10}},
              },
          .labels = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}};
}

}  // namespace pareidolia::zoo
