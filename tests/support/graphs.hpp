// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/weights.hpp>
#include <pareidolia/models/zoo.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia_test {

using namespace pareidolia;

/// Normal numbers, scaled like a trained network's: standard deviation 1 / sqrt(inputs of one output); variances from 1/2 to 3/2.
inline weights random_weights(graph const& g, std::uint64_t seed) {
  weights w;
  planned_graph const p = plan(g);
  for (std::size_t s = 0; s < p.slots.size(); ++s) {
    auto const& slot = p.slots[s];
    auto r = rng(seed).stream(s);
    std::size_t const inputs = slot.shape.size() > 1 ? slot.size / slot.shape[0] : 4;
    parameter array{slot.shape, std::vector<float>(slot.size)};
    bool const variance = slot.name.ends_with(".running_var");
    for (float& v : array.values) v = variance ? r.uniform(.5f, 1.5f) : r.normal() / std::sqrt(static_cast<float>(inputs));
    w.parameters[slot.name] = std::move(array);
  }
  return w;
}

template <class T, std::size_t Rank>
tensor<T, Rank> random_uniform(std::array<std::size_t, Rank> const& shape, std::uint64_t seed) {
  auto t = filled<T, Rank>(shape);
  auto r = rng(seed).stream(0);
  for (T& v : t) v = static_cast<T>(r.uniform());
  return t;
}

template <class T, std::size_t Rank>
tensor<T, Rank> random_normal(std::array<std::size_t, Rank> const& shape, std::uint64_t seed) {
  auto t = filled<T, Rank>(shape);
  auto r = rng(seed).stream(0);
  for (T& v : t) v = static_cast<T>(r.normal());
  return t;
}

/// Shape of what the layer of that name gives; empty if there is none.
inline image_shape after(planned_graph const& p, std::string_view name) {
  for (std::size_t k = 0; k < p.out.size(); ++k)
    if (p.source.nodes[k].name == name) return p.out[k];
  return {};
}

/// ||a - b|| / ||b||, elementwise over anything with begin() and end().
template <class A, class B>
double relative_error(A const& a, B const& b) {
  double difference = 0, norm = 0;
  auto j = b.begin();
  for (auto i = a.begin(); i != a.end(); ++i, ++j) {
    double const d = double(*i) - double(*j);
    difference += d * d;
    norm += double(*j) * double(*j);
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

/// One small graph per layer, per option of a layer, and per meeting of layers that an engine may treat specially.
inline std::vector<graph> conformance_graphs() {
  using namespace layer;
  auto const on = [](std::string name, image_shape input, std::vector<node> nodes, preprocessing prepare = {}) {
    return graph{std::move(name), input, std::move(prepare), std::move(nodes)};
  };
  auto const pooled = [&](std::string name, pooling p) { return on(std::move(name), {5, 11, 10}, {{"pool", p}}); };
  convolution const widen{.outputs = 32, .kernel = {3, 3}, .padding = {1, 1}};
  inner_product const ten{.outputs = 10};
  std::vector<graph> all{
      on("convolution of one channel", {1, 12, 11}, {{"conv", convolution{.outputs = 6, .kernel = {5, 5}}}}),
      on("convolution of three channels, padded", {3, 12, 11}, {{"conv", convolution{.outputs = 7, .kernel = {3, 3}, .padding = {1, 1}}}}),
      on("convolution of three channels, stride 4", {3, 35, 33},
         {{"conv", convolution{.outputs = 16, .kernel = {11, 11}, .stride = {4, 4}}}}),
      on("convolution of three channels, stride 2, padded", {3, 20, 17},
         {{"conv", convolution{.outputs = 16, .kernel = {7, 7}, .stride = {2, 2}, .padding = {3, 3}}}}),
      on("convolution, oblong", {2, 14, 15}, {{"conv", convolution{.outputs = 5, .kernel = {3, 5}, .stride = {2, 1}, .padding = {1, 2}}}}),
      on("convolution without bias", {6, 9, 9}, {{"conv", convolution{.outputs = 4, .kernel = {3, 3}, .bias = false}}}),
      on("convolution 1x1", {8, 6, 7}, {{"conv", convolution{.outputs = 12}}}),
      on("convolution in groups", {8, 9, 9}, {{"conv", convolution{.outputs = 12, .kernel = {3, 3}, .padding = {1, 1}, .groups = 4}}}),
      on("convolution in two groups of an image", {4, 9, 9}, {{"conv", convolution{.outputs = 6, .kernel = {3, 3}, .groups = 2}}}),
      on("convolution, depthwise", {16, 9, 9}, {{"conv", convolution{.outputs = 16, .kernel = {3, 3}, .padding = {1, 1}, .groups = 16}}}),
      on("two convolutions", {3, 16, 16}, {{"one", widen}, {"two", convolution{.outputs = 20, .kernel = {5, 5}, .stride = {2, 2}}}}),
      on("large 3x3 convolutions", {3, 28, 30},
         {{"one", widen}, {"relu", activation{}}, {"two", widen}, {"relu two", activation{}}, {"three", widen}}),
      on("inner product of an image", {2, 5, 4}, {{"ip", ten}}),
      on("inner product without bias", {2, 5, 4}, {{"ip", inner_product{.outputs = 10, .bias = false}}}),
      on("inner products", {2, 5, 4}, {{"one", inner_product{.outputs = 33}}, {"relu", activation{}}, {"two", ten}}),
      on("inner product behind 20 channels", {3, 8, 8}, {{"conv", convolution{.outputs = 20, .kernel = {3, 3}}}, {"ip", ten}}),
      on("inner product behind 32 channels", {3, 8, 8}, {{"conv", widen}, {"relu", activation{}}, {"ip", ten}}),
      on("inner product, then convolution", {2, 5, 4},
         {{"ip", inner_product{.outputs = 16}},
          {"tanh", activation{function::tanh}},
          {"conv", convolution{.outputs = 20}},
          {"relu", activation{}},
          {"last", ten}}),
      pooled("max, floor", {.kernel = {3, 3}, .stride = {2, 2}, .edge = rounding::floor}),
      pooled("max, ceil", {.kernel = {3, 3}, .stride = {2, 2}}),
      pooled("max, padded, ceil", {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}),
      pooled("max, gaps", {.kernel = {2, 2}, .stride = {3, 3}}),
      pooled("mean, floor", {.kind = pool::average, .kernel = {3, 3}, .stride = {2, 2}, .edge = rounding::floor}),
      pooled("mean, ceil", {.kind = pool::average, .kernel = {3, 3}, .stride = {2, 2}}),
      pooled("mean, padded", {.kind = pool::average, .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}}),
      pooled("mean, padded, ceil, hanging over", {.kind = pool::average, .kernel = {4, 4}, .stride = {3, 3}, .padding = {1, 1}}),
      pooled("mean, padded, padding not counted",
             {.kind = pool::average, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .count_padding = false}),
      on("relu", {3, 4, 5}, {{"conv", convolution{.outputs = 4}}, {"pool", pooling{.kernel = {2, 2}}}, {"relu", activation{}}}),
      on("leaky relu", {3, 4, 5},
         {{"leaky of the image", activation{.slope = .5f}},
          {"conv", convolution{.outputs = 16}},
          {"leaky", activation{.slope = .1f}},
          {"ip", inner_product{.outputs = 7}},
          {"leaky two", activation{.slope = .2f}}}),
      on("clip", {3, 4, 5}, {{"conv", convolution{.outputs = 16}}, {"clip", clip{.low = -.5f, .high = .75f}}, {"ip", ten}}),
      on("relu6 of large values", {3, 4, 5}, {{"conv", convolution{.outputs = 5}}, {"clip", clip{}}}, {.scale = 20, .mean = {10}}),
      on("scale of an image", {3, 4, 5}, {{"scale", scale{}}, {"ip", ten}}),
      on("scale of one channel", {1, 4, 5}, {{"scale", scale{.bias = false}}, {"ip", ten}}),
      on("scales", {3, 9, 7},
         {{"conv", widen},
          {"scale", scale{.bias = false}},
          {"relu", activation{}},
          {"odd", convolution{.outputs = 5}},
          {"scale two", scale{}},
          {"ip", ten},
          {"scale three", scale{}}}),
      on("padding", {3, 4, 5},
         {{"pad", padding{.top = 1, .right = 2}},
          {"conv", convolution{.outputs = 16, .kernel = {3, 3}}},
          {"pad two", padding{.left = 2, .bottom = 1}},
          {"last", convolution{.outputs = 5, .kernel = {2, 3}}}}),
      on("flattening before inner products", {3, 6, 5},
         {{"conv", widen}, {"flat", flatten{}}, {"drop", dropout{}}, {"one", ten}, {"two", ten, {"flat"}}, {"sum", sum{}, {"one", "two"}}}),
      on("flattening before other layers", {3, 6, 5},
         {{"conv", widen},
          {"flat", flatten{}},
          {"relu", activation{}},
          {"one", ten},
          {"two", ten, {"flat"}},
          {"sum", sum{}, {"one", "two"}}}),
      on("flattening at the end", {3, 6, 5}, {{"conv", widen}, {"flat", flatten{}}}),
      on("reshape", {3, 6, 5},
         {{"conv", widen},
          {"turn", reshape{{60, 4, 4}}},
          {"conv two", convolution{.outputs = 6}},
          {"ip", inner_product{.outputs = 24}},
          {"image again", reshape{{2, 3, 4}}},
          {"conv three", convolution{.outputs = 4, .kernel = {2, 2}}}}),
      on("sigmoid", {3, 4, 5}, {{"conv", convolution{.outputs = 4}}, {"sigmoid", activation{function::sigmoid}}}),
      on("tanh", {3, 4, 5}, {{"conv", convolution{.outputs = 4}}, {"tanh", activation{function::tanh}}}),
      on("relu, sigmoid and tanh of the image", {3, 4, 5},
         {{"relu", activation{}}, {"sigmoid", activation{function::sigmoid}}, {"tanh", activation{function::tanh}}}),
      on("dropout", {3, 4, 5}, {{"drop", dropout{}}, {"conv", convolution{.outputs = 4}}, {"drop two", dropout{}}}),
      on("softmax within", {3, 4, 5}, {{"conv", convolution{.outputs = 5}}, {"softmax", softmax{}}, {"ip", ten}}),
      on("a layer nobody reads", {3, 6, 6},
         {{"conv", convolution{.outputs = 5, .kernel = {3, 3}}}, {"aside", inner_product{.outputs = 3}}, {"ip", ten, {"conv"}}}),
      on("normalisation across few channels", {7, 4, 5}, {{"lrn", lrn{.size = 3, .alpha = .5f, .beta = .6f, .k = 2}}}),
      on("normalisation across 32 channels", {3, 9, 9},
         {{"conv", widen},
          {"relu", activation{}},
          {"lrn", lrn{.alpha = .3f}},
          {"conv two", convolution{.outputs = 16}},
          {"lrn two", lrn{.alpha = .3f}}}),
      on("normalisation within channels", {3, 6, 5},
         {{"conv", widen},
          {"lrn", lrn{.size = 3, .alpha = .5f, .over = region::within_channel}},
          {"odd", convolution{.outputs = 5}},
          {"lrn two", lrn{.size = 5, .alpha = 2, .beta = .4f, .k = 2, .over = region::within_channel}}}),
      on("global mean and maximum", {3, 7, 6},
         {{"conv", convolution{.outputs = 9}},
          {"mean", pooling{.kind = pool::average, .global = true}},
          {"max", pooling{.global = true}, {"conv"}},
          {"sum", sum{}, {"mean", "max"}}}),
      on("branches of many channels", {3, 8, 9},
         {{"conv", widen},
          {"relu", activation{}},
          {"one", convolution{.outputs = 16}, {"relu"}},
          {"relu one", activation{}},
          {"two", convolution{.outputs = 32, .kernel = {3, 3}, .padding = {1, 1}}, {"relu"}},
          {"relu two", activation{}},
          {"pool", pooling{.kernel = {3, 3}, .padding = {1, 1}}, {"relu"}},
          {"concat", concat{}, {"relu one", "relu two", "pool"}},
          {"last", convolution{.outputs = 5, .kernel = {3, 3}}}}),
      on("branches of odd channels, of the image too", {3, 8, 9},
         {{"one", convolution{.outputs = 5}},
          {"relu", activation{}},
          {"two", convolution{.outputs = 3}, {"one"}},
          {"concat", concat{}, {"two", "relu", "one"}},
          {"again", concat{}, {"concat", "two"}},
          {"ip", ten}}),
      on("a residual", {3, 8, 9},
         {{"one", widen},
          {"relu", activation{}},
          {"two", widen},
          {"sum", sum{}, {"relu", "two"}},
          {"relu sum", activation{}},
          {"three", widen},
          {"sum two", sum{}, {"relu sum", "three", "relu"}}}),
      on("concat of inner products", {2, 5, 4},
         {{"one", ten},
          {"two", inner_product{.outputs = 6}, {"one"}},
          {"relu", activation{}},
          {"concat", concat{}, {"one", "relu"}},
          {"ip", ten}}),
      on("blue, green, red", {3, 5, 4}, {{"ip", ten}}, {.scale = 255, .mean = {104, 117, 123}, .order = channel_order::bgr}),
      on("one mean", {2, 5, 4}, {{"ip", ten}}, {.scale = 255, .mean = {120}}),
      on("a mean per channel", {2, 5, 4}, {{"ip", ten}}, {.scale = 2, .mean = {.25f, .75f}}),
      on("a mean and a deviation per channel", {3, 5, 4}, {{"ip", ten}},
         {.scale = 2, .mean = {.1f, .2f, .3f}, .order = channel_order::bgr, .deviation = {.5f, 2, 3}}),
      on("a mean per pixel", {1, 2, 3}, {{"ip", ten}}, {.scale = 3, .mean = {0, .1f, .2f, .3f, .4f, .5f}}),
      zoo::lenet5(),
  };
  return all;
}

}  // namespace pareidolia_test
