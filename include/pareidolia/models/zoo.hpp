// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/models/graph.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

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

namespace detail {

inline layer::convolution square(std::size_t outputs, std::size_t kernel, std::size_t stride = 1, std::size_t padding = 0) {
  return {.outputs = outputs, .kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = {padding, padding}};
}
inline layer::pooling square_pool(layer::pool kind, std::size_t kernel, std::size_t stride, std::size_t padding = 0) {
  return {.kind = kind, .kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = {padding, padding}};
}
/// What Caffe's ImageNet networks see: 0..255, blue first, minus the mean colour of the training set.
inline preprocessing caffe_colours() { return {.scale = 255, .mean = {104, 117, 123}, .order = channel_order::bgr}; }

}  // namespace detail

/// GoogLeNet (Szegedy et al. 2015) as BVLC trained it, without the auxiliary classifiers: (3, 224, 224), 1000 classes, 6,998,552
/// parameters.
[[nodiscard]] inline graph googlenet() {
  using namespace layer;
  using detail::square, detail::square_pool;
  graph g{.name = "googlenet", .input = {3, 224, 224}, .prepare = detail::caffe_colours(), .nodes = {}};
  auto const convolve = [&](std::string const& name, convolution const& c, std::vector<std::string> const& from = {}) {
    g.nodes.push_back({name, c, from});
    g.nodes.push_back({name + "/relu", activation{}});
  };
  auto const pool_max = [&](std::string const& name) { g.nodes.push_back({name, square_pool(pool::maximum, 3, 2)}); };
  struct sizes {
    std::size_t one, three_reduce, three, five_reduce, five, pool;
  };
  auto const inception = [&](std::string const& name, sizes const& n) {
    std::string const from = g.nodes.back().name, in = "inception_" + name + "/";
    convolve(in + "1x1", square(n.one, 1), {from});
    convolve(in + "3x3_reduce", square(n.three_reduce, 1), {from});
    convolve(in + "3x3", square(n.three, 3, 1, 1));
    convolve(in + "5x5_reduce", square(n.five_reduce, 1), {from});
    convolve(in + "5x5", square(n.five, 5, 1, 2));
    g.nodes.push_back({in + "pool", square_pool(pool::maximum, 3, 1, 1), {from}});
    convolve(in + "pool_proj", square(n.pool, 1));
    g.nodes.push_back({in + "output", concat{}, {in + "1x1/relu", in + "3x3/relu", in + "5x5/relu", in + "pool_proj/relu"}});
  };
  convolve("conv1/7x7_s2", square(64, 7, 2, 3));
  pool_max("pool1/3x3_s2");
  g.nodes.push_back({"pool1/norm1", lrn{}});
  convolve("conv2/3x3_reduce", square(64, 1));
  convolve("conv2/3x3", square(192, 3, 1, 1));
  g.nodes.push_back({"conv2/norm2", lrn{}});
  pool_max("pool2/3x3_s2");
  inception("3a", {64, 96, 128, 16, 32, 32});
  inception("3b", {128, 128, 192, 32, 96, 64});
  pool_max("pool3/3x3_s2");
  inception("4a", {192, 96, 208, 16, 48, 64});
  inception("4b", {160, 112, 224, 24, 64, 64});
  inception("4c", {128, 128, 256, 24, 64, 64});
  inception("4d", {112, 144, 288, 32, 64, 64});
  inception("4e", {256, 160, 320, 32, 128, 128});
  pool_max("pool4/3x3_s2");
  inception("5a", {256, 160, 320, 32, 128, 128});
  inception("5b", {384, 192, 384, 48, 128, 128});
  g.nodes.push_back({"pool5/7x7_s1", square_pool(pool::average, 7, 1)});
  g.nodes.push_back({"pool5/drop_7x7_s1", dropout{}});
  g.nodes.push_back({"loss3/classifier", inner_product{.outputs = 1000}});
  return g;
}

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
    add("pool" + number, square_pool(pool::maximum, 3, 2));
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
  add("pool5", square_pool(pool::maximum, 3, 2));
  add("fc6", inner_product{.outputs = 4096});
  add("relu6", activation{});
  add("drop6", dropout{});
  add("fc7", inner_product{.outputs = 4096});
  add("relu7", activation{});
  add("drop7", dropout{});
  add("fc8", inner_product{.outputs = 1000});
  return g;
}

/// Simonyan & Zisserman (2015): five stages of 3x3 convolutions, `depths` of them in each.
inline graph vgg_with(std::string const& name, std::vector<std::size_t> const& depths) {
  using namespace layer;
  graph g{.name = name,
          .input = {3, 224, 224},
          .prepare = {.scale = 255, .mean = {103.939f, 116.779f, 123.68f}, .order = channel_order::bgr},
          .nodes = {}};
  std::size_t outputs = 64;
  for (std::size_t stage = 1; stage <= depths.size(); ++stage) {
    for (std::size_t i = 1; i <= depths[stage - 1]; ++i) {
      std::string const number = std::to_string(stage) + "_" + std::to_string(i);
      g.nodes.push_back({"conv" + number, square(outputs, 3, 1, 1)});
      g.nodes.push_back({"relu" + number, activation{}});
    }
    g.nodes.push_back({"pool" + std::to_string(stage), square_pool(pool::maximum, 2, 2)});
    outputs = outputs < 512 ? 2 * outputs : outputs;
  }
  for (std::string const& number : {std::string("6"), std::string("7")}) {
    g.nodes.push_back({"fc" + number, inner_product{.outputs = 4096}});
    g.nodes.push_back({"relu" + number, activation{}});
    g.nodes.push_back({"drop" + number, dropout{}});
  }
  g.nodes.push_back({"fc8", inner_product{.outputs = 1000}});
  return g;
}

}  // namespace detail

/// AlexNet (Krizhevsky et al. 2012) as Caffe has it: (3, 227, 227), 1000 classes, 60,965,224 parameters. The mean colour stands for its
/// mean image.
[[nodiscard]] inline graph alexnet() { return detail::alexnet_with("alexnet", true); }

/// CaffeNet, AlexNet with pooling before normalisation: the ImageNet network of Nguyen et al. 60,965,224 parameters.
[[nodiscard]] inline graph caffenet() { return detail::alexnet_with("caffenet", false); }

/// VGG-16, configuration D: (3, 224, 224), 1000 classes, 138,357,544 parameters.
[[nodiscard]] inline graph vgg16() { return detail::vgg_with("vgg16", {2, 2, 3, 3, 3}); }

/// VGG-19, configuration E: the network of Ouarti & Carmona's 88 %. 143,667,240 parameters.
[[nodiscard]] inline graph vgg19() { return detail::vgg_with("vgg19", {2, 2, 4, 4, 4}); }

/// Network in Network (Lin et al. 2014) for ImageNet: (3, 224, 224), 1000 classes, 7,595,176 parameters.
[[nodiscard]] inline graph nin() {
  using namespace layer;
  using detail::square, detail::square_pool;
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
  auto const pool_max = [&](std::string const& name) { g.nodes.push_back({name, square_pool(pool::maximum, 3, 2)}); };
  stage(1, square(96, 11, 4), 96, 96);
  pool_max("pool1");
  stage(2, square(256, 5, 1, 2), 256, 256);
  pool_max("pool2");
  stage(3, square(384, 3, 1, 1), 384, 384);
  pool_max("pool3");
  g.nodes.push_back({"drop", dropout{}});
  stage(4, square(1024, 3, 1, 1), 1024, 1000);
  g.nodes.push_back({"pool4", square_pool(pool::average, 6, 1)});
  return g;
}

/// SqueezeNet 1.1 (Iandola et al. 2016) as its authors trained it: (3, 227, 227), 1000 classes, 1,235,496 parameters.
[[nodiscard]] inline graph squeezenet_1_1() {
  using namespace layer;
  using detail::square, detail::square_pool;
  graph g{.name = "squeezenet_1_1", .input = {3, 227, 227}, .prepare = detail::caffe_colours(), .nodes = {}};
  auto const convolve = [&](std::string const& folder, std::string const& name, convolution const& c,
                            std::vector<std::string> const& from = {}) {
    g.nodes.push_back({folder + name, c, from});
    g.nodes.push_back({folder + "relu_" + name, activation{}});
  };
  auto const fire = [&](std::string const& name, std::size_t squeeze, std::size_t expand) {
    std::string const in = name + "/";
    convolve(in, "squeeze1x1", square(squeeze, 1));
    convolve(in, "expand1x1", square(expand, 1));
    convolve(in, "expand3x3", square(expand, 3, 1, 1), {in + "relu_squeeze1x1"});
    g.nodes.push_back({in + "concat", concat{}, {in + "relu_expand1x1", in + "relu_expand3x3"}});
  };
  auto const pool_max = [&](std::string const& name) { g.nodes.push_back({name, square_pool(pool::maximum, 3, 2)}); };
  convolve("", "conv1", square(64, 3, 2));
  pool_max("pool1");
  fire("fire2", 16, 64);
  fire("fire3", 16, 64);
  pool_max("pool3");
  fire("fire4", 32, 128);
  fire("fire5", 32, 128);
  pool_max("pool5");
  fire("fire6", 48, 192);
  fire("fire7", 48, 192);
  fire("fire8", 64, 256);
  fire("fire9", 64, 256);
  g.nodes.push_back({"drop9", dropout{}});
  convolve("", "conv10", square(1000, 1));
  g.nodes.push_back({"pool10", pooling{.kind = pool::average, .global = true}});
  return g;
}

/// The network of that name, "lenet5" for lenet5(). Errors: an unknown name, with those there are.
[[nodiscard]] inline graph named(std::string_view name) {
  std::string known;
  for (auto const make : {lenet5, alexnet, caffenet, vgg16, vgg19, nin, googlenet, squeezenet_1_1}) {
    graph g = make();
    if (g.name == name) return g;
    known += (known.empty() ? "" : ", ") + g.name;
  }
  pareidolia::detail::fail("zoo: there is no network '", name, "'; there are: ", known);
}

}  // namespace pareidolia::zoo
