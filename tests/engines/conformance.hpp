// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/engines/reference.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
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

/// Has the graph a ReLU, a limit or a maximum, where a derivative jumps?
[[nodiscard]] inline bool has_kinks(graph const& g) {
  return std::any_of(g.nodes.begin(), g.nodes.end(), [](node const& n) {
    auto const* const pool = std::get_if<layer::pooling>(&n.what);
    auto const* const activation = std::get_if<layer::activation>(&n.what);
    return std::holds_alternative<layer::clip>(n.what) || (pool != nullptr && pool->kind == layer::pool::maximum) ||
           (activation != nullptr && activation->kind == layer::function::relu);
  });
}

/// The same for an engine that rounds values between layers, each by up to `unit` of itself.
///
/// Scores and smooth gradients are off by a few units. At a kink, rounding sends about that share of the units the other way, which in the
/// L2 norm is its square root; where there are few units, one is much. So the best of some batches counts for gradients with kinks.
template <class E>
void check_rounded_conformance(E const& engine, double unit) {
  for (graph const& g : conformance_graphs()) {
    CAPTURE(g.name);
    weights const w = random_weights(g, 7);
    bool const kinks = has_kinks(g);
    double dx = 0, dtheta = 0, best_dx = 1, best_dtheta = 1;
    std::uint64_t seed = 11;
    for (std::size_t count : {1u, 2u, 5u}) {
      CAPTURE(count);
      auto const got = all_passes(engine, g, w, count, seed);
      auto const expected = all_passes(reference_engine<double>{}, g, w, count, seed++);
      CHECK(relative_error(got.y, expected.y) < 3 * unit);
      dx = relative_error(got.dx, expected.dx);
      dtheta = relative_error(got.dtheta, expected.dtheta);
      best_dx = std::min(best_dx, dx);
      best_dtheta = std::min(best_dtheta, dtheta);
      if (kinks) continue;
      CHECK(dx < 3 * unit);
      CHECK(dtheta < 3 * unit);
    }
    if (!kinks) continue;
    CHECK(best_dx < 4 * std::sqrt(unit));
    CHECK(best_dtheta < 4 * std::sqrt(unit));
  }
}

/// Activations of the last forward, also behind a backward, against the reference in double: every node watched at once, or every second
/// one, since a layer that is not watched may be fused with its ReLU or left out.
template <class E>
void check_activations(E const& engine, double tolerance) {
  for (graph const& g : conformance_graphs()) {
    CAPTURE(g.name);
    planned_graph const planned = plan(g);
    weights const w = random_weights(g, 7);
    constexpr std::size_t count = 5;
    auto const run = [&]<class Any>(Any const& any, std::vector<std::size_t> const& watched) {
      using T = typename Any::scalar;
      auto const parameters = any.load(g, w);
      auto work = any.compile(parameters, count, watched);
      auto const x = random_uniform<T, 4>({count, g.input[0], g.input[1], g.input[2]}, 11);
      image_shape const out = planned.out.back();
      auto y = filled<T, 2>({count, out[0] * out[1] * out[2]});
      auto dx = filled<T, 4>({count, g.input[0], g.input[1], g.input[2]});
      work.forward(as_view(x), as_view(y));
      work.backward(as_view(std::as_const(y)), as_view(dx));
      std::vector<tensor<T, 4>> activations;
      for (std::size_t i = 0; i < watched.size(); ++i) {
        image_shape const& s = planned.out[watched[i]];
        activations.push_back(filled<T, 4>({count, s[0], s[1], s[2]}));
        work.activation(watched[i], as_view(activations[i]));
      }
      return activations;
    };
    for (std::size_t step : {1u, 2u})
      for (std::size_t first = 0; first < step; ++first) {
        std::vector<std::size_t> watched;
        for (std::size_t k = first; k < g.nodes.size(); k += step) watched.push_back(k);
        auto const got = run(engine, watched);
        auto const expected = run(reference_engine<double>{}, watched);
        for (std::size_t i = 0; i < watched.size(); ++i) {
          CAPTURE(g.nodes[watched[i]].name);
          CHECK(relative_error(got[i], expected[i]) < tolerance);
        }
      }
  }
}

}  // namespace pareidolia_test
