// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/layer_constants.hpp>
#include <pareidolia/detail/vectors.hpp>
#include <pareidolia/engine.hpp>
#include <pareidolia/models/fold.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/parameters.hpp>
#include <pareidolia/models/weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia {

/// How the norms of weights are found: from `starts` random vectors at once, each multiplied `iterations` times by W and by its transpose.
///
/// `failure` is the probability, over all layers of a network together, that a bound is too small; what that costs is the distance between
/// bound and norm. 100 iterations from 8 starts leave at most 3 % for a layer of 1,000 inputs, 4 % for one of 150,000; twice as many
/// iterations, half of it.
struct power_iteration {
  std::size_t iterations = 100, starts = 8;
  double failure = 1e-6;
};

/// How much a layer can enlarge a change: |f(a) - f(b)| <= bound |a - b|, Euclidean norms, the inputs of a layer of several taken together.
struct layer_bound {
  std::string name, kind;
  double bound = 0;
  double from_image = 0;       ///< the same from the image to what the layer gives
  double norm = 0;             ///< largest |W v| found for a unit v, which is at most that of W; 0 where a formula gives the bound
  double residual = 0;         ///< |W^T W v - s^2 v| / s^2 of that v, s = |W v|: 0 when v is a singular vector
  std::size_t iterations = 0;  ///< that found the norm
};

/// Bounds of every layer of a network, in order; those that were folded into another have none of their own.
struct lipschitz_bounds {
  double prepare = 1;  ///< of the preprocessing
  std::vector<layer_bound> layers;

  /// Of the network: |y(x + r) - y(x)| <= total() |r|, x in [0, 1], y the logits.
  [[nodiscard]] double total() const { return layers.back().from_image; }
};

namespace detail {

/// Node k as a network of its own, y = W x.
template <Engine E>
network<E> linear_layer(E const& engine, planned_graph const& g, std::size_t k, weights const& w) {
  layer::operation what = g.source.nodes[k].what;
  if (auto* const c = std::get_if<layer::convolution>(&what)) c->bias = false;
  if (auto* const p = std::get_if<layer::inner_product>(&what)) p->bias = false;
  parameter_slot const& slot = g.slots[g.first_slot[k]];
  return {engine, graph{.name = g.source.name, .input = g.in[k], .nodes = {{g.source.nodes[k].name, what}}},
          weights{{{slot.name, find_parameter(w, slot, g.source.name)}}, {}, w.source}};
}

/// Power iteration on a linear layer W and its transpose, all starts as one batch; fills in what it found.
///
/// The component c of a start along the first singular vector grows by exactly |W| with each multiplication, so N of them make of a unit
/// start something longer than |W|^N |c|: |W| <= (growth / |c|)^(1 / N). A random direction among n has |c| < p sqrt(pi / (2 n)) with a
/// probability below p (Dixon 1983, Estimating extremal eigenvalues and condition numbers of matrices), and all starts do with p^starts.
/// True up to the rounding of the engine.
template <Engine E>
void iterate(network<E> const& w, power_iteration const& how, double failure, rng const& random, layer_bound& found) {
  constexpr space S = E::memory;
  auto const [channels, height, width] = w.input();
  std::size_t const starts = how.starts, inputs = channels * height * width;
  auto v = filled<float, 4>({starts, channels, height, width});
  auto u = filled<float, 2>({starts, w.classes()});
  storage<float, 4, S> here_v({starts, channels, height, width});
  storage<float, 2, S> here_u({starts, w.classes()});
  auto work = w.prepare(starts);

  for (std::size_t s = 0; s < starts; ++s) {
    auto stream = random.stream(s);
    for (float& e : as_view(v).row(s)) e = stream.normal();
    to_unit_length(as_view(v).row(s));
  }
  std::vector<double> growth(starts);  // logarithms
  found.iterations = how.iterations;
  for (std::size_t i = 0; i < how.iterations; ++i) {
    auto const before = v;
    copy(as_view(std::as_const(v)), here_v.view());
    w.forward(here_v.view(), here_u.view(), work);
    copy(view<float const, 2, S>(here_u.view()), as_view(u));
    std::vector<double> sigma(starts);
    for (std::size_t s = 0; s < starts; ++s) growth[s] += std::log(sigma[s] = to_unit_length(as_view(u).row(s)));
    copy(as_view(std::as_const(u)), here_u.view());
    w.backward(here_u.view(), here_v.view(), work);
    copy(view<float const, 4, S>(here_v.view()), as_view(v));

    for (std::size_t s = 0; s < starts; ++s) {
      std::span<float> const now = as_view(v).row(s);
      std::span<float const> const unit = as_view(before).row(s);
      double const length = norm(now);  // |W^T u|, u = W v / |W v|: at least |W v|
      if (i + 1 == how.iterations && length > found.norm) {
        double rest = 0;
        for (std::size_t j = 0; j < inputs; ++j) rest += std::pow(now[j] - sigma[s] * unit[j], 2);
        found.norm = length;
        found.residual = std::sqrt(rest) / sigma[s];
      }
      growth[s] += std::log(to_unit_length(now));
    }
  }
  double const p = std::pow(failure, 1 / static_cast<double>(starts));
  double const least = p * std::sqrt(std::numbers::pi / (2 * static_cast<double>(inputs)));
  double const longest = *std::max_element(growth.begin(), growth.end());
  found.bound = std::max(found.norm, std::exp((longest - std::log(least)) / static_cast<double>(2 * how.iterations)));
}

}  // namespace detail

/// Upper bounds of how much each layer of a network, and all of it, can enlarge a change of the image (Szegedy et al. 2013, section 4.3).
///
/// Convolutions and inner products: the largest singular value of the layer as it stands, with its stride, padding and groups, by power
/// iteration on the engine: forward is W x, backward W^T y. That finds the norm from below; the bound is above it, as power_iteration
/// says. (The paper takes the largest over frequencies of the kernel's Fourier transform, which is the norm on a torus.) Other layers by
/// the formulas of detail/layer_constants.hpp. We deviate from the paper for max pooling: windows that overlap, as AlexNet's 3x3 at stride
/// 2, can double a change, for which the paper has 1. Layers follow each other by the product of their bounds, branches that are added by
/// the sum, branches that are concatenated by the root of the sum of squares. Batch normalisations and scales are folded, and a softmax at
/// the end left out, as network does.
///
/// Cost: 2 iterations starts passes through each layer with weights, one layer at a time. Errors: those of network; no iteration or start,
/// a failure outside (0, 1); a local response normalisation with k <= 0 or negative alpha or beta, which has no bound.
///
///     auto const bounds = lipschitz(cpu_engine{}, zoo::alexnet(), read_caffemodel("bvlc_alexnet.caffemodel"), rng{1});
template <Engine E>
[[nodiscard]] lipschitz_bounds lipschitz(E const& engine, graph g, weights const& w, rng const& random, power_iteration const& how = {}) {
  if (how.iterations == 0 || how.starts == 0 || !(how.failure > 0 && how.failure < 1))
    detail::fail("lipschitz: ", how.iterations, " iterations, ", how.starts, " starts, failure ", how.failure,
                 "; give at least one of both and a probability between 0 and 1");
  folding const f = plan_folding(detail::without_final_softmax(std::move(g)));
  planned_graph const p = plan(f.network);
  weights const folded = fold(f, w);
  auto const& nodes = p.source.nodes;
  auto const measured = std::count_if(nodes.begin(), nodes.end(), [](node const& n) { return detail::has_rows(n.what); });

  lipschitz_bounds result{.prepare = detail::preprocessing_bound(p.source.prepare), .layers = {}};
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    std::vector<double> before;
    for (std::size_t const from : p.inputs[k])
      before.push_back(from == planned_graph::image ? result.prepare : result.layers[from].from_image);
    auto const* const slot = detail::find_slot(p, k, "weight");
    std::span<float const> const weight = slot ? detail::find_parameter(folded, *slot, p.source.name).values : std::span<float const>();
    auto const [kind, bound] = detail::layer_constant(nodes[k], p.in[k], p.out[k], weight, before.size());
    layer_bound found{.name = nodes[k].name, .kind = kind, .bound = bound};
    if (detail::has_rows(nodes[k].what))
      detail::iterate(detail::linear_layer(engine, p, k, folded), how, how.failure / static_cast<double>(measured), random.fork(k), found);
    found.from_image = detail::joined_bound(nodes[k].what, found.bound, before);
    result.layers.push_back(std::move(found));
  }
  return result;
}

}  // namespace pareidolia
