// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/graph.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
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

TEST_CASE("activation, clip, dropout and softmax keep the shape and have no parameters") {
  for (layer::operation const& what : {layer::operation(layer::activation{layer::function::tanh}), layer::operation(layer::clip{}),
                                       layer::operation(layer::dropout{}), layer::operation(layer::softmax{})}) {
    auto const p = planned(rgb, what);
    CHECK(p.out[0] == rgb);
    CHECK(p.parameters == 0);
    CHECK(p.slots.empty());
  }
}

TEST_CASE("scale and batch normalisation have one number of each kind for each channel") {
  auto const names = [](planned_graph const& p) {
    std::vector<std::string> all;
    for (auto const& slot : p.slots) {
      all.push_back(slot.name);
      CHECK(slot.shape == std::vector<std::size_t>{3});
    }
    CHECK(p.parameters == 3 * all.size());
    CHECK(p.out[0] == rgb);
    return all;
  };
  CHECK(names(planned(rgb, layer::scale{})) == std::vector<std::string>{"it.weight", "it.bias"});
  CHECK(names(planned(rgb, layer::scale{.bias = false})) == std::vector<std::string>{"it.weight"});
  CHECK(names(planned(rgb, layer::batch_normalization{})) ==
        std::vector<std::string>{"it.weight", "it.bias", "it.running_mean", "it.running_var"});
  CHECK(names(planned(rgb, layer::batch_normalization{.affine = false})) == std::vector<std::string>{"it.running_mean", "it.running_var"});
}

TEST_CASE("padding, flatten and reshape change the shape alone") {
  CHECK(shape_after(rgb, layer::padding{.top = 1, .left = 2, .bottom = 3, .right = 4}) == image_shape{3, 36, 38});
  CHECK(shape_after(rgb, layer::flatten{}) == image_shape{3072, 1, 1});
  CHECK(shape_after(rgb, layer::reshape{{12, 16, 16}}) == image_shape{12, 16, 16});
  std::string const it = "graph 'g': layer 'it': ";
  CHECK(refusal(rgb, layer::reshape{{12, 16, 15}}) == it + "the input (3, 32, 32) has no shape (12, 16, 15)");
}

TEST_CASE("plan refuses numbers that no such layer has") {
  std::string const it = "graph 'g': layer 'it': ";
  float const nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(refusal(rgb, layer::activation{.slope = -1}) == it + "slope is -1; it must be a number from 0");
  CHECK(refusal(rgb, layer::activation{.slope = nan}) == it + "slope is nan; it must be a number from 0");
  CHECK(refusal(rgb, layer::activation{layer::function::tanh, .1f}) == it + "slope is 0.1; only relu has one");
  CHECK(refusal(rgb, layer::clip{.low = 1, .high = 1}) == it + "it clips to 1 .. 1; low must be below high");
  CHECK(refusal(rgb, layer::clip{.low = 1, .high = nan}) == it + "it clips to 1 .. nan; low must be below high");
  CHECK(refusal(rgb, layer::batch_normalization{.epsilon = 0}) == it + "epsilon is 0; it must be between 0 and 1");
}

TEST_CASE("plan refuses sizes that would overflow or that no machine holds") {
  std::string const it = "graph 'g': layer 'it': ";
  constexpr std::size_t huge = std::numeric_limits<std::size_t>::max(), large = std::size_t{1} << 24;
  CHECK(refusal({huge, 2, 2}, layer::dropout{}) == "graph 'g': the input shape (18446744073709551615, 2, 2) is too large");
  CHECK(refusal({large, large, large}, layer::dropout{}) == "graph 'g': the input shape (16777216, 16777216, 16777216) is too large");
  CHECK(refusal(rgb, layer::inner_product{.outputs = huge}) == it + "an array of shape (18446744073709551615, 1, 1) is too large");
  CHECK(refusal(rgb, layer::inner_product{.outputs = large * 16}) == it + "an array of shape (268435456, 3072) is too large");
  CHECK(refusal(rgb, layer::convolution{.outputs = 1, .kernel = {huge, huge}, .padding = {huge - 1, huge - 1}}) ==
        it + "kernel, stride and padding must be at most 16777216");
  CHECK(refusal(rgb, layer::padding{.top = huge}) == it + "padding must be at most 16777216");
  CHECK(refusal(rgb, layer::reshape{{huge, huge, huge}}) ==
        it + "an array of shape (18446744073709551615, 18446744073709551615, 18446744073709551615) is too large");
}

TEST_CASE("a deviation has no value or one above 0 for each channel, and labels are as many as scores") {
  graph g = lenet();
  g.prepare.deviation = {2};
  CHECK(refusal(g) == "accepted");
  g.prepare.deviation = {2, 3};
  CHECK(refusal(g) == "graph 'lenet': the deviation has 2 values; give 1, one per channel, or none");
  g.prepare.deviation = {0};
  CHECK(refusal(g) == "graph 'lenet': every deviation must be above 0");
  g = lenet();
  g.labels = {"zero", "one"};
  CHECK(refusal(g) == "graph 'lenet': 2 labels for 10 scores");
}

TEST_CASE("a layer reads the layer that it names") {
  auto const p = plan({.name = "fork",
                       .input = rgb,
                       .nodes = {{"a", layer::convolution{.outputs = 4}},
                                 {"b", layer::pooling{.kernel = {2, 2}, .stride = {2, 2}}},
                                 {"c", layer::convolution{.outputs = 6}, {"a"}}}});
  CHECK(p.inputs == std::vector<std::vector<std::size_t>>{{planned_graph::image}, {0}, {0}});
  CHECK(p.readers() == std::vector<std::size_t>{1, 0, 1});     // the scores do not depend on b
  CHECK(p.readers({1}) == std::vector<std::size_t>{2, 1, 1});  // but somebody watches it
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
  CHECK(refusal(rgb, layer::lrn{.size = 4}) == "graph 'g': layer 'it': size is 4; it must be odd and at most 16777216");
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
