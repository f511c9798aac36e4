// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/prototxt.hpp>
#include <pareidolia/models/fold.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include "support/data.hpp"
#include "support/files.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

graph read_text(std::string const& text, image_shape const& input = {}) {
  temporary_folder const folder;
  put(folder / "net.prototxt", text);
  return read_prototxt(folder / "net.prototxt", input);
}

std::string refusal(std::string const& text) {
  try {
    static_cast<void>(read_text(text));
  } catch (error const& e) {
    std::string const what = e.what();
    auto const file = what.find("net.prototxt: ");
    return file == std::string::npos ? "no file is named: " + what : what.substr(file + 14);
  }
  return "accepted";
}

std::string const head = "name: \"n\" input: \"data\" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 9\n";
std::string conv(std::string const& extra) {
  return head + "layer { name: \"c\" type: \"Convolution\" bottom: \"data\" top: \"c\" convolution_param { num_output: 4 kernel_size: 3 " +
         extra + " } }";
}

}  // namespace

TEST_CASE("layers of both generations, with every way to give a size") {
  graph const g = read_text(R"(# a comment
name: "both"
input: "data"
input_shape { dim: 1 dim: 3 dim: 20 dim: 30 }
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "conv"
  param { lr_mult: 1 }
  convolution_param { num_output: 8 kernel_h: 3 kernel_w: 5 stride: 2 pad: 1 pad_w: 2 group: 1 bias_term: false weight_filler { type: "xavier" } }
}
layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'conv' }
layers { name: "pool" type: POOLING bottom: "conv" top: "pool" pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
layers { name: "norm" type: LRN bottom: "conv" top: "norm" lrn_param { local_size: 3, alpha: 5e-05; beta: 0.75 } }
layer { name: "aside" type: "Pooling" bottom: "norm" top: "aside" pooling_param { pool: MAX kernel_size: 3 stride: 2 round_mode: FLOOR } }
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { num_output: 10 } include { phase: TRAIN } }
layer { name: "global" type: "Pooling" bottom: "pool" top: "global" pooling_param { pool: AVE global_pooling: true } }
layers { name: "fc" type: INNER_PRODUCT bottom: "global" top: "fc" inner_product_param { num_output: 10 } }
layer { name: "sigmoid" type: "Sigmoid" bottom: "fc" top: "fc" }
layer { name: "drop" type: "Dropout" bottom: "fc" top: "fc" }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
)");
  using namespace layer;
  CHECK(g.name == "both");
  CHECK(g.input == image_shape{3, 20, 30});
  REQUIRE(g.nodes.size() == 10);
  CHECK(g.nodes[0].what == operation{convolution{.outputs = 8, .kernel = {3, 5}, .stride = {2, 2}, .padding = {1, 2}, .bias = false}});
  CHECK(g.nodes[2].what == operation{pooling{.kind = pool::average, .kernel = {3, 3}, .stride = {2, 2}}});
  CHECK(g.nodes[3].inputs == std::vector<std::string>{"relu"});  // in place: "conv" is now what relu made
  CHECK(g.nodes[3].what == operation{lrn{.size = 3, .alpha = 5e-5f, .beta = .75f, .k = 1}});
  CHECK(g.nodes[4].what == operation{pooling{.kernel = {3, 3}, .stride = {2, 2}, .edge = rounding::floor}});
  CHECK(std::get<pooling>(g.nodes[5].what).global);
  CHECK(g.nodes[6].what == operation{inner_product{.outputs = 10}});
  CHECK(std::holds_alternative<layer::softmax>(g.nodes.back().what));
  CHECK(plan(g).out.back() == image_shape{10, 1, 1});
}

namespace {

/// The one layer of a network that reads an image of (3, 8, 9).
graph one(std::string const& type, std::string const& parameters) {
  return read_text(head + "layer { name: \"x\" type: \"" + type + "\" bottom: \"data\" top: \"x\" " + parameters + " }");
}
layer::operation layer_of(std::string const& type, std::string const& parameters = "") {
  graph const g = one(type, parameters);
  REQUIRE(g.nodes.size() == 1);
  static_cast<void>(plan(g));
  return g.nodes[0].what;
}
std::string layer_refusal(std::string const& type, std::string const& parameters) {
  std::string const said = refusal(head + "layer { name: \"x\" type: \"" + type + "\" bottom: \"data\" top: \"x\" " + parameters + " }");
  std::string const where = "layer 'x' of type '" + type + "' (line 2): ";
  return said.rfind(where, 0) == 0 ? said.substr(where.size()) : "not the layer: " + said;
}

}  // namespace

TEST_CASE("normalisations and scales are Caffe's") {
  using namespace layer;
  CHECK(layer_of("BatchNorm") == operation{batch_normalization{.epsilon = 1e-5f, .affine = false}});
  CHECK(layer_of("BatchNorm", "batch_norm_param { use_global_stats: true eps: 0.001 }") ==
        operation{batch_normalization{.epsilon = 1e-3f, .affine = false}});
  CHECK(layer_of("Scale") == operation{scale{.bias = false}});
  CHECK(layer_of("Scale", "scale_param { bias_term: true axis: 1 }") == operation{scale{.bias = true}});
  CHECK(layer_refusal("Scale", "scale_param { axis: 2 }") == "only channels (axis 1, num_axes 1) can be scaled");
  CHECK(layer_refusal("Scale", "bottom: \"data\"") == "only a scale with parameters of its own is supported, which has one bottom");
  CHECK(layer_of("LRN", "lrn_param { local_size: 3 alpha: 5e-05 k: 2 }") == operation{lrn{.size = 3, .alpha = 5e-5f, .k = 2}});
  CHECK(layer_of("LRN", "lrn_param { local_size: 3 alpha: 5e-05 k: 2 norm_region: WITHIN_CHANNEL }") ==
        operation{lrn{.size = 3, .alpha = 5e-5f, .over = region::within_channel}});
  CHECK(layer_refusal("LRN", "lrn_param { norm_region: ROWS }") == "norm_region is ROWS; ACROSS_CHANNELS and WITHIN_CHANNEL are known");

  // In place, as in Caffe's residual networks: one convolution once it is folded.
  graph const g = read_text(conv("bias_term: false") + R"(
layer { name: "bn" type: "BatchNorm" bottom: "c" top: "c" }
layer { name: "scale" type: "Scale" bottom: "c" top: "c" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "c" top: "c" })");
  auto const folded = plan_folding(g).network;
  REQUIRE(folded.nodes.size() == 2);
  CHECK(folded.nodes[0].name == "scale");
  CHECK(folded.nodes[0].what == operation{convolution{.outputs = 4, .kernel = {3, 3}}});
}

TEST_CASE("a ReLU has the slope it says") {
  CHECK(layer_of("ReLU") == layer::operation{layer::activation{}});
  CHECK(layer_of("ReLU", "relu_param { negative_slope: 0.1 }") == layer::operation{layer::activation{.slope = .1f}});
  CHECK(layer_refusal("ReLU", "relu_param { negative_slope: -1 }") == "slope is -1; it must be a number from 0");
}

TEST_CASE("flattening and reshaping keep images apart") {
  using layer::operation, layer::reshape;
  auto const to = [](std::string const& dims, std::string const& more = "") {
    return layer_of("Reshape", "reshape_param { shape { " + dims + " } " + more + " }");
  };
  auto const refused = [](std::string const& dims, std::string const& more = "") {
    return layer_refusal("Reshape", "reshape_param { shape { " + dims + " } " + more + " }");
  };
  CHECK(layer_of("Flatten") == operation{layer::flatten{}});
  CHECK(layer_of("Flatten", "flatten_param { axis: 1 end_axis: -1 }") == operation{layer::flatten{}});
  CHECK(layer_refusal("Flatten", "flatten_param { axis: 2 }") == "only all axes of an image (axis 1, end_axis -1) can be flattened");
  CHECK(to("dim: 0 dim: 6 dim: 4 dim: 9") == operation{reshape{{6, 4, 9}}});
  CHECK(to("dim: 0 dim: 0 dim: -1") == operation{reshape{{3, 72, 1}}});
  CHECK(to("dim: 0 dim: -1") == operation{reshape{{216, 1, 1}}});
  CHECK(to("dim: 0 dim: -1 dim: 4 dim: 0") == operation{reshape{{6, 4, 9}}});
  CHECK(to("dim: -1 dim: 216") == operation{reshape{{216, 1, 1}}});
  CHECK(to("dim: 24 dim: -1", "axis: 1") == operation{reshape{{24, 9, 1}}});
  CHECK(refused("dim: 0 dim: 7 dim: -1") == "the input (3, 8, 9) cannot be reshaped to it");
  CHECK(refused("dim: 0 dim: 108") == "the input (3, 8, 9) has no shape (108, 1, 1)");
  CHECK(refused("dim: 0 dim: -1 dim: -1") == "more than one dim is -1");
  CHECK(refused("dim: 2 dim: 216") == "the first dim, the count of images, must be 0");
  CHECK(refused("dim: -1 dim: -1") == "the first dim, the count of images, must be 0");
  CHECK(refused("dim: 0") == "it has 1 dims; 2 to 4 are wanted (count, channels, height, width)");
  CHECK(refused("dim: 0 dim: 216", "axis: 2") == "axis must be 0 or 1 and num_axes -1");
  // Behind other layers: 0 and -1 refer to what is there.
  graph const g = read_text(conv("") + R"(
layer { name: "r" type: "Reshape" bottom: "c" top: "r" reshape_param { shape { dim: 0 dim: 0 dim: -1 dim: 2 } } })");
  CHECK(g.nodes[1].what == operation{reshape{{4, 21, 2}}});
}

TEST_CASE("a split gives its input many names, silence ends them") {
  graph const g = read_text(conv("") + R"(
layer { name: "split" type: "Split" bottom: "c" top: "a" top: "b" }
layer { name: "relu" type: "ReLU" bottom: "a" top: "relu" }
layer { name: "quiet" type: "Silence" bottom: "relu" }
layer { name: "sum" type: "Eltwise" bottom: "relu" bottom: "b" top: "sum" })");
  REQUIRE(g.nodes.size() == 3);
  CHECK(g.nodes[1].inputs.empty());
  CHECK(g.nodes[2].inputs == std::vector<std::string>{"relu", "c"});
}

TEST_CASE("a convolution padded by its kernel or more is a padding and a convolution, as in SqueezeNet 1.0") {
  graph const g = one("Convolution", "convolution_param { num_output: 5 kernel_size: 1 pad_h: 1 pad_w: 2 stride: 2 }");
  REQUIRE(g.nodes.size() == 2);
  CHECK(g.nodes[0].name == "x/pad");
  CHECK(g.nodes[0].what == layer::operation{layer::padding{1, 2, 1, 2}});
  CHECK(g.nodes[1].name == "x");
  CHECK(g.nodes[1].what == layer::operation{layer::convolution{.outputs = 5, .stride = {2, 2}}});
  CHECK(plan(g).out.back() == image_shape{5, 5, 7});
  auto const layers = [](std::string const& parameters) {
    return one("Convolution", "convolution_param { num_output: 5 " + parameters + " }").nodes.size();
  };
  CHECK(layers("kernel_size: 3 pad_h: 3 pad_w: 0") == 2);
  CHECK(layers("kernel_size: 3 pad_h: 0 pad_w: 3") == 2);
  CHECK(layers("kernel_size: 3 pad: 2") == 1);
  CHECK(layer_refusal("Convolution", "convolution_param { num_output: 5 pad: 1 }") == "kernel and stride must be at least 1");
}

TEST_CASE("what is wrong with a prototxt is one sentence with the file, and the layer or the line") {
  CHECK(refusal("") == "no layer in it computes anything");
  CHECK(refusal(head) == "no layer in it computes anything");
  CHECK(refusal(conv("}")).find("a '}' that nothing opened") != std::string::npos);
  CHECK(refusal(head + "layer { name: \"c\"") == "line 2: the text ends inside 'layer'");
  CHECK(refusal("layer { name: \"c\n\" }") == "line 1: a string without its closing quote");
  CHECK(refusal("layer") == "line 1: 'layer' has neither a value nor a message");
  CHECK(refusal(conv("stride: -1")) ==
        "layer 'c' of type 'Convolution' (line 2): stride is '-1'; it must be a number from 0 to 4294967295");
  CHECK(refusal(conv("dilation: 2")) == "layer 'c' of type 'Convolution' (line 2): dilation is not supported");
  CHECK(refusal(conv("bias_term: 3")) == "layer 'c' of type 'Convolution' (line 2): bias_term is '3'; it must be true or false");
  CHECK(refusal(head + "layer { name: \"x\" type: \"Warp\" bottom: \"data\" top: \"x\" }") ==
        "layer 'x' of type 'Warp' (line 2): this type is not known");
  CHECK(refusal(head + "layer { name: \"x\" type: \"ReLU\" bottom: \"dta\" top: \"x\" }") ==
        "layer 'x' reads 'dta', which nothing before it makes");
  CHECK(refusal("layer { name: \"x\" type: \"ReLU\" bottom: \"data\" top: \"x\" } input: \"data\"") ==
        "it does not say the shape of its input; pass it as the second argument");
  CHECK(refusal(conv("") + "layer { name: \"x\" type: \"Eltwise\" bottom: \"c\" bottom: \"data\" top: \"x\" }") ==
        "layer 'x' of type 'Eltwise' (line 2): it reads the image beside or behind other layers; only the first layer may read it");
  CHECK(refusal(conv("stride: 20 kernel_size: 50")).find("the kernel is larger than its padded input (3, 8, 9)") != std::string::npos);
  CHECK(refusal(head + "layer { name: \"" + std::string(1000, 'x') + "\" type: \"ReLU\" bottom: \"data\" top: \"x\" }")
            .find("line 2: a name or value in this message has more than 128 characters") == 0);
  std::string many = conv(""), wide = head + "layer { name: \"x\" type: \"Concat\" top: \"x\"";
  for (int i = 0; i < 3000; ++i) {
    many += "\nlayer { name: \"" + std::to_string(i) + "\" type: \"ReLU\" bottom: \"c\" top: \"c\" }  #" + std::string(200, '-');
    wide += " bottom: \"data\"  #" + std::string(200, '-') + "\n";
  }
  CHECK(refusal(many) == "it has 3001 layers; at most 1536 are read");
  CHECK(refusal(wide + "}") == "line 2: this message has more than 256 values; weights are read from caffemodels");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "a {";
  CHECK(refusal(deep) == "line 1: messages nested deeper than 32");
  temporary_folder const folder;
  CHECK_THROWS_AS(static_cast<void>(read_prototxt(folder / "missing")), error);
}

TEST_CASE("a prototxt cut anywhere is an error or a shorter network, never a crash") {
  std::string const whole = conv("pad: 1") + "\nlayer { name: \"r\" type: \"ReLU\" bottom: \"c\" top: \"c\" }";
  for (std::size_t n = 0; n < whole.size(); ++n) {
    std::string const said = refusal(whole.substr(0, n));
    CHECK(said.find("no file is named") == std::string::npos);
  }
}

TEST_CASE("data: the zoo's graphs are those of the published prototxts") {
  auto const check = [](graph const& ours, std::string const& file) {
    CAPTURE(file);
    auto const theirs = plan(detail::without_final_softmax(read_prototxt(data_path(file))));
    auto const p = plan(ours);
    REQUIRE(theirs.out.size() == p.out.size());
    for (std::size_t k = 0; k < p.out.size(); ++k) {
      CAPTURE(p.source.nodes[k].name);
      CHECK(theirs.source.nodes[k].what == p.source.nodes[k].what);
      CHECK(theirs.inputs[k] == p.inputs[k]);
      CHECK(theirs.out[k] == p.out[k]);
    }
    REQUIRE(theirs.slots.size() == p.slots.size());
    for (std::size_t s = 0; s < p.slots.size(); ++s) CHECK(theirs.slots[s].name == p.slots[s].name);  // by which weights are found
  };
  check(zoo::lenet5(), "models/lenet/lenet_deploy.prototxt");
  check(zoo::cifar10_quick(), "models/cifar10_quick/cifar10_quick.prototxt");
  check(zoo::alexnet(), "prototxt/bvlc_alexnet_deploy.prototxt");
  check(zoo::caffenet(), "prototxt/bvlc_reference_caffenet_deploy.prototxt");
  check(zoo::vgg_f(), "prototxt/LTS4_deploy_vgg_f.prototxt");
  check(zoo::vgg_s(), "prototxt/VGG_CNN_S_deploy.prototxt");
  check(zoo::vgg16(), "prototxt/LTS4_deploy_vgg_16.prototxt");
  check(zoo::vgg19(), "prototxt/LTS4_deploy_vgg_19.prototxt");
  check(zoo::nin(), "prototxt/nin_imagenet_deploy.prototxt");
  check(zoo::googlenet(), "models/googlenet/deploy.prototxt");
  check(zoo::squeezenet_1_1(), "models/squeezenet_v1.1/deploy.prototxt");
}
