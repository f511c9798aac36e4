// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/graph.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

using namespace pareidolia;

namespace {

graph lenet() {
  return {.name = "lenet",
          .input = {1, 28, 28},
          .prepare = {.scale = 255.f / 256},
          .nodes = {{"conv1", layer::convolution{.outputs = 20, .kernel = {5, 5}}},
                    {"pool1", layer::pooling{.kernel = {2, 2}, .stride = {2, 2}}},
                    {"conv2", layer::convolution{.outputs = 50, .kernel = {5, 5}}},
                    {"pool2", layer::pooling{.kernel = {2, 2}, .stride = {2, 2}}},
                    {"ip1", layer::inner_product{.outputs = 500}},
                    {"relu1", layer::activation{}},
                    {"ip2", layer::inner_product{.outputs = 10}}}};
}

// A graph of one layer on a (channels, height, width) image.
planned_graph planned(image_shape const& input, layer::operation const& what) {
  return plan({.name = "g", .input = input, .nodes = {{"it", what}}});
}
image_shape shape_after(image_shape const& input, layer::operation const& what) { return planned(input, what).out[0]; }

std::string refusal(graph const& g) {
  try {
    static_cast<void>(plan(g));
  } catch (error const& problem) {
    return problem.what();
  }
  return "accepted";
}
std::string refusal(image_shape const& input, layer::operation const& what) {
  return refusal({.name = "g", .input = input, .nodes = {{"it", what}}});
}

constexpr image_shape rgb{3, 32, 32};

}  // namespace

TEST_CASE("LeNet's shapes and parameters follow from its layers") {
  auto const p = plan(lenet());
  CHECK(p.out == std::vector<image_shape>{{20, 24, 24}, {20, 12, 12}, {50, 8, 8}, {50, 4, 4}, {500, 1, 1}, {500, 1, 1}, {10, 1, 1}});
  CHECK(p.in.front() == image_shape{1, 28, 28});
  CHECK(p.in[4] == image_shape{50, 4, 4});
  CHECK(p.inputs == std::vector<std::vector<std::size_t>>{{planned_graph::image}, {0}, {1}, {2}, {3}, {4}, {5}});
  CHECK(p.parameters == 431080);
  CHECK(p.source.name == "lenet");

  std::vector<std::string> names;
  std::size_t offset = 0;
  for (auto const& slot : p.slots) {
    names.push_back(slot.name);
    CHECK(slot.offset == offset);
    offset += slot.size;
  }
  CHECK(offset == p.parameters);
  CHECK(names == std::vector<std::string>{"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "ip1.weight", "ip1.bias",
                                          "ip2.weight", "ip2.bias"});
  CHECK(p.slots[2].shape == std::vector<std::size_t>{50, 20, 5, 5});
  CHECK(p.slots[4].shape == std::vector<std::size_t>{500, 800});
  CHECK(p.slots[4].size == 400000);
  CHECK(p.first_slot == std::vector<std::size_t>{0, 2, 2, 4, 4, 6, 6});
}

TEST_CASE("convolution counts windows by the floor rule, with stride, padding and groups") {
  CHECK(shape_after(rgb, layer::convolution{.outputs = 8, .kernel = {3, 3}, .padding = {1, 1}}) == image_shape{8, 32, 32});
  CHECK(shape_after(rgb, layer::convolution{.outputs = 8, .kernel = {3, 5}, .stride = {2, 1}}) == image_shape{8, 15, 28});
  CHECK(shape_after({3, 227, 227}, layer::convolution{.outputs = 96, .kernel = {11, 11}, .stride = {4, 4}}) == image_shape{96, 55, 55});
  CHECK(shape_after({3, 224, 224}, layer::convolution{.outputs = 64, .kernel = {7, 7}, .stride = {2, 2}, .padding = {3, 3}}) ==
        image_shape{64, 112, 112});

  auto const grouped = planned({96, 27, 27}, layer::convolution{.outputs = 256, .kernel = {5, 5}, .padding = {2, 2}, .groups = 2});
  CHECK(grouped.out[0] == image_shape{256, 27, 27});
  CHECK(grouped.slots[0].shape == std::vector<std::size_t>{256, 48, 5, 5});
  CHECK(grouped.parameters == 256 * 48 * 25 + 256);
}

TEST_CASE("layers without a bias have a weight alone") {
  auto const convolution = planned(rgb, layer::convolution{.outputs = 8, .kernel = {3, 3}, .bias = false});
  CHECK(convolution.slots.size() == 1);
  CHECK(convolution.parameters == 8 * 3 * 9);
  auto const product = planned({2, 3, 4}, layer::inner_product{.outputs = 5, .bias = false});
  CHECK(product.slots.size() == 1);
  CHECK(product.slots[0].shape == std::vector<std::size_t>{5, 24});
}

TEST_CASE("pooling counts windows by Caffe's ceil rule or by the floor rule") {
  layer::pooling three_by_two{.kernel = {3, 3}, .stride = {2, 2}};
  CHECK(shape_after(rgb, three_by_two) == image_shape{3, 16, 16});
  CHECK(shape_after({3, 31, 32}, three_by_two) == image_shape{3, 15, 16});  // nothing to round in 31
  three_by_two.edge = layer::rounding::floor;
  CHECK(shape_after(rgb, three_by_two) == image_shape{3, 15, 15});
}

TEST_CASE("the ceil rule drops a window that would start beyond the input and its leading padding") {
  // n = 5, k = 2, s = 2, p = 1: ceil(5 / 2) + 1 = 4 windows, but the fourth starts at 5 in an input that ends there.
  layer::pooling padded{.kernel = {2, 2}, .stride = {2, 2}, .padding = {1, 1}};
  CHECK(shape_after({1, 5, 5}, padded) == image_shape{1, 3, 3});
  CHECK(shape_after({1, 4, 4}, padded) == image_shape{1, 3, 3});
  // n = 5, k = 1, s = 3: the third would start at 6.
  CHECK(shape_after({1, 5, 5}, layer::pooling{.kernel = {1, 1}, .stride = {3, 3}}) == image_shape{1, 2, 2});
}

TEST_CASE("activation, dropout and softmax keep the shape and have no parameters") {
  for (layer::operation const& what : {layer::operation(layer::activation{layer::function::tanh}), layer::operation(layer::dropout{}),
                                       layer::operation(layer::softmax{})}) {
    auto const p = planned(rgb, what);
    CHECK(p.out[0] == rgb);
    CHECK(p.parameters == 0);
    CHECK(p.slots.empty());
  }
}

TEST_CASE("a layer reads the layer that it names") {
  auto const p = plan({.name = "fork",
                       .input = rgb,
                       .nodes = {{"a", layer::convolution{.outputs = 4}},
                                 {"b", layer::pooling{.kernel = {2, 2}, .stride = {2, 2}}},
                                 {"c", layer::convolution{.outputs = 6}, {"a"}}}});
  CHECK(p.inputs == std::vector<std::vector<std::size_t>>{{planned_graph::image}, {0}, {0}});
  CHECK(p.readers() == std::vector<std::size_t>{1, 0, 1});  // the scores do not depend on b
  CHECK(p.in[2] == image_shape{4, 32, 32});
  CHECK(p.out[2] == image_shape{6, 32, 32});
}

TEST_CASE("layers of several inputs join what fits and refuse the rest") {
  graph g{.name = "join",
          .input = rgb,
          .nodes = {{"a", layer::convolution{.outputs = 4}},
                    {"b", layer::convolution{.outputs = 6}, {"a"}},
                    {"c", layer::concat{}, {"a", "b", "a"}}}};
  CHECK(plan(g).out[2] == image_shape{14, 32, 32});
  CHECK(plan(g).readers() == std::vector<std::size_t>{3, 1, 1});
  g.nodes[2].what = layer::sum{};
  CHECK(refusal(g) == "graph 'join': layer 'c': the inputs (4, 32, 32) and (6, 32, 32) differ in shape");
  g.nodes[2].what = layer::lrn{};
  CHECK(refusal(g) == "graph 'join': layer 'c' reads 3 layers; its kind reads one");
  g.nodes[2].what = layer::concat{};
  g.nodes[1].what = layer::convolution{.outputs = 6, .kernel = {3, 3}};
  CHECK(refusal(g) == "graph 'join': layer 'c': the inputs (4, 32, 32) and (6, 30, 30) differ in height or width");
  CHECK(refusal(rgb, layer::lrn{.size = 4}) == "graph 'g': layer 'it': size is 4; it must be odd");
  CHECK(shape_after(rgb, layer::pooling{.kind = layer::pool::average, .global = true}) == image_shape{3, 1, 1});
}

TEST_CASE("only colour images have an order of channels") {
  graph g = lenet();
  g.prepare.order = channel_order::bgr;
  CHECK(refusal(g) == "graph 'lenet': blue, green, red is an order of 3 channels, not of 1");
}

TEST_CASE("a mean has no value, one, one for each channel or one for each pixel") {
  graph g = lenet();
  g.input = {3, 28, 28};
  for (std::size_t n : {0u, 1u, 3u, 3u * 28u * 28u}) {
    g.prepare.mean.assign(n, 0.5f);
    CHECK(refusal(g) == "accepted");
  }
  g.prepare.mean.assign(2, 0.5f);
  CHECK(refusal(g) == "graph 'lenet': the mean has 2 values; give 1, 3 (one per channel) or 2352 (one per pixel)");
}

TEST_CASE("plan refuses a graph that is not one") {
  CHECK(refusal({.name = "g", .input = rgb}) == "graph 'g': it has no layers");
  CHECK(refusal({3, 0, 32}, layer::dropout{}) == "graph 'g': the input shape (3, 0, 32) is empty");

  graph g = lenet();
  g.nodes[2].name.clear();
  CHECK(refusal(g) == "graph 'lenet': layer 2 has no name");
  g = lenet();
  g.nodes[2].name = "conv1";
  CHECK(refusal(g) == "graph 'lenet': two layers are named 'conv1'");
  g = lenet();
  g.nodes[2].inputs = {"pool2"};  // it comes later
  CHECK(refusal(g) == "graph 'lenet': layer 'conv2' reads 'pool2', which is no earlier layer");
  g.nodes[2].inputs = {"conv2"};  // itself
  CHECK(refusal(g) == "graph 'lenet': layer 'conv2' reads 'conv2', which is no earlier layer");
}

TEST_CASE("plan refuses windows that do not fit") {
  std::string const it = "graph 'g': layer 'it': ";
  CHECK(refusal(rgb, layer::convolution{.outputs = 1, .kernel = {0, 1}}) == it + "kernel and stride must be at least 1");
  CHECK(refusal(rgb, layer::pooling{.kernel = {2, 2}, .stride = {1, 0}}) == it + "kernel and stride must be at least 1");
  CHECK(refusal(rgb, layer::pooling{.kernel = {2, 2}, .padding = {0, 2}}) == it + "padding must be smaller than the kernel");
  CHECK(refusal(rgb, layer::convolution{.outputs = 1, .kernel = {1, 33}}) == it + "the kernel is larger than its padded input (3, 32, 32)");
  CHECK(refusal(rgb, layer::convolution{.outputs = 1, .kernel = {1, 33}, .padding = {0, 1}}) == "accepted");
}

TEST_CASE("plan refuses layers without outputs and groups that do not divide") {
  std::string const it = "graph 'g': layer 'it': ";
  CHECK(refusal(rgb, layer::convolution{}) == it + "outputs must be at least 1");
  CHECK(refusal(rgb, layer::inner_product{}) == it + "outputs must be at least 1");
  CHECK(refusal(rgb, layer::convolution{.outputs = 4, .groups = 2}) == it + "2 groups do not divide 3 input and 4 output channels");
  CHECK(refusal(rgb, layer::convolution{.outputs = 4, .groups = 3}) == it + "3 groups do not divide 3 input and 4 output channels");
  CHECK(refusal(rgb, layer::convolution{.outputs = 4, .groups = 0}) == it + "0 groups do not divide 3 input and 4 output channels");
}
