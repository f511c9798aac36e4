// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/models/network.hpp>

#include "engines/conformance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

static_assert(Engine<reference_engine<float>> && Engine<reference_engine<double>>);

namespace {

/// dy . y(x, theta) in double: a scalar whose derivatives the engine claims to know.
struct scalar_function {
  graph const& g;
  std::size_t count;
  tensor<double, 2> dy;

  double operator()(tensor<double, 4> const& x, std::vector<double> const& theta) const {
    reference_engine<double> const engine;
    weights zero;
    for (auto const& slot : plan(g).slots) zero.parameters[slot.name] = {slot.shape, std::vector<float>(slot.size)};
    auto parameters = engine.load(g, zero);
    parameters.write(theta);
    auto plan_for = engine.compile(parameters, count);
    auto y = filled<double, 2>({count, dy.shape()[1]});
    plan_for.forward(as_view(x), as_view(y));
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y.data()[i] * dy.data()[i];
    return sum;
  }
};

}  // namespace

TEST_CASE("the reference engine's gradients are the limits of difference quotients") {
  // Central differences with step h err by h^2 f'''/6 + 1e-16 f/h: about 1e-9 for h = 1e-5. Where a window's two largest values or a ReLU's
  // zero lie within h, the quotient means nothing; random data has none here.
  constexpr double h = 1e-5, tolerance = 1e-6;
  constexpr std::size_t count = 2;
  for (graph const& g : conformance_graphs()) {
    CAPTURE(g.name);
    weights const w = random_weights(g, 3);
    auto const got = all_passes(reference_engine<double>{}, g, w, count, 5);
    auto x = random_uniform<double, 4>({count, g.input[0], g.input[1], g.input[2]}, 5);
    auto const parameters = reference_engine<double>{}.load(g, w);
    std::vector<double> theta(parameters.size());
    parameters.read(theta);
    scalar_function const f{g, count, random_normal<double, 2>({count, got.y.shape()[1]}, 6)};
    auto pick = rng(9).stream(0);
    auto const quotient = [&](double& v) {
      double const kept = v;
      v = kept + h;
      double const above = f(x, theta);
      v = kept - h;
      double const below = f(x, theta);
      v = kept;
      return (above - below) / (2 * h);
    };
    double largest_x = 0, largest_theta = 0;
    for (double v : got.dx) largest_x = std::max(largest_x, std::abs(v));
    for (double v : got.dtheta) largest_theta = std::max(largest_theta, std::abs(v));
    for (int k = 0; k < 12; ++k) {
      std::size_t const i = pick.below(static_cast<std::uint32_t>(x.size()));
      CHECK(std::abs(quotient(x.data()[i]) - got.dx.data()[i]) <= tolerance * (1 + largest_x));
      if (theta.empty()) continue;
      std::size_t const j = pick.below(static_cast<std::uint32_t>(theta.size()));
      CHECK(std::abs(quotient(theta[j]) - got.dtheta[j]) <= tolerance * (1 + largest_theta));
    }
  }
}

TEST_CASE("the reference engine in float agrees with itself in double") { check_conformance(reference_engine<float>{}, 1e-5); }

TEST_CASE("the reference engine shows the activations of its layers") { check_activations(reference_engine<float>{}, 1e-5); }

TEST_CASE("convolution, pooling and softmax give values worked out by hand") {
  using namespace layer;
  auto const scores = [](graph const& g, weights const& w, std::vector<double> const& pixels) {
    reference_engine<double> const engine;
    auto plan_for = engine.compile(engine.load(g, w), 1);
    image_shape const out = plan(g).out.back();
    std::vector<double> y(out[0] * out[1] * out[2]);
    plan_for.forward({pixels.data(), {1, g.input[0], g.input[1], g.input[2]}}, {y.data(), {1, y.size()}});
    return y;
  };
  std::vector<double> const nine{1, 2, 3, 4, 5, 6, 7, 8, 9};

  weights w;
  w.parameters["conv.weight"] = {{1, 1, 2, 2}, {1, 0, 0, -1}};
  w.parameters["conv.bias"] = {{1}, {10}};
  graph const conv{"conv", {1, 3, 3}, {}, {{"conv", convolution{.outputs = 1, .kernel = {2, 2}}}}};
  CHECK(scores(conv, w, nine) == std::vector<double>{6, 6, 6, 6});  // x(i, j) - x(i + 1, j + 1) + 10: not flipped

  auto const pool = [&](pooling p) { return scores({"pool", {1, 3, 3}, {}, {{"pool", p}}}, {}, nine); };
  CHECK(pool({.kernel = {2, 2}, .stride = {2, 2}}) == std::vector<double>{5, 6, 8, 9});
  CHECK(pool({.kernel = {2, 2}, .stride = {2, 2}, .edge = rounding::floor}) == std::vector<double>{5});
  // Caffe's mean of a window that hangs over divides by what is inside the padded image.
  CHECK(pool({.kind = pool::average, .kernel = {2, 2}, .stride = {2, 2}}) == std::vector<double>{3, 4.5, 7.5, 9});
  CHECK(pool({.kind = pool::average, .kernel = {2, 2}, .stride = {2, 2}, .padding = {1, 1}}) == std::vector<double>{.25, 1.25, 2.75, 7});
  CHECK(pool({.kind = pool::average, .kernel = {2, 2}, .stride = {2, 2}, .padding = {1, 1}, .count_padding = false}) ==
        std::vector<double>{1, 2.5, 5.5, 7});

  auto const p = scores({"softmax", {2, 1, 1}, {}, {{"softmax", softmax{}}}}, {}, {0, std::log(3)});
  CHECK(p[0] == doctest::Approx(.25));
  CHECK(p[1] == doctest::Approx(.75));
}

TEST_CASE("a network computes in double behind float views and leaves a final softmax out") {
  graph g = zoo::lenet5();
  weights const w = random_weights(g, 1);
  network const plain{reference_engine<float>{}, g, w};
  g.nodes.push_back({"prob", layer::softmax{}});
  network const with_softmax{reference_engine<double>{}, g, w};
  CHECK(with_softmax.structure().source.nodes.size() == 7);

  auto const x = random_uniform<float, 4>({3, 1, 28, 28}, 2);
  auto a = filled<float, 2>({3, 10}), b = a;
  auto wa = plain.prepare(3);
  auto wb = with_softmax.prepare(3);
  plain.forward(as_view(x), as_view(a), wa);
  with_softmax.forward(as_view(x), as_view(b), wb);
  CHECK(relative_error(a, b) < 1e-5);

  auto const dy = random_normal<float, 2>({3, 10}, 3);
  auto da = filled<float, 4>({3, 1, 28, 28}), db = da;
  plain.backward(as_view(dy), as_view(da), wa);
  with_softmax.backward(as_view(dy), as_view(db), wb);
  CHECK(relative_error(da, db) < 1e-5);
}
