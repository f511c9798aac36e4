// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cppn_packing.hpp>
#include <pareidolia/detail/hasher.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/perturbation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// Images drawn by networks that differ in their weights alone: the genotype d is what is added to the genes of a given network, so what
/// `cppn` evolves can be climbed by gradients, too, and searched by whatever moves vectors.
///
///     auto const dream = cppn_weights::grown({.weight_range = 2, .levels = 0}, net.input(), 100, rng{1});
///     auto const found = run(attack{dream, class_probability{}, gradient_ascent{}}, net, canvas, rng{1});
///
/// decode: what the network with the genes clip(g + d, 0, 1) draws, g those of `network`; a connection's weight is (2 gene - 1)
/// drawing.weight_range. d = 0 is neutral. pullback: that of cppn, with clipping let through. project: g + d into [0, 1] value by value,
/// then d into the ball; both hold. scatter: genes uniform in the part of the ball that is permitted. Of the canvas only the shape matters.
///
/// The larger the weights the more rugged the ground: on LeNet 60 steps of gradient_ascent from a network of 100 mutations lead to a mean
/// confidence of .84 with a weight range of 2, and of .17 with 5.
///
/// Cost: that of cppn. Errors: a network without connections, or whose outputs do not fit the images; a radius that is negative or not a
/// number; what cppn finds wrong with `drawing`.
struct cppn_weights {
  cppn drawing = {};     ///< of which what varies networks has no meaning here
  cppn_network network;  ///< the topology, and where genotypes begin
  linf norm = {};        ///< of d, in units of genes; infinite: [0, 1] alone limits them

  /// The topology of a network drawn at random for images of that shape, after `mutations` of it by drawing.vary() that delete nothing.
  [[nodiscard]] static cppn_weights grown(cppn const& drawing, image_shape const& shape, std::size_t mutations, rng const& random) {
    cppn growing = drawing;
    growing.connection_deletion = growing.node_deletion = 0;
    auto const canvas = filled<float, 4>({1, shape[0], shape[1], shape[2]});
    auto now = growing.buffer(1, const_image_view<space::host>(as_view(canvas))), next = now;
    growing.draw(now, random.fork(0));
    for (std::size_t i = 1; i <= mutations; ++i) {
      growing.vary(now, next, random.fork(i));
      std::swap(now, next);
    }
    return {drawing, now.networks[0], {}};
  }

  template <space S>
  using population = perturbations<S>;

  template <class A>
  void settings(A& a) const {
    drawing.settings(a);
    auto const row = detail::pack({network});
    detail::hasher hash;
    hash.add(as_view(row).row(0));
    a.setting("cppn_weights.network", hash.value());
    a.setting("cppn_weights.radius", norm.radius);
  }

  [[nodiscard]] perturbations<space::host> buffer(std::size_t n, const_image_view<space::host> canvas) const {
    std::size_t const length = network.connections.size();
    if (length == 0)
      detail::fail("cppn_weights: the network has no connections; give one that draws, such as those of cppn_weights::grown");
    perturbation<linf>{norm}.check();
    if (auto const fit = drawing.buffer(1, canvas).networks[0].outputs; network.outputs != fit)
      detail::fail("cppn_weights: the network has ", network.outputs, " outputs, images of ", canvas.shape[1], " channels take ", fit,
                   "; grow one for images of this shape");
    return {{1, 1, length}, storage<float, 2, space::host>({n, length}), std::vector<float>(n, norm.radius)};
  }

  void decode(perturbations<space::host> const& p, const_image_view<space::host> canvas, image_view<space::host> x) const {
    drawing.decode(networks(p), canvas, x);
  }

  void pullback(perturbations<space::host> const& p, const_image_view<space::host> canvas, const_image_view<space::host> dx,
                perturbations<space::host>& dp) const {
    auto const at = networks(p);
    auto slopes = at;
    drawing.pullback(at, canvas, dx, slopes);
    for (std::size_t i = 0; i < p.size(); ++i)
      std::ranges::transform(slopes.networks[i].connections, dp.rows().row(i).begin(), &cppn_network::connection::gene);
  }

  void project(perturbations<space::host>& p, const_image_view<space::host>) const {
    auto const genes = own_genes();
    clamp_to_box(as_view(genes), p.rows());
    norm.project(std::span<float const>(p.radii), p.shape, p.rows());
  }

  void steepest(perturbations<space::host> const&, const_image_view<space::host>, view<float, 2> g) const { norm.steepest(g); }

  void scatter(perturbations<space::host>& p, std::span<std::size_t const> rows, std::span<std::uint64_t const> ids,
               rng const& random) const {
    for (std::size_t k = 0; k < rows.size(); ++k) {
      auto stream = random.stream(ids[k]);
      float const radius = p.radii[rows[k]];
      auto d = p.rows().row(rows[k]).begin();
      for (auto const& connection : network.connections)
        *d++ = stream.uniform(std::max(-radius, -connection.gene), std::min(radius, 1 - connection.gene));
    }
  }

  /// The networks that genotypes stand for.
  [[nodiscard]] cppn_population<space::host> networks(perturbations<space::host> const& p) const {
    cppn_population<space::host> all{std::vector(p.size(), network)};
    for (std::size_t i = 0; i < p.size(); ++i) {
      auto d = p.rows().row(i).begin();
      for (auto& connection : all.networks[i].connections) connection.gene = std::clamp(connection.gene + *d++, 0.f, 1.f);
    }
    return all;
  }

 private:
  // As the canvas that d is added to.
  [[nodiscard]] tensor<float, 4> own_genes() const {
    auto genes = filled<float, 4>({1, 1, 1, network.connections.size()});
    std::ranges::transform(network.connections, genes.begin(), &cppn_network::connection::gene);
    return genes;
  }
};

static_assert(NormedEncoding<cppn_weights, space::host>);

}  // namespace pareidolia
