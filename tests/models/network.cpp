// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/training.hpp>

#include <pareidolia/io/npy.hpp>
#include "support/data.hpp"
#include "support/graphs.hpp"
#include "support/samples.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

static_assert(DifferentiableModel<network<cpu_engine>> && TrainableModel<network<cpu_engine>> && FingerprintedModel<network<cpu_engine>>);
static_assert(DifferentiableModel<network<reference_engine<double>>> && TrainableModel<network<reference_engine<double>>>);

TEST_CASE("a network gives back the weights it was made of") {
  weights const w = random_weights(zoo::lenet5(), 1);
  network const net{reference_engine<double>{}, zoo::lenet5(), w};
  weights const again = net.to_weights();
  CHECK(again.parameters.size() == w.parameters.size());
  for (auto const& [name, array] : w.parameters) {
    CHECK(again.parameters.at(name).shape == array.shape);
    CHECK(again.parameters.at(name).values == array.values);
  }
  CHECK(net.input() == image_shape{1, 28, 28});
  CHECK(net.classes() == 10);
}

TEST_CASE("fingerprints tell networks apart that differ in an option alone") {
  auto const print = [](layer::operation const& what, preprocessing const& prepare = {}) {
    graph const g{
        .name = "g", .input = {3, 6, 6}, .prepare = prepare, .nodes = {{"one", what}, {"ip", layer::inner_product{.outputs = 2}}}};
    return network{reference_engine<float>{}, g, random_weights(g, 1)}.fingerprint();
  };
  std::vector<std::uint64_t> prints{
      print(layer::activation{}),
      print(layer::activation{.slope = .1f}),
      print(layer::activation{layer::function::tanh}),
      print(layer::clip{}),
      print(layer::clip{.low = -1}),
      print(layer::clip{.high = 5}),
      print(layer::lrn{}),
      print(layer::lrn{.size = 3}),
      print(layer::lrn{.alpha = 1}),
      print(layer::lrn{.beta = 1}),
      print(layer::lrn{.k = 2}),
      print(layer::lrn{.over = layer::region::within_channel}),
      print(layer::pooling{.kernel = {2, 2}, .stride = {2, 2}}),
      print(layer::pooling{.kind = layer::pool::average, .kernel = {2, 2}, .stride = {2, 2}}),
      print(layer::pooling{.kernel = {3, 3}, .stride = {2, 2}, .edge = layer::rounding::floor}),
      print(layer::padding{.top = 1}),
      print(layer::padding{.bottom = 1}),
      print(layer::dropout{}),
      print(layer::dropout{}, {.scale = 2}),
      print(layer::dropout{}, {.mean = {1}}),
      print(layer::dropout{}, {.order = channel_order::bgr}),
      print(layer::dropout{}, {.deviation = {1, 2, 3}}),
  };
  std::sort(prints.begin(), prints.end());
  CHECK(std::adjacent_find(prints.begin(), prints.end()) == prints.end());
}

TEST_CASE("fingerprints tell weights, shapes and preprocessing apart, not engines") {
  graph g = zoo::lenet5();
  weights w = random_weights(g, 1);
  auto const print = [&](auto engine) { return network{engine, g, w}.fingerprint(); };
  auto const original = print(cpu_engine{});
  CHECK(print(reference_engine<float>{}) == original);
  g.prepare.scale = 1;
  CHECK(print(cpu_engine{}) != original);
  g = zoo::lenet5();
  w.parameters["ip2.bias"].values[9] += 1e-6f;
  CHECK(print(cpu_engine{}) != original);
}

TEST_CASE_TEMPLATE("a network shows the activations of the layers that were named", E, cpu_engine, reference_engine<double>) {
  graph const g{.name = "small",
                .input = {1, 2, 2},
                .nodes = {{"conv", layer::convolution{.outputs = 2, .bias = false}},
                          {"bn", layer::batch_normalization{.affine = false}},
                          {"relu", layer::activation{}},
                          {"sum", layer::inner_product{.outputs = 1, .bias = false}}}};
  weights w;
  w.parameters = {{"conv.weight", {{2, 1, 1, 1}, {1, -1}}},
                  {"bn.running_mean", {{2}, {.5f, -.5f}}},
                  {"bn.running_var", {{2}, {1, 4}}},
                  {"sum.weight", {{1, 8}, std::vector<float>(8, 1)}}};
  network const net{E{}, g, w};
  static_assert(LayeredModel<network<E>>);
  CHECK(net.layers() == std::vector<std::string>{"bn", "relu", "sum"});
  CHECK(net.shape_of("relu") == image_shape{2, 2, 2});
  auto work = net.prepare(2, {"relu", "bn"});
  auto const x = random_uniform<float, 4>({2, 1, 2, 2}, 1);
  auto y = filled<float, 2>({2, 1});
  net.forward(as_view(x), as_view(y), work);
  auto bn = filled<float, 4>({2, 2, 2, 2}), relu = bn;
  net.activation("bn", as_view(bn), work);
  net.activation("relu", as_view(relu), work);
  for (std::size_t i = 0; i < 2; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      double const v = as_view(x).row(i)[j];
      double const expected[] = {(v - .5) / std::sqrt(1 + 1e-5), (-v + .5) / std::sqrt(4 + 1e-5)};
      for (std::size_t c : {0u, 1u}) {
        CHECK(bn.data()[(i * 2 + c) * 4 + j] == doctest::Approx(expected[c]));
        CHECK(relu.data()[(i * 2 + c) * 4 + j] == doctest::Approx(std::max(expected[c], 0.)));
        sum += std::max(expected[c], 0.);
      }
    }
    CHECK(y(i, 0) == doctest::Approx(sum));
  }

  auto const refuses = [](auto const& call, char const* why) { CHECK_THROWS_WITH_AS(call(), doctest::Contains(why), error); };
  refuses([&] { static_cast<void>(net.prepare(1, {"conv"})); }, "network 'small': layer 'conv' was folded into 'bn'; ask for that one");
  refuses([&] { static_cast<void>(net.shape_of("no")); }, "network 'small' has no layer 'no'; layers() names those it has");
  refuses([&] { net.activation("sum", as_view(bn), work); }, "layer 'sum' gives (1, 1, 1); there is room for (2, 2, 2)");
  auto one = filled<float, 4>({2, 1, 1, 1});
  refuses([&] { net.activation("sum", as_view(one), work); }, "layer 'sum' is not watched; name it when the plan is made");
  refuses([&] { net.activation("bn", as_view(bn).rows(0, 1), work); }, "activations of 1 images after a forward of 2");
}

TEST_CASE_TEMPLATE("data: the activations of image 0 are the reference's", E, cpu_engine, reference_engine<float>) {
  auto const check = [](graph const& g, char const* weights_file, char const* folder, std::vector<std::string> const& layers) {
    network const net{E{}, g, read_caffemodel(data_path(weights_file))};
    auto const set = subset100(g.input[1]);
    auto work = net.prepare(1, layers);
    auto y = filled<float, 2>({1, 1000});
    net.forward(as_view(set.images).rows(0, 1), as_view(y), work);
    for (std::string const& layer : layers) {
      CAPTURE(layer);
      std::string file = layer;
      std::replace(file.begin(), file.end(), '/', '.');
      npy_array const expected = read_npy(data_path("reference/" + std::string(folder) + "/" + file + ".npy"));
      image_shape const s = net.shape_of(layer);
      auto got = filled<float, 4>({1, s[0], s[1], s[2]});
      net.activation(layer, as_view(got), work);
      REQUIRE(expected.values.size() == got.size());
      CHECK(relative_error(got, expected.values) < 1e-3);
    }
  };
  check(zoo::googlenet(), "models/googlenet/bvlc_googlenet.caffemodel", "googlenet_image0",
        {"pool1/3x3_s2", "pool1/norm1", "pool2/3x3_s2", "inception_3a/output", "inception_4a/output", "inception_5b/output", "pool5/7x7_s1",
         "loss3/classifier"});
  check(zoo::squeezenet_1_1(), "models/squeezenet_v1.1/squeezenet_v1.1.caffemodel", "squeezenet_v1.1_image0",
        {"pool1", "fire2/concat", "fire5/concat", "fire9/concat", "conv10", "pool10"});
}

TEST_CASE_TEMPLATE("data: the LeNet of Nguyen et al. labels 9918 of the 10,000 test images, with the reference's logits", E, cpu_engine,
                   reference_engine<float>) {
  network const net{E{}, zoo::lenet5(), read_caffemodel(data_path("models/lenet/lenet_iter_10000"))};
  auto const digits = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  CHECK(std::lround(accuracy(net, digits) * 10'000) == 9918);

  // Outputs by another implementation; sums in another order differ by about 1e-6 of logits near 20.
  auto const expected = read_npy_tensor<2>(data_path("reference/mnist_lenet_fooling_ip2_t10k_f32.npy"));
  auto work = net.prepare(1000);
  auto y = filled<float, 2>({digits.size(), 10});
  for (std::size_t first = 0; first < digits.size(); first += 1000)
    net.forward(as_view(digits.images).rows(first, 1000), as_view(y).rows(first, 1000), work);
  float worst = 0;
  for (std::size_t i = 0; i < y.size(); ++i) worst = std::max(worst, std::abs(y.data()[i] - expected.data()[i]));
  CHECK(worst < 1e-3f);
}
