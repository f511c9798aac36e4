// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/extended.hpp>

#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/models/training.hpp>
#include <pareidolia/models/zoo.hpp>

#include <doctest/doctest.h>

#include <support/data.hpp>
#include <support/graphs.hpp>
#include <support/samples.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

using namespace layer;

tensor<float, 2> scores(graph const& g, weights const& w, tensor<float, 4> const& x) {
  network const net{reference_engine<float>{}, g, w};
  auto workspace = net.prepare(x.shape()[0]);
  auto y = filled<float, 2>({x.shape()[0], net.classes()});
  net.forward(as_view(x), as_view(y), workspace);
  return y;
}

std::size_t classes(graph const& g) {
  auto const shape = plan(g).out.back();
  return shape[0] * shape[1] * shape[2];
}

}  // namespace

TEST_CASE("the scores of the old classes stay, whatever stands behind the layer that makes them") {
  std::vector<graph> const networks{{"connected",
                                     {1, 4, 4},
                                     {},
                                     {{"conv", convolution{.outputs = 4, .kernel = {3, 3}}}, {"ip", inner_product{.outputs = 3}}},
                                     {"a", "b", "c"}},
                                    {"pooled",
                                     {2, 5, 5},
                                     {},
                                     {{"squeeze", convolution{.outputs = 6}},
                                      {"score", convolution{.outputs = 3, .bias = false}},
                                      {"relu", activation{}},
                                      {"pool", pooling{.kind = pool::average, .global = true}},
                                      {"flat", flatten{}},
                                      {"drop", dropout{}},
                                      {"prob", softmax{}}}}};
  for (graph const& g : networks) {
    CAPTURE(g.name);
    auto const w = random_weights(g, 1);
    auto const [structure, parameters] = extended(g, w, rng{2});
    auto const x = random_uniform<float, 4>({5, g.input[0], g.input[1], g.input[2]}, 3);
    auto const before = scores(g, w, x), after = scores(structure, parameters, x);
    REQUIRE(after.shape()[1] == 4);
    for (std::size_t i = 0; i < 5; ++i) {
      for (std::size_t k = 0; k < 3; ++k) CHECK(after(i, k) == before(i, k));
      CHECK(std::isfinite(after(i, 3)));
    }
    CHECK(scores(structure, extended(g, w, rng{2}).parameters, x) == after);
    CHECK(scores(structure, extended(g, w, rng{4}).parameters, x) != after);
  }
  CHECK(extended(networks[0], random_weights(networks[0], 1), rng{2}).structure.labels ==
        std::vector<std::string>{"a", "b", "c", "fooling"});
  CHECK(extended(networks[1], random_weights(networks[1], 1), rng{2}).structure.labels.empty());
}

TEST_CASE("the weights of the new class are uniform within what xavier() takes, and its bias is 0") {
  graph const g{"wide", {1, 20, 20}, {}, {{"ip", inner_product{.outputs = 2}}}};
  auto const w = extended(g, random_weights(g, 1), rng{2}).parameters;
  CHECK(w.parameters.at("ip.weight").shape == std::vector<std::size_t>{3, 400});
  CHECK(w.parameters.at("ip.bias").values.at(2) == 0);
  auto const& values = w.parameters.at("ip.weight").values;
  float const bound = std::sqrt(3.f / 400);
  auto const [low, high] = std::minmax_element(values.begin() + 800, values.end());
  CHECK(*low >= -bound);
  CHECK(*high <= bound);
  CHECK(*low < -.95f * bound);
  CHECK(*high > .95f * bound);
}

TEST_CASE("every network of the zoo takes a class more") {
  for (zoo::entry const& e : zoo::networks) {
    CAPTURE(e.name);
    graph const g = e.make();
    planned_graph const p = plan(g);
    std::size_t const k = detail::scoring_node(p);
    weights w;  // of the one layer that matters
    for (auto const& slot : p.slots)
      if (slot.name.starts_with(g.nodes[k].name + ".")) w.parameters[slot.name] = {slot.shape, std::vector<float>(slot.size)};
    CHECK(classes(extended(g, w, rng{1}).structure) == classes(g) + 1);
  }
}

TEST_CASE("a class cannot be added where no one layer makes the scores, or its weights are not there") {
  auto const refused = [](graph const& g, char const* message) {
    CHECK_THROWS_WITH_AS((void)extended(g, random_weights(g, 1), rng{1}), doctest::Contains(message), error);
  };
  refused({"joined", {2, 1, 1}, {}, {{"a", convolution{.outputs = 2}}, {"b", convolution{.outputs = 2}}, {"sum", sum{}, {"a", "b"}}}},
          "graph 'joined': layer 'sum' stands between the scores and the layer that makes them");
  refused({"grouped", {2, 1, 1}, {}, {{"a", convolution{.outputs = 2, .groups = 2}}}}, "layer 'a' stands between");
  refused({"spread", {2, 2, 1}, {}, {{"a", convolution{.outputs = 2}}, {"flat", flatten{}}}}, "layer 'flat' stands between");
  graph const g{"g", {1, 1, 2}, {}, {{"ip", inner_product{.outputs = 2}}}};
  CHECK_THROWS_WITH_AS((void)extended(g, {}, rng{1}), doctest::Contains("no array 'ip.weight' for graph 'g'"), error);
}

TEST_CASE("data: SqueezeNet and GoogLeNet with 1001 classes say of photographs what they said with 1000") {
  for (auto const& [g, file] : {std::pair{zoo::squeezenet_1_1(), "models/squeezenet_v1.1/squeezenet_v1.1.caffemodel"},
                                {zoo::googlenet(), "models/googlenet/bvlc_googlenet.caffemodel"}}) {
    CAPTURE(g.name);
    auto const w = read_weights(data_path(file));
    auto const [structure, parameters] = extended(g, w, rng{1});
    network const before{cpu_engine{}, g, w}, after{cpu_engine{}, structure, parameters};
    CHECK(after.classes() == 1001);
    auto const photographs = first_images(subset100(g.input[1]), 8).images;
    CHECK(classified(after, photographs) == classified(before, photographs));
  }
}

TEST_CASE("data: a trained LeNet that is given an eleventh class still knows its digits, and learns the new one") {
  auto const file = data_path("models/lenet/lenet_iter_10000");
  auto const [structure, parameters] = extended(zoo::lenet5(), read_weights(file), rng{1});
  network net{cpu_engine{}, structure, parameters};
  CHECK(structure.labels.size() == 11);
  auto const test = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  auto digits = first_images(test, 2000);
  CHECK(accuracy(net, digits) > .97);
  for (std::size_t i = 0; i < 1000; ++i) {  // noise is the new class
    auto r = rng(2).stream(i);
    for (float& v : as_view(digits.images).row(i)) v = r.uniform();
    digits.labels[i] = 10;
  }
  train(net, digits, digits, sgd<>{.epochs = 2}, rng{3});
  CHECK(accuracy(net, digits) > .97);
}
