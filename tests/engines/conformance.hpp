// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/engines/reference.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

namespace pareidolia_test {

/// Scores and both gradients of one batch.
template <class T>
struct passes {
  tensor<T, 2> y;
  tensor<T, 4> dx;
  std::vector<T> dtheta;
};

template <class E>
passes<typename E::scalar> all_passes(E const& engine, graph const& g, weights const& w, std::size_t count, std::uint64_t seed) {
  using T = typename E::scalar;
  auto const parameters = engine.load(g, w);
  auto plan_for = engine.compile(parameters, count);
  image_shape const in = g.input, out = plan(g).out.back();
  auto const x = random_uniform<T, 4>({count, in[0], in[1], in[2]}, seed);
  std::size_t const classes = out[0] * out[1] * out[2];
  auto const dy = random_normal<T, 2>({count, classes}, seed + 1);
  passes<T> result{filled<T, 2>({count, classes}), filled<T, 4>({count, in[0], in[1], in[2]}), std::vector<T>(parameters.size())};
  plan_for.forward(as_view(x), as_view(result.y));
  plan_for.backward(as_view(dy), as_view(result.dx));
  plan_for.backward_weights(as_view(dy), result.dtheta);
  return result;
}

/// Every layer, forward and both backwards, against the reference in double.
///
/// `tolerance` bounds the relative L2 error of each array. Random images keep clear of ties, where a gradient is a matter of taste.
template <class E>
void check_conformance(E const& engine, double tolerance) {
  for (graph const& g : conformance_graphs()) {
    CAPTURE(g.name);
    weights const w = random_weights(g, 7);
    for (std::size_t count : {1u, 2u, 5u}) {
      CAPTURE(count);
      auto const got = all_passes(engine, g, w, count, 11);
      auto const expected = all_passes(reference_engine<double>{}, g, w, count, 11);
      CHECK(relative_error(got.y, expected.y) < tolerance);
      CHECK(relative_error(got.dx, expected.dx) < tolerance);
      CHECK(relative_error(got.dtheta, expected.dtheta) < tolerance);
    }
  }
}

}  // namespace pareidolia_test
