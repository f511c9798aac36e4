// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/parameters.hpp>
#include <pareidolia/models/weights.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia {

/// How a graph is folded, which its weights have no part in.
///
/// A chain is a convolution or inner product and the batch normalisations and scales behind it, each the only reader of the layer before.
/// It becomes one convolution or inner product with the name of its last layer, so that what reads the chain, and whoever asks for an
/// activation, finds what it did. A chain of normalisations and scales behind anything else becomes one scale.
struct folding {
  planned_graph original;
  graph network;                                 ///< the folded graph
  std::vector<std::vector<std::size_t>> chains;  ///< for each node of `network`, the nodes of `original` it stands for, first to last
  std::map<std::string, std::string> into;       ///< for each layer that is gone, the one it became part of

  /// True when node i of `network` is not simply a node of `original`.
  [[nodiscard]] bool changes(std::size_t i) const {
    return chains[i].size() > 1 || std::holds_alternative<layer::batch_normalization>(original.source.nodes[chains[i].front()].what);
  }
  [[nodiscard]] bool changes() const {
    for (std::size_t i = 0; i < chains.size(); ++i)
      if (changes(i)) return true;
    return false;
  }
};

namespace detail {

/// Layers with a weight matrix, of which each output is a row.
inline bool has_rows(layer::operation const& what) {
  return std::holds_alternative<layer::convolution>(what) || std::holds_alternative<layer::inner_product>(what);
}
/// Layers that map each channel by itself, y_c = s_c x_c + t_c.
inline bool maps_channels(layer::operation const& what) {
  return std::holds_alternative<layer::scale>(what) || std::holds_alternative<layer::batch_normalization>(what);
}
/// Layers whose outputs have an offset.
inline bool adds(layer::operation const& what) {
  return std::visit(
      []<class Layer>(Layer const& l) {
        if constexpr (requires { l.bias; })
          return l.bias;
        else
          return std::same_as<Layer, layer::batch_normalization>;
      },
      what);
}

inline std::vector<std::vector<std::size_t>> find_chains(planned_graph const& g) {
  std::size_t const nodes = g.out.size();
  std::vector<std::size_t> readers(nodes), chain_of(nodes);
  for (auto const& inputs : g.inputs)
    for (std::size_t const from : inputs)
      if (from != planned_graph::image) ++readers[from];
  std::vector<std::vector<std::size_t>> chains;
  for (std::size_t k = 0; k < nodes; ++k) {
    std::size_t const from = g.inputs[k].front();
    auto const& what = g.source.nodes[k].what;
    bool const joins = maps_channels(what) && from != planned_graph::image && readers[from] == 1 &&
                       (has_rows(g.source.nodes[from].what) || maps_channels(g.source.nodes[from].what));
    chain_of[k] = joins ? chain_of[from] : chains.size();
    if (!joins) chains.emplace_back();
    chains[chain_of[k]].push_back(k);
  }
  // The folded layer stands where its last one stood: before everything that reads it, and last if that was.
  std::sort(chains.begin(), chains.end(), [](auto const& a, auto const& b) { return a.back() < b.back(); });
  return chains;
}

inline layer::operation folded_operation(planned_graph const& g, std::vector<std::size_t> const& chain) {
  auto const& nodes = g.source.nodes;
  bool const bias = std::any_of(chain.begin(), chain.end(), [&](std::size_t k) { return adds(nodes[k].what); });
  layer::operation what = nodes[chain.front()].what;
  if (maps_channels(what)) return layer::scale{.bias = bias};
  if (auto* const c = std::get_if<layer::convolution>(&what)) c->bias = bias;
  if (auto* const p = std::get_if<layer::inner_product>(&what)) p->bias = bias;
  return what;
}

/// The place of an array of node k, "weight" or "running_var"; null if it has none.
inline parameter_slot const* find_slot(planned_graph const& g, std::size_t k, std::string_view array) {
  std::size_t const last = k + 1 < g.out.size() ? g.first_slot[k + 1] : g.slots.size();
  for (std::size_t s = g.first_slot[k]; s < last; ++s)
    if (std::string_view(g.slots[s].name).substr(g.source.nodes[k].name.size() + 1) == array) return &g.slots[s];
  return nullptr;
}

/// y_c = factor_c x_c + offset_c.
struct channel_map {
  std::vector<double> factor, offset;
};

/// m <- (scale or batch normalisation k) after m.
inline void append(channel_map& m, planned_graph const& g, std::size_t k, weights const& w) {
  auto const values = [&](std::string_view array) {
    auto const* const slot = find_slot(g, k, array);
    return slot ? find_parameter(w, *slot, g.source.name).values.data() : nullptr;
  };
  float const *const weight = values("weight"), *const bias = values("bias");
  float const *const mean = values("running_mean"), *const variance = values("running_var");
  auto const* const normalization = std::get_if<layer::batch_normalization>(&g.source.nodes[k].what);
  for (std::size_t c = 0; c < m.factor.size(); ++c) {
    double s = weight ? weight[c] : 1, t = bias ? bias[c] : 0;
    if (normalization) {
      if (variance[c] < 0)
        fail(w.source, ": array '", g.source.nodes[k].name, ".running_var' holds ", variance[c], " at index ", c,
             "; a variance is at least 0, the file is damaged or its arrays are exchanged");
      s /= std::sqrt(double{variance[c]} + double{normalization->epsilon});
      t -= s * mean[c];
    }
    m.factor[c] *= s;
    m.offset[c] = s * m.offset[c] + t;
  }
}

/// Arrays for node k that make a scale or batch normalisation the identity.
inline void add_identity(weights& w, planned_graph const& g, std::size_t k) {
  auto const* const normalization = std::get_if<layer::batch_normalization>(&g.source.nodes[k].what);
  double const variance = normalization ? 1 - double{normalization->epsilon} : 1;
  for (auto const& [array, value] : {std::pair{"weight", 1.}, {"bias", 0.}, {"running_mean", 0.}, {"running_var", variance}})
    if (auto const* const slot = find_slot(g, k, array))
      w.parameters[slot->name] = {slot->shape, std::vector<float>(slot->size, static_cast<float>(value))};
}

inline std::vector<float> to_floats(std::vector<double> const& values) {
  std::vector<float> floats(values.size());
  std::transform(values.begin(), values.end(), floats.begin(), [](double v) { return static_cast<float>(v); });
  return floats;
}

}  // namespace detail

/// Finds the chains of a graph. Errors: those of plan().
[[nodiscard]] inline folding plan_folding(graph g) {
  folding f{.original = plan(std::move(g)), .network = {}, .chains = {}, .into = {}};
  auto const& source = f.original.source;
  f.chains = detail::find_chains(f.original);
  f.network = {source.name, source.input, source.prepare, {}, source.labels};
  for (auto const& chain : f.chains) {
    node const &first = source.nodes[chain.front()], &last = source.nodes[chain.back()];
    node folded{last.name, detail::folded_operation(f.original, chain), first.inputs};
    if (std::size_t const from = f.original.inputs[chain.front()].front();
        first.inputs.empty() && from != planned_graph::image && f.network.nodes.back().name != source.nodes[from].name)
      folded.inputs = {source.nodes[from].name};
    for (std::size_t const k : chain)
      if (k != chain.back()) f.into[source.nodes[k].name] = last.name;
    f.network.nodes.push_back(std::move(folded));
  }
  return f;
}

/// The arrays of the folded graph: with s and t what normalisations and scales do to channel o together, in double,
///   W'_o = s_o W_o, b'_o = s_o b_o + t_o;  of one normalisation, s = w / sqrt(v + epsilon) and t = beta - s m.
///
/// Memory: a copy of the arrays. Errors: a missing array, a wrong shape, a value that is not finite, a negative variance.
[[nodiscard]] inline weights fold(folding const& f, weights const& w) {
  planned_graph const& g = f.original;
  weights result{{}, w.metadata, w.source};
  for (std::size_t i = 0; i < f.chains.size(); ++i) {
    auto const& chain = f.chains[i];
    std::size_t const first = chain.front(), channels = g.out[first][0];
    auto const find = [&](parameter_slot const& slot) -> parameter const& { return detail::find_parameter(w, slot, g.source.name); };
    if (!f.changes(i)) {
      for (std::string_view const array : {"weight", "bias"})
        if (auto const* const slot = detail::find_slot(g, first, array)) result.parameters[slot->name] = {slot->shape, find(*slot).values};
      continue;
    }
    bool const rows = detail::has_rows(g.source.nodes[first].what);
    detail::channel_map m{std::vector<double>(channels, 1), std::vector<double>(channels, 0)};
    if (rows)
      if (auto const* const bias = detail::find_slot(g, first, "bias"))
        m.offset.assign(find(*bias).values.begin(), find(*bias).values.end());
    for (std::size_t const k : chain)
      if (!rows || k != first) detail::append(m, g, k, w);

    std::string const& name = f.network.nodes[i].name;
    parameter& weight = result.parameters[name + ".weight"];
    if (rows) {
      auto const& slot = *detail::find_slot(g, first, "weight");
      weight = {slot.shape, find(slot).values};
      std::size_t const row = weight.values.size() / channels;
      for (std::size_t j = 0; j < weight.values.size(); ++j) weight.values[j] = static_cast<float>(m.factor[j / row] * weight.values[j]);
    } else {
      weight = {{channels}, detail::to_floats(m.factor)};
    }
    if (detail::adds(f.network.nodes[i].what)) result.parameters[name + ".bias"] = {{channels}, detail::to_floats(m.offset)};
  }
  return result;
}

/// Arrays of the original graph that fold() to those of the folded one. In a chain, the first layer with a weight gets W', the last with a
/// bias gets b', and the rest is the identity: a mean of 0, a variance of 1 - epsilon.
///
/// Folding these gives W' and b' again, to the bit if one normalisation follows: 1 - epsilon as a float makes a factor within 1.5e-8 of 1,
/// and the product rounds to W'. Where no layer has a weight or a bias, a normalisation's variance and mean do their work. Errors: a
/// missing array; a factor or offset that such a normalisation cannot have.
[[nodiscard]] inline weights unfold(folding const& f, weights const& w) {
  planned_graph const& g = f.original;
  weights result{{}, w.metadata, w.source};
  for (std::size_t i = 0; i < f.chains.size(); ++i) {
    auto const& chain = f.chains[i];
    for (std::size_t const k : chain) detail::add_identity(result, g, k);
    auto const& folded = f.network.nodes[i];
    if (!detail::has_rows(folded.what) && !detail::maps_channels(folded.what)) continue;
    auto const given = [&](char const* array) -> std::vector<float> const& {
      auto const found = w.parameters.find(folded.name + "." + array);
      if (found == w.parameters.end()) detail::fail(w.source, ": no array '", folded.name, ".", array, "' for graph '", g.source.name, "'");
      return found->second.values;
    };
    auto const with = [&](char const* array) { return [&g, array](std::size_t k) { return detail::find_slot(g, k, array) != nullptr; }; };
    auto const into = [&](std::size_t k, char const* array) -> std::vector<float>& {
      return result.parameters.at(g.source.nodes[k].name + "." + array).values;
    };
    auto const scaling = std::find_if(chain.begin(), chain.end(), with("weight"));
    if (scaling != chain.end()) into(*scaling, "weight") = given("weight");
    if (!detail::adds(folded.what)) continue;
    if (auto const adding = std::find_if(chain.rbegin(), chain.rend(), with("bias")); adding != chain.rend()) {
      into(*adding, "bias") = given("bias");
      continue;
    }
    std::size_t const k = *std::find_if(chain.rbegin(), chain.rend(), with("running_mean"));
    bool const scales = scaling == chain.end();  // by its variance
    double const epsilon = std::get<layer::batch_normalization>(g.source.nodes[k].what).epsilon;
    for (std::size_t c = 0; c < given("bias").size(); ++c) {
      double const s = scales || *scaling > k ? given("weight")[c] : 1, t = given("bias")[c], variance = 1 / (s * s) - epsilon;
      if (scales ? !(s > 0 && variance > -1e-6 * epsilon) : s == 0 && t != 0)
        detail::fail(w.source, ": layer '", g.source.nodes[k].name, "' has no weight and bias and cannot give ", s, " x + ", t,
                     " (channel ", c, "); make it affine");
      if (scales) into(k, "running_var")[c] = static_cast<float>(std::max(variance, 0.));
      into(k, "running_mean")[c] = s == 0 ? 0.f : static_cast<float>(-t / s);
    }
  }
  return result;
}

}  // namespace pareidolia
