// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/models/fold.hpp>
#include <pareidolia/models/zoo.hpp>

#include "engines/conformance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

// The networks of the ImageNet papers with seeded random weights: what is compared is the arithmetic, not the training.

namespace {

/// A network of the zoo as engines see it.
struct subject {
  graph structure;
  weights parameters;

  explicit subject(std::string const& name) : structure(zoo::named(name)) {
    parameters = random_weights(structure, 1);
    folding const f = plan_folding(structure);
    if (f.changes()) parameters = fold(f, parameters), structure = f.network;
  }
};

/// Derivatives of dy . y along a few pixels and parameters, as the reference computes them in double, against difference quotients.
///
/// A step of 1e-6 moves few of the millions of units across the kink of a ReLU or a change of a maximum; each that it does move bends the
/// quotient by its small share of the whole. Units on the way down from a parameter are as many as from a pixel.
void check_quotients(subject const& s, passes<double> const& got) {
  constexpr double h = 1e-6;
  graph const& g = s.structure;
  reference_engine<double> const engine;
  auto parameters = engine.load(g, s.parameters);
  auto work = engine.compile(parameters, 1);
  auto x = random_uniform<double, 4>({1, g.input[0], g.input[1], g.input[2]}, 11);
  auto const dy = random_normal<double, 2>({1, got.y.shape()[1]}, 12);
  std::vector<double> theta(parameters.size());
  parameters.read(theta);
  auto const value = [&] {
    auto y = filled<double, 2>(dy.shape());
    work.forward(as_view(std::as_const(x)), as_view(y));
    double sum = 0;
    for (std::size_t k = 0; k < y.size(); ++k) sum += y.data()[k] * dy.data()[k];
    return sum;
  };
  auto const quotient = [&](double& v, auto const& update) {
    double const kept = v;
    v = kept + h;
    update();
    double const above = value();
    v = kept - h;
    update();
    double const below = value();
    v = kept;
    update();
    return (above - below) / (2 * h);
  };
  // Where the derivative is largest, so that the quotient has digits to compare.
  auto const largest = [](auto const& values) {
    auto const found = std::max_element(values.begin(), values.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
    return static_cast<std::size_t>(found - values.begin());
  };
  std::size_t const pixel = largest(got.dx);
  CHECK(quotient(x.data()[pixel], [] {}) == doctest::Approx(got.dx.data()[pixel]).epsilon(1e-3));
  parameter_slot const first = plan(g).slots.front();  // the longest way down
  std::span<double const> const weight_gradients(got.dtheta.data() + first.offset, first.size);
  std::size_t const weight = first.offset + largest(weight_gradients);
  CHECK(quotient(theta[weight], [&] { parameters.write(theta); }) == doctest::Approx(got.dtheta[weight]).epsilon(1e-3));
}

}  // namespace

// Scores agree to rounding. A gradient does so except where a ReLU or a maximum is at a near-tie and falls the other way: then one path of
// the many differs, which in these networks is at most 2 % of the whole gradient in the L2 norm.
TEST_CASE("both engines agree on the networks of the papers, forward and both backwards, and the reference with difference quotients") {
  for (std::string const name :
       {"alexnet", "caffenet", "nin", "googlenet", "squeezenet_1_1", "vgg_f", "vgg_s", "vgg16", "vgg19", "resnet18", "resnet50"}) {
    CAPTURE(name);
    subject const s(name);
    auto const expected = all_passes(reference_engine<double>{}, s.structure, s.parameters, 1, 11);
    auto const got = all_passes(cpu_engine{}, s.structure, s.parameters, 1, 11);
    double const y = relative_error(got.y, expected.y), dx = relative_error(got.dx, expected.dx),
                 dtheta = relative_error(got.dtheta, expected.dtheta);
    MESSAGE(name << ": relative errors of scores " << y << ", image gradient " << dx << ", parameter gradient " << dtheta);
    CHECK(y < 1e-4);
    CHECK(dx < 2e-2);
    CHECK(dtheta < 2e-2);
    check_quotients(s, expected);
  }
}
