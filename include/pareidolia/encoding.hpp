// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>

#include <concepts>
#include <cstddef>
#include <span>

namespace pareidolia {

class rng;

/// A batch of genotypes, stored however the encoding likes.
///
/// `p.size()` counts them. `p.assign(to, q, from)` copies genotype from[k] of q to genotype to[k] of p, for every k: gather and scatter in
/// one verb. p and q are different objects; the entries of `to` are distinct.
template <class P>
concept Population = requires(P& p, P const& q, std::span<std::size_t const> indices) {
  { q.size() } -> std::convertible_to<std::size_t>;
  { p.assign(indices, q, indices) } -> std::same_as<void>;
};

template <class E, space S>
using population_t = typename E::template population<S>;  ///< a batch of genotypes of encoding E in memory space S

/// How a genotype becomes an image.
///
/// `canvas` (canvases, channels, height, width) holds the images the attack starts from. `e.buffer(n, canvas)` makes n neutral genotypes
/// fit for that canvas. `e.decode(p, canvas, x)` writes x (count, channels, height, width) in [0, 1]: image i shows genotype i mod p.size()
/// on canvas i mod canvases, where count is the larger of the two and a multiple of the smaller. So one genotype on N canvases is a
/// universal perturbation, and N genotypes on one blank canvas are N fooling images.
///
/// The encoding is a value without memory space: the same one serves host and device models.
template <class E, space S>
concept Encoding = Population<population_t<E, S>> &&
    requires(E const& e, std::size_t n, population_t<E, S> const& p, const_image_view<S> canvas, image_view<S> x) {
  { e.buffer(n, canvas) } -> std::same_as<population_t<E, S>>;
  { e.decode(p, canvas, x) } -> std::same_as<void>;
};

/// `e.pullback(p, canvas, dx, dp)` writes dp = J_decode(p)^T dx, summed over the canvases a genotype was shown on.
template <class E, space S>
concept DifferentiableEncoding = Encoding<E, S> &&
    requires(E const& e, population_t<E, S> const& p, const_image_view<S> canvas, const_image_view<S> dx, population_t<E, S>& dp) {
  { e.pullback(p, canvas, dx, dp) } -> std::same_as<void>;
};

/// Genotypes that can be drawn and varied: what genetic search and MAP-Elites ask for.
///
/// `e.draw(children, r)` fills `children` with random genotypes. `e.vary(parents, children, r)` makes child i from parent i; neighbours 2j
/// and 2j + 1 are a couple that may cross over. Child i draws from r.stream(i) (a couple from that of its first), so the result does not
/// depend on threads. children.size() == parents.size(); the two are different objects.
template <class E, space S>
concept EvolvableEncoding = Encoding<E, S> &&
    requires(E const& e, population_t<E, S> const& parents, population_t<E, S>& children, rng const& r) {
  { e.draw(children, r) } -> std::same_as<void>;
  { e.vary(parents, children, r) } -> std::same_as<void>;
};

/// An evolvable encoding whose variation changes while a search goes on, such as a mutation rate that is halved every so often.
///
/// `e.at(generation)` is the encoding as that generation uses it; it differs from e in draw() and vary() only. Searches that have
/// generations ask for it, others vary with e as it is.
template <class E, space S>
concept ScheduledEncoding = EvolvableEncoding<E, S> && requires(E const& e, std::size_t generation) {
  { e.at(generation) } -> std::same_as<E>;
};

}  // namespace pareidolia
