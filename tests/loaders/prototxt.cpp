// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/prototxt.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include "support/data.hpp"
#include "support/files.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <variant>

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
  check(zoo::alexnet(), "prototxt/bvlc_alexnet_deploy.prototxt");
  check(zoo::caffenet(), "prototxt/bvlc_reference_caffenet_deploy.prototxt");
  check(zoo::vgg16(), "prototxt/LTS4_deploy_vgg_16.prototxt");
  check(zoo::vgg19(), "prototxt/LTS4_deploy_vgg_19.prototxt");
  check(zoo::nin(), "prototxt/nin_imagenet_deploy.prototxt");
  check(zoo::googlenet(), "models/googlenet/deploy.prototxt");
  check(zoo::squeezenet_1_1(), "models/squeezenet_v1.1/deploy.prototxt");
}
