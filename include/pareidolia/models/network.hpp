// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/graph_hash.hpp>
#include <pareidolia/detail/hasher.hpp>
#include <pareidolia/engine.hpp>
#include <pareidolia/models/fold.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/weights.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia {

namespace detail {

/// A softmax at the end is left out: the scores of a model are logits.
inline graph without_final_softmax(graph g) {
  while (!g.nodes.empty() && std::holds_alternative<layer::softmax>(g.nodes.back().what)) g.nodes.pop_back();
  return g;
}

/// A plan of any scalar behind float views: converts at the edges.
template <class Plan, class T>
struct converted {
  Plan plan;
  std::vector<T> x, y, theta, activations;

  template <std::size_t Rank>
  static view<T, Rank> as(view<float const, Rank> from, std::vector<T>& room) {
    room.assign(from.data, from.data + from.size());
    return {room.data(), from.shape};
  }
  template <std::size_t Rank>
  static view<T, Rank> like(view<float, Rank> to, std::vector<T>& room) {
    room.resize(to.size());
    return {room.data(), to.shape};
  }
  static void give(std::vector<T> const& from, float* to) {
    std::transform(from.begin(), from.end(), to, [](T v) { return static_cast<float>(v); });
  }

  void forward(view<float const, 4> in, view<float, 2> out) {
    plan.forward(as(in, x), like(out, y));
    give(y, out.data);
  }
  void backward(view<float const, 2> dy, view<float, 4> dx) {
    plan.backward(as(dy, y), like(dx, x));
    give(x, dx.data);
  }
  void activation(std::size_t k, view<float, 4> to) {
    plan.activation(k, like(to, activations));
    give(activations, to.data);
  }
  void backward_weights(view<float const, 2> dy, std::span<float> dtheta) {
    theta.resize(dtheta.size());
    plan.backward_weights(as(dy, y), theta);
    give(theta, dtheta.data());
  }
};

}  // namespace detail

/// A graph with weights on an engine: a Model, differentiable and trainable.
///
/// Scores are logits: a softmax at the end of the graph is left out. Batch normalisations and scales are folded into the layers before them
/// (models/fold.hpp): structure() and the flat vector of parameters are those of the folded graph, and training trains the network as it
/// is used, with no statistics of batches. Errors at construction: what plan(), fold() and the engine's load() refuse. A copy has its own
/// parameters; a workspace belongs to the network that prepared it.
///
///     network const net{cpu_engine{}, zoo::lenet5(), read_caffemodel("lenet.caffemodel")};
template <Engine E>
class network {
  using scalar = typename E::scalar;

 public:
  static constexpr space memory = E::memory;
  using workspace = std::conditional_t<std::same_as<scalar, float>, typename E::plan, detail::converted<typename E::plan, scalar>>;

  network(E engine, graph g, weights const& w)
      : engine_(std::move(engine)),
        folding_(plan_folding(detail::without_final_softmax(std::move(g)))),
        plan_(plan(folding_.network)),
        parameters_(folding_.changes() ? engine_.load(plan_.source, fold(folding_, w)) : engine_.load(plan_.source, w)) {}

  [[nodiscard]] image_shape input() const { return plan_.source.input; }
  [[nodiscard]] std::size_t classes() const { return plan_.out.back()[0] * plan_.out.back()[1] * plan_.out.back()[2]; }
  [[nodiscard]] planned_graph const& structure() const { return plan_; }

  [[nodiscard]] workspace prepare(std::size_t n) const { return prepare(n, {}); }
  /// A workspace that keeps the activations of these layers. Layers that are watched are not fused with what follows them.
  [[nodiscard]] workspace prepare(std::size_t n, std::vector<std::string> const& layers) const {
    std::vector<std::size_t> watched;
    for (std::string const& layer : layers) watched.push_back(index_of(layer));
    if constexpr (std::same_as<scalar, float>)
      return engine_.compile(parameters_, n, std::move(watched));
    else
      return {engine_.compile(parameters_, n, std::move(watched)), {}, {}, {}, {}};
  }

  /// Names of the layers in order; those that were folded into another have no activation of their own.
  [[nodiscard]] std::vector<std::string> layers() const {
    std::vector<std::string> names;
    for (node const& n : plan_.source.nodes) names.push_back(n.name);
    return names;
  }
  [[nodiscard]] image_shape shape_of(std::string const& layer) const { return plan_.out[index_of(layer)]; }
  /// What a layer of prepare() gave in the last forward: to (count, channels, height, width).
  void activation(std::string const& layer, image_view<memory> to, workspace& w) const {
    std::size_t const k = index_of(layer);
    if (image_shape const given{to.shape[1], to.shape[2], to.shape[3]}; given != plan_.out[k])
      detail::fail("network '", plan_.source.name, "': layer '", layer, "' gives ", detail::to_text(plan_.out[k]), "; there is room for ",
                   detail::to_text(given));
    w.activation(k, to);
  }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const { w.forward(x, y); }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const { w.backward(dy, dx); }

  [[nodiscard]] std::size_t parameters() const { return parameters_.size(); }
  void read(std::span<float> theta) const {
    if constexpr (std::same_as<scalar, float>) {
      parameters_.read(theta);
    } else {
      std::vector<scalar> values(parameters());
      parameters_.read(values);
      std::transform(values.begin(), values.end(), theta.begin(), [](scalar v) { return static_cast<float>(v); });
    }
  }
  void write(std::span<float const> theta) {
    if constexpr (std::same_as<scalar, float>)
      parameters_.write(theta);
    else
      parameters_.write(std::vector<scalar>(theta.begin(), theta.end()));
  }
  void backward_weights(const_score_view<memory> dy, std::span<float> dtheta, workspace& w) const { w.backward_weights(dy, dtheta); }

  /// The parameters by the names of the graph that the network was made of, to be written to a file; what was folded is unfolded.
  [[nodiscard]] weights to_weights() const {
    std::vector<float> theta(parameters());
    read(theta);
    weights w;
    for (parameter_slot const& slot : plan_.slots) {
      auto const first = theta.begin() + static_cast<std::ptrdiff_t>(slot.offset);
      w.parameters[slot.name] = {slot.shape, {first, first + static_cast<std::ptrdiff_t>(slot.size)}};
    }
    w.metadata["graph"] = plan_.source.name;
    return folding_.changes() ? unfold(folding_, w) : w;
  }

  /// Hash of the layers and their options, of the preprocessing and of the parameters. Cost: one pass over the parameters.
  [[nodiscard]] std::uint64_t fingerprint() const {
    detail::hasher h;
    auto const& prepare = plan_.source.prepare;
    detail::add_option(h, input());
    detail::add_option(h, prepare.scale);
    detail::add_option(h, prepare.order);
    h.add(prepare.mean);
    h.add(prepare.deviation);
    for (std::size_t k = 0; k < plan_.source.nodes.size(); ++k) {
      h.add(plan_.source.nodes[k].name);
      detail::add_layer(h, plan_.source.nodes[k].what);
      detail::add_option(h, plan_.inputs[k]);
    }
    std::vector<float> theta(parameters());
    read(theta);
    h.add(theta);
    return h.value();
  }

 private:
  [[nodiscard]] std::size_t index_of(std::string const& layer) const {
    auto const& nodes = plan_.source.nodes;
    auto const found = std::find_if(nodes.begin(), nodes.end(), [&](node const& n) { return n.name == layer; });
    if (found != nodes.end()) return static_cast<std::size_t>(found - nodes.begin());
    auto const gone = folding_.into.find(layer);
    if (gone != folding_.into.end())
      detail::fail("network '", plan_.source.name, "': layer '", layer, "' was folded into '", gone->second, "'; ask for that one");
    detail::fail("network '", plan_.source.name, "' has no layer '", layer, "'; layers() names those it has");
  }

  E engine_;
  folding folding_;
  planned_graph plan_;
  typename E::parameters parameters_;
};

}  // namespace pareidolia
