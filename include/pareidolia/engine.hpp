// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <vector>

namespace pareidolia {

struct graph;
struct weights;

/// A network compiled for batches of up to n images: what an engine makes of a graph.
///
/// forward(x, y) runs x (count <= n, channels, height, width) in [0, 1] to logits y (count, classes). backward(dy, dx) and
/// backward_weights(dy, dtheta) belong to the last forward and may follow it any number of times. activation(k, to) copies what node k
/// gave in the last forward, to (count, channels, height, width); the plan must watch it.
template <class P, class T, space S>
concept Plan = requires(P& p, view<T const, 4, S> x, view<T, 2, S> y, view<T const, 2, S> dy, view<T, 4, S> dx, std::span<T> dtheta,
                        std::size_t k) {
  { p.forward(x, y) } -> std::same_as<void>;
  { p.activation(k, dx) } -> std::same_as<void>;
  { p.backward(dy, dx) } -> std::same_as<void>;
  { p.backward_weights(dy, dtheta) } -> std::same_as<void>;
};

/// Parameters as an engine stores them, shared by all plans of a network: one flat vector to the outside, in the order of the graph's
/// layers, weight before bias.
template <class P, class T>
concept ParameterStore = requires(P& p, P const& c, std::span<T> out, std::span<T const> in) {
  { c.size() } -> std::convertible_to<std::size_t>;
  { c.read(out) } -> std::same_as<void>;
  { p.write(in) } -> std::same_as<void>;
};

/// Compiles a graph and its weights for a batch size. The whole graph is planned at once: layouts, fusion and memory reuse are the engine's
/// business. The activations of `watched` nodes, indices into the planned graph, stay readable after each forward. `E::scalar` is the type
/// it computes in, `E::memory` where.
template <class E>
concept Engine = ParameterStore<typename E::parameters, typename E::scalar> && Plan<typename E::plan, typename E::scalar, E::memory> &&
    requires(E const& e, graph const& g, weights const& w, typename E::parameters const& p, std::size_t n,
             std::vector<std::size_t> watched) {
  { e.load(g, w) } -> std::same_as<typename E::parameters>;
  { e.compile(p, n) } -> std::same_as<typename E::plan>;
  { e.compile(p, n, watched) } -> std::same_as<typename E::plan>;
};

}  // namespace pareidolia
