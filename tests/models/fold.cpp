// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/fold.hpp>

#include <pareidolia/engines/reference.hpp>
#include <pareidolia/models/network.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

using layer::batch_normalization, layer::convolution, layer::inner_product, layer::operation, layer::scale;

graph of(std::vector<node> nodes) { return {.name = "g", .input = {3, 7, 6}, .prepare = {}, .nodes = std::move(nodes)}; }

convolution const conv{.outputs = 4, .kernel = {3, 3}, .padding = {1, 1}, .bias = false};
convolution const biased{.outputs = 4, .kernel = {3, 3}, .padding = {1, 1}};

/// By the reference engine, which runs batch normalisations as they are defined.
tensor<double, 2> scores(graph const& g, weights const& w) {
  auto const parameters = reference_engine<double>{}.load(g, w);
  auto work = reference_engine<double>{}.compile(parameters, 2);
  auto const x = random_uniform<double, 4>({2, g.input[0], g.input[1], g.input[2]}, 5);
  image_shape const out = plan(g).out.back();
  auto y = filled<double, 2>({2, out[0] * out[1] * out[2]});
  work.forward(as_view(x), as_view(y));
  return y;
}

std::vector<std::string> names(graph const& g) {
  std::vector<std::string> all;
  for (node const& n : g.nodes) all.push_back(n.name);
  return all;
}

/// Graphs in which chains begin, end and branch in every way.
std::vector<graph> foldable_graphs() {
  using namespace layer;
  return {
      of({{"conv", conv}, {"bn", batch_normalization{}}, {"relu", activation{}}, {"ip", inner_product{.outputs = 5}}}),
      of({{"conv", biased}, {"bn", batch_normalization{.epsilon = 1e-3f, .affine = false}}, {"scale", scale{}}, {"relu", activation{}}}),
      of({{"conv", conv}, {"bn", batch_normalization{.affine = false}}, {"relu", activation{}}}),
      of({{"conv", conv}, {"scale", scale{.bias = false}}, {"tanh", activation{function::tanh}}}),
      of({{"conv", convolution{.outputs = 6, .kernel = {3, 3}, .groups = 3}}, {"bn", batch_normalization{}}}),
      of({{"ip", inner_product{.outputs = 5, .bias = false}}, {"bn", batch_normalization{}}, {"relu", activation{}}}),
      of({{"bn", batch_normalization{}}, {"conv", conv}}),
      of({{"bn", batch_normalization{.affine = false}}, {"conv", conv}}),
      of({{"bn", batch_normalization{.affine = false}}, {"scale", scale{.bias = false}}, {"conv", conv}}),
      of({{"conv", conv},
          {"bn", batch_normalization{}},
          {"relu", activation{}},
          {"pool", pooling{.kernel = {2, 2}}},
          {"bn two", batch_normalization{}},
          {"scale", scale{}},
          {"ip", inner_product{.outputs = 3}}}),
      // Two read the convolution: it stays, and the normalisation becomes a scale.
      of({{"conv", conv}, {"bn", batch_normalization{}}, {"sum", sum{}, {"conv", "bn"}}}),
      of({{"conv", conv}, {"bn", batch_normalization{}}, {"sum", sum{}, {"bn", "bn"}}, {"bn two", batch_normalization{}}}),
      // A residual block; what the shortcut reads stands before the chain, what joins it behind.
      of({{"stem", conv},
          {"stem bn", batch_normalization{}},
          {"stem relu", activation{}},
          {"one", conv},
          {"one bn", batch_normalization{}},
          {"relu", activation{}},
          {"two", conv},
          {"two bn", batch_normalization{}},
          {"down", convolution{.outputs = 4, .bias = false}, {"stem relu"}},
          {"down bn", batch_normalization{}},
          {"sum", sum{}, {"two bn", "down bn"}},
          {"end", activation{}}}),
      // The layers of two chains in turns, and one that ends the graph from afar.
      of({{"stem", conv},
          {"one", conv, {"stem"}},
          {"two", biased, {"stem"}},
          {"one bn", batch_normalization{}, {"one"}},
          {"two bn", batch_normalization{}, {"two"}},
          {"one scale", scale{}, {"one bn"}},
          {"relu", activation{}},
          {"aside", convolution{.outputs = 2}, {"stem"}},
          {"concat", concat{}, {"relu", "two bn", "aside"}},
          {"last", conv},
          {"nobody", activation{}, {"stem"}},
          {"last bn", batch_normalization{}, {"last"}}}),
  };
}

}  // namespace

TEST_CASE("a convolution and what normalises it become one convolution with the last name") {
  graph const g = of({{"conv", conv}, {"bn", batch_normalization{.affine = false}}, {"scale", scale{}}, {"relu", layer::activation{}}});
  auto const f = plan_folding(g);
  CHECK(f.changes());
  CHECK(names(f.network) == std::vector<std::string>{"scale", "relu"});
  CHECK(f.network.nodes[0].what == operation{biased});
  CHECK(f.network.nodes[0].inputs.empty());
  CHECK(f.into == std::map<std::string, std::string>{{"conv", "scale"}, {"bn", "scale"}});

  // By hand: s = w / sqrt(v + epsilon), W' = s W, b' = beta - s m.
  weights w = random_weights(g, 1);
  auto const folded = fold(f, w);
  CHECK(folded.parameters.size() == 2);
  auto const value = [&](char const* array, std::size_t i) { return double{w.parameters.at(array).values[i]}; };
  for (std::size_t o = 0; o < 4; ++o) {
    double const inverse = 1 / std::sqrt(value("bn.running_var", o) + 1e-5f), s = value("scale.weight", o) * inverse;
    for (std::size_t j = 0; j < 27; ++j)
      CHECK(folded.parameters.at("scale.weight").values[o * 27 + j] == doctest::Approx(s * value("conv.weight", o * 27 + j)).epsilon(1e-6));
    CHECK(folded.parameters.at("scale.bias").values[o] ==
          doctest::Approx(value("scale.bias", o) - s * value("bn.running_mean", o)).epsilon(1e-6));
  }
}

TEST_CASE("folding changes no score") {
  for (graph const& g : foldable_graphs()) {
    CAPTURE(names(g).front());
    CAPTURE(g.nodes.size());
    weights const w = random_weights(g, 2);
    auto const f = plan_folding(g);
    CHECK(f.changes());
    for (node const& n : f.network.nodes) CHECK_FALSE(std::holds_alternative<batch_normalization>(n.what));
    CHECK(f.network.nodes.back().name == g.nodes.back().name);
    CHECK(relative_error(scores(f.network, fold(f, w)), scores(g, w)) < 1e-6);
  }
}

TEST_CASE("what is unfolded folds to the same bits, under the names of the original graph") {
  for (graph const& g : foldable_graphs()) {
    CAPTURE(names(g).front());
    CAPTURE(g.nodes.size());
    auto const f = plan_folding(g);
    weights const folded = fold(f, random_weights(g, 3));
    weights const unfolded = unfold(f, folded), again = fold(f, unfolded);
    for (parameter_slot const& slot : f.original.slots) {
      REQUIRE(unfolded.parameters.contains(slot.name));
      CHECK(unfolded.parameters.at(slot.name).shape == slot.shape);
    }
    CHECK(unfolded.parameters.size() == f.original.slots.size());
    REQUIRE(again.parameters.size() == folded.parameters.size());
    for (auto const& entry : folded.parameters) {
      CAPTURE(entry.first);
      CHECK(again.parameters.at(entry.first).shape == entry.second.shape);
      CHECK(relative_error(again.parameters.at(entry.first).values, entry.second.values) < 1e-7);
    }
  }
}

TEST_CASE("one normalisation behind a convolution comes back to the bit, whatever its epsilon") {
  for (float const epsilon : {1e-12f, 1e-5f, 1e-3f, .1f, .9f}) {
    graph const g = of({{"conv", biased}, {"bn", batch_normalization{.epsilon = epsilon}}});
    auto const f = plan_folding(g);
    weights const folded = fold(f, random_weights(g, 4));
    for (auto const& [name, array] : fold(f, unfold(f, folded)).parameters) CHECK(array.values == folded.parameters.at(name).values);
  }
}

TEST_CASE("where there is nothing to fold the graph stays as it is") {
  for (graph const& g : {zoo::lenet5(), of({{"scale", scale{}}, {"relu", layer::activation{}}}),
                         of({{"conv", conv}, {"relu", layer::activation{}}, {"scale", scale{}, {"relu"}}})}) {
    auto const f = plan_folding(g);
    CHECK_FALSE(f.changes());
    CHECK(f.into.empty());
    REQUIRE(f.network.nodes.size() == g.nodes.size());
    for (std::size_t k = 0; k < g.nodes.size(); ++k) {
      CHECK(f.network.nodes[k].what == g.nodes[k].what);
      CHECK(f.network.nodes[k].inputs == g.nodes[k].inputs);
    }
    weights const w = random_weights(g, 1), folded = fold(f, w), unfolded = unfold(f, w);
    for (auto const& [name, array] : w.parameters) {
      CHECK(folded.parameters.at(name).values == array.values);
      CHECK(unfolded.parameters.at(name).values == array.values);
    }
  }
}

TEST_CASE("a network takes and gives the arrays of its own graph, normalised or not") {
  graph const g = foldable_graphs().back();
  weights const w = random_weights(g, 5);
  network net{reference_engine<float>{}, g, w};
  CHECK(net.structure().source.nodes.back().name == "last bn");
  CHECK(net.parameters() < plan(g).parameters);
  std::vector<float> theta(net.parameters()), again(net.parameters());
  net.read(theta);
  for (float& v : theta) v *= 1.1f;  // as after training
  net.write(theta);
  weights const out = net.to_weights();
  CHECK(out.metadata.at("graph") == "g");
  network const reloaded{reference_engine<float>{}, g, out};
  reloaded.read(again);
  CHECK(relative_error(again, theta) < 1e-7);
  CHECK(net.fingerprint() != network(reference_engine<float>{}, g, w).fingerprint());
}

TEST_CASE("arrays that cannot be folded are named") {
  graph const g = of({{"conv", conv}, {"bn", batch_normalization{}}});
  auto const f = plan_folding(g);
  weights w = random_weights(g, 1);
  w.source = "some.file";
  weights negative = w, infinite = w, missing = w, misshapen = w;
  negative.parameters["bn.running_var"].values[2] = -.5f;
  infinite.parameters["bn.running_var"].values[1] = std::nanf("");
  missing.parameters.erase("bn.running_mean");
  misshapen.parameters["conv.weight"] = {{4, 3, 3}, std::vector<float>(36)};
  auto const refuses = [&](weights const& bad, char const* why) {
    CHECK_THROWS_WITH_AS(static_cast<void>(fold(f, bad)), doctest::Contains(why), error);
  };
  refuses(negative, "some.file: array 'bn.running_var' holds -0.5 at index 2; a variance is at least 0");
  refuses(infinite, "some.file: array 'bn.running_var' holds nan at index 1");
  refuses(missing, "some.file: no array 'bn.running_mean' for graph 'g'");
  refuses(misshapen, "array 'conv.weight' has shape (4, 3, 3)");

  weights folded = fold(f, w);
  folded.parameters.erase("bn.weight");
  CHECK_THROWS_WITH_AS(static_cast<void>(unfold(f, folded)), doctest::Contains("no array 'bn.weight'"), error);

  graph const plain = of({{"bn", batch_normalization{.affine = false}}});
  auto const p = plan_folding(plain);
  weights turned = fold(p, random_weights(plain, 1));
  turned.parameters["bn.weight"].values[1] = -2;
  CHECK_THROWS_WITH_AS(static_cast<void>(unfold(p, turned)), doctest::Contains("layer 'bn' has no weight and bias"), error);
}
