// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cppn_gradient.hpp>
#include <pareidolia/detail/cppn_kernel.hpp>
#include <pareidolia/detail/cppn_packing.hpp>
#include <pareidolia/detail/cppn_program.hpp>
#include <pareidolia/detail/dispatch.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/encodings/cppn_network.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace pareidolia {

/// A batch of genotypes of `cppn`.
template <space S>
struct cppn_population;

template <>
struct cppn_population<space::host> {
  std::vector<cppn_network> networks;

  [[nodiscard]] std::size_t size() const { return networks.size(); }
  void assign(std::span<std::size_t const> to, cppn_population const& source, std::span<std::size_t const> from) {
    for (std::size_t k = 0; k < to.size(); ++k) networks[to[k]] = source.networks[from[k]];
  }

  /// Rows of numbers, from which unpack() makes the networks again: to store them.
  [[nodiscard]] tensor<float, 2> packed() const { return detail::pack(networks); }
  void unpack(tensor<float, 2> const& rows) { networks = detail::unpack(as_view(rows)); }
};

/// Images drawn by small growing networks: the value of a pixel is what a network answers to its position. Regular where the direct
/// encoding is noise: a Gaussian of x is symmetric, a sine of y repeats.
///
/// The indirect encoding of Nguyen, Yosinski and Clune (CVPR 2015, Sec. 2.2). A network has the inputs x, y, d (distance from the centre)
/// and 1, and one output (grey) or three. draw: the inputs are fully connected to the outputs, weights and activations are random, there is
/// no hidden node. vary: a child is its parent after, in this order, mutation of weights and activations, and one chance each to add a
/// connection, delete one, split one with a new node, and delete a hidden node; an operator does nothing where the graph has no place for
/// it. There is no crossover. decode: images of 1 or 3 channels, whatever the canvas shows, rounded so that an 8-bit file holds exactly
/// what the model saw. pullback: derivatives by the genes of the connections, of the image before it is rounded.
///
/// Deviations from the authors' code: no two connections join the same nodes (there they may, and add up); growth has a limit; each node
/// is computed once, after its sources (there the whole network is stepped as often as its longest path is long: the same values). Not
/// known of it, hence ours: the order of the operators, the activations that outputs start with, and which nodes its d takes for -1 and 1.
///
/// Cost: in vectors over pixels, chosen at run time for the processor; nodes that reach no output cost nothing. A network of 30 nodes on
/// 227x227x3 takes a few tenths of a millisecond. The images have the same bits on any number of threads and in any batch; processors with
/// other vectors may differ in the last bits of an answer, so now and then in one level of a pixel.
/// Errors: an option out of range, images of neither 1 nor 3 channels, networks that were made for another canvas.
struct cppn {
  enum class coordinates : std::uint8_t {
    normalised,  ///< x and y in [-1, 1], centres of the outermost pixels: the same picture at any size
    pixels       ///< column and row, from 0, as in the authors' code: sines alias strongly, and the picture depends on the size
  };
  struct activation_list {
    bool sine = true, sigmoid = true, gaussian = true, linear = true;
  };

  coordinates positions = coordinates::normalised;  ///< of x and y; d always has its coordinates in [-1, 1]
  activation_list activations = {};                 ///< to draw from, with equal chances; without sine more images look like things

  /// Weights are in [-weight_range, weight_range], > 0. The authors' 10 suits pixel indices; in [-1, 1] a sine of x with weight w repeats
  /// w / pi times, and 5 gives smoother shapes than 10 and fewer lines of one pixel, while deeper networks still draw fine patterns.
  float weight_range = 5;

  float weight_mutation = 0.1f;      ///< probability of each connection: polynomial mutation (Deb and Agrawal 1999) of its gene in [0, 1]
  float eta = 15;                    ///< strength of it: larger means smaller steps, at least 0
  float activation_mutation = 0.1f;  ///< probability of each node: its activation is drawn again
  float connection_addition = 0.5f;  ///< probability of each child, like the following
  float connection_deletion = 0.3f;  ///< rarer than addition, as for nodes: networks grow
  float connection_split = 0.5f;     ///< the two halves keep the weight
  float node_deletion = 0.2f;        ///< of a hidden node, with its connections
  std::uint32_t max_hidden_nodes = 64;  ///< at which nothing is split
  std::uint32_t max_connections = 256;  ///< at which nothing is split or added; the inputs' first connections always are

  cppn_colours colours = cppn_colours::hsv;  ///< of images with 3 channels; grey gives them three times the same value
  float hue_turns = 1;                       ///< hue of an answer of 1, in turns of the colour wheel, at least 0

  /// Values that a channel can take, 2 to 1024. An answer v becomes trunc(min(|v|, 1) (levels - 1)) / (levels - 1); where the answers are
  /// not grey but colours, red, green and blue are rounded to such values too. 0: any value in [0, 1].
  std::size_t levels = 256;

  template <space S>
  using population = cppn_population<S>;

  /// What the paper says, HSV, and where it says nothing (coordinates, rates, weights) what the authors' code does: pixel indices, weights
  /// in [-10, 10], no limit to growth. Which colours made the paper's own images, those of its text or of the code, is not known.
  static constexpr cppn paper();

  /// The authors' code; differs from paper() in its colours alone: the three answers are bytes of hue, lightness and saturation as OpenCV
  /// reads them, whose hues end at 180 for one turn, so that answers go round 255 / 180 times. OpenCV's own rounding of the result may
  /// differ by one level.
  static constexpr cppn released_code();

  template <class A>
  void settings(A& a) const {
    a.setting("cppn.positions", positions);
    a.setting("cppn.activations", 8 * activations.sine + 4 * activations.sigmoid + 2 * activations.gaussian + activations.linear);
    a.setting("cppn.weight_range", weight_range);
    a.setting("cppn.weight_mutation", weight_mutation);
    a.setting("cppn.eta", eta);
    a.setting("cppn.activation_mutation", activation_mutation);
    a.setting("cppn.connection_addition", connection_addition);
    a.setting("cppn.connection_deletion", connection_deletion);
    a.setting("cppn.connection_split", connection_split);
    a.setting("cppn.node_deletion", node_deletion);
    a.setting("cppn.max_hidden_nodes", max_hidden_nodes);
    a.setting("cppn.max_connections", max_connections);
    a.setting("cppn.colours", colours);
    a.setting("cppn.hue_turns", hue_turns);
    a.setting("cppn.levels", levels);
  }

  /// Errors: an option outside its range.
  void check() const {
    auto const probability = [](std::string_view name, float value) {
      if (!(value >= 0 && value <= 1)) detail::fail("cppn: ", name, " is ", value, "; it is a probability, give a value in [0, 1]");
    };
    probability("weight_mutation", weight_mutation);
    probability("activation_mutation", activation_mutation);
    probability("connection_addition", connection_addition);
    probability("connection_deletion", connection_deletion);
    probability("connection_split", connection_split);
    probability("node_deletion", node_deletion);
    if (!(eta >= 0)) detail::fail("cppn: eta is ", eta, "; give a value of at least 0");
    if (!(weight_range > 0 && weight_range <= 1000)) detail::fail("cppn: weight_range is ", weight_range, "; give a value in (0, 1000]");
    if (!(hue_turns >= 0 && hue_turns <= 1000)) detail::fail("cppn: hue_turns is ", hue_turns, "; give a value in [0, 1000]");
    if (levels == 1 || levels > 1024) detail::fail("cppn: levels is ", levels, "; give 2 to 1024, or 0 for any value in [0, 1]");
    if (listed().empty()) detail::fail("cppn: activations has none; leave at least one to draw from");
  }

  /// n black images: networks without connections.
  [[nodiscard]] cppn_population<space::host> buffer(std::size_t n, const_image_view<space::host> canvas) const {
    return {black(n, canvas.shape[1])};
  }

  void decode(cppn_population<space::host> const& p, const_image_view<space::host>, image_view<space::host> x) const {
    auto const [count, channels, height, width] = x.shape;
    check_outputs(p, channels);
    detail::cppn_planes const planes(height, width, positions == coordinates::pixels);
    detail::cppn_colouring const colouring = colouring_of(channels);
    struct workplace {
      detail::cppn_program program;
      std::vector<detail::cppn_tile> scratch;
    };
    std::vector<workplace> lanes(thread_count());
    std::size_t const drawn = std::min(count, p.size());
    parallel_for(drawn, [&](std::size_t i, std::size_t lane) {
      auto& [program, scratch] = lanes[lane];
      program.compile(p.networks[i], weight_range);
      scratch.resize(std::max(scratch.size(), 3 + program.steps.size()));
      detail::dispatch<detail::cppn_kernel>(detail::best_instruction_set(), program, planes, colouring, std::span(scratch), x.row(i));
    });
    for (std::size_t i = drawn; i < count; ++i) std::ranges::copy(x.row(i % p.size()), x.row(i).begin());
  }

  /// dp: networks like those of p whose genes are the derivatives. Cost: 3 to 5 times that of decode; 3 KiB for each node and thread.
  void pullback(cppn_population<space::host> const& p, const_image_view<space::host>, const_image_view<space::host> dx,
                cppn_population<space::host>& dp) const {
    auto const [count, channels, height, width] = dx.shape;
    check_outputs(p, channels);
    detail::cppn_planes const planes(height, width, positions == coordinates::pixels);
    detail::cppn_colouring const colouring = colouring_of(channels);
    bool const shared = count > p.size();
    auto summed = filled<float, 2>({shared ? p.size() : 0, dx.stride()});
    if (shared) sum_rows(dx, as_view(summed));
    struct workplace {
      detail::cppn_program program;
      detail::cppn_gradient_scratch scratch;
    };
    std::vector<workplace> lanes(thread_count());
    parallel_for(p.size(), [&](std::size_t i, std::size_t lane) {
      auto& [program, scratch] = lanes[lane];
      auto& genes = dp.networks[i].connections;
      dp.networks[i] = p.networks[i];
      program.compile(p.networks[i], weight_range);
      scratch.fit(program);
      std::span<float const> const seeds = shared ? std::span<float const>(as_view(summed).row(i)) : dx.row(i);
      detail::dispatch<detail::cppn_gradient>(detail::best_instruction_set(), program, planes, colouring, &scratch, seeds);
      for (auto& connection : genes) connection.gene = 0;
      auto const give = [&](std::uint32_t connection, double slope) {
        genes[connection].gene = static_cast<float>(2 * double{weight_range} * slope);
      };
      for (std::size_t t = 0; t < program.terms.size(); ++t) give(program.term_connections[t], scratch.sums[t]);
      for (auto const& part : program.constant_parts) give(part.connection, scratch.sums[program.terms.size() + part.step]);
    });
  }

  /// Every gene moves by the whole length in the direction of the sign of its slope, and stops at 0 and 1.
  void climb(cppn_population<space::host>& p, cppn_population<space::host> const& dp, std::span<float const> lengths) const {
    for (std::size_t i = 0; i < p.size(); ++i)
      for (std::size_t k = 0; k < p.networks[i].connections.size(); ++k) {
        float const slope = dp.networks[i].connections[k].gene;
        float& gene = p.networks[i].connections[k].gene;
        gene = std::clamp(gene + lengths[i] * static_cast<float>((slope > 0) - (slope < 0)), 0.f, 1.f);
      }
  }

  void draw(cppn_population<space::host>& children, rng const& random) const {
    auto const list = listed();
    for (std::size_t i = 0; i < children.size(); ++i) {
      auto r = random.stream(i);
      cppn_network& child = children.networks[i];
      child.activations.resize(child.outputs);
      child.connections.clear();
      for (auto& activation : child.activations) activation = any(list, r);
      for (cppn_network::index from = 0; from < cppn_network::inputs; ++from)
        for (cppn_network::index to = cppn_network::inputs; to < child.nodes(); ++to) child.connections.push_back({from, to, r.uniform()});
    }
  }

  void vary(cppn_population<space::host> const& parents, cppn_population<space::host>& children, rng const& random) const {
    auto const list = listed();
    for (std::size_t i = 0; i < children.size(); ++i) {
      auto r = random.stream(i);
      cppn_network& child = children.networks[i];
      child = parents.networks[i];
      auto const room = [&child, this] { return child.connections.size() < max_connections; };
      for (auto& connection : child.connections)
        if (r.chance(weight_mutation)) connection.gene = mutated(connection.gene, r);
      for (auto& activation : child.activations)
        if (r.chance(activation_mutation)) activation = any(list, r);
      if (r.chance(connection_addition) && room()) child.add_connection(r);
      if (r.chance(connection_deletion)) child.delete_connection(r);
      if (r.chance(connection_split) && room() && child.hidden() < max_hidden_nodes) child.split_connection(any(list, r), r);
      if (r.chance(node_deletion)) child.delete_node(r);
    }
  }

  // Images in device memory: encodings/device/cppn.hpp, which comes with an engine for devices. The networks stay on the host.
  [[nodiscard]] cppn_population<space::device> buffer(std::size_t n, const_image_view<space::device> canvas) const;
  void decode(cppn_population<space::device> const& p, const_image_view<space::device>, image_view<space::device> x) const;
  void pullback(cppn_population<space::device> const& p, const_image_view<space::device>, const_image_view<space::device> dx,
                cppn_population<space::device>& dp) const;

 private:
  [[nodiscard]] std::vector<cppn_network> black(std::size_t n, std::size_t channels) const {
    check();
    return {n, {outputs(channels), std::vector(outputs(channels), cppn_activation::linear), {}}};
  }

  void check_outputs(cppn_population<space::host> const& p, std::size_t channels) const {
    for (auto const& network : p.networks)
      if (network.outputs != outputs(channels))
        detail::fail("cppn: a network has ", network.outputs, " outputs, an image of ", channels, " channels takes ", outputs(channels),
                     "; make the population with buffer(n, canvas) for this canvas");
  }

  [[nodiscard]] cppn_network::index outputs(std::size_t channels) const {
    if (channels != 1 && channels != 3) detail::fail("cppn: images of ", channels, " channels; it draws images of 1 (grey) or 3 (RGB)");
    return channels == 1 || colours == cppn_colours::grey ? 1 : 3;
  }

  [[nodiscard]] detail::cppn_colouring colouring_of(std::size_t channels) const {
    return {channels == 1 ? cppn_colours::grey : colours, hue_turns, static_cast<float>(levels)};
  }

  [[nodiscard]] std::vector<cppn_activation> listed() const {
    std::vector<cppn_activation> list;
    if (activations.sine) list.push_back(cppn_activation::sine);
    if (activations.sigmoid) list.push_back(cppn_activation::sigmoid);
    if (activations.gaussian) list.push_back(cppn_activation::gaussian);
    if (activations.linear) list.push_back(cppn_activation::linear);
    return list;
  }

  [[nodiscard]] static cppn_activation any(std::vector<cppn_activation> const& list, random_stream& r) {
    return list[r.below(static_cast<std::uint32_t>(list.size()))];
  }

  [[nodiscard]] float mutated(float gene, random_stream& r) const {
    float const u = r.uniform(), exponent = 1 / (eta + 1);
    float const delta = u < 0.5f ? std::pow(2 * u, exponent) - 1 : 1 - std::pow(2 * (1 - u), exponent);
    return std::clamp(gene + delta, 0.f, 1.f);
  }

  [[nodiscard]] static constexpr cppn authors() {
    constexpr auto unlimited = std::numeric_limits<std::uint32_t>::max();
    return {.positions = coordinates::pixels, .weight_range = 10, .max_hidden_nodes = unlimited, .max_connections = unlimited};
  }
};

constexpr cppn cppn::paper() { return authors(); }

constexpr cppn cppn::released_code() {
  cppn encoding = authors();
  encoding.colours = cppn_colours::hls;
  encoding.hue_turns = 255 / 180.f;
  return encoding;
}

static_assert(EvolvableEncoding<cppn, space::host> && ClimbingEncoding<cppn, space::host>);

}  // namespace pareidolia
