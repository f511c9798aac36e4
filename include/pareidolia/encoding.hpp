// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
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

/// A smooth encoding whose genotypes can go a step uphill, whatever they are made of.
///
/// `e.climb(p, dp, lengths)` moves genotype i along dp_i, a gradient, to one that is permitted and none of whose numbers differs by more
/// than lengths[i]; one whose gradient is 0 stays. p and dp are as pullback() takes and makes them.
template <class E, space S>
concept ClimbingEncoding = DifferentiableEncoding<E, S> &&
    requires(E const& e, population_t<E, S>& p, population_t<E, S> const& dp, std::span<float const> lengths) {
  { e.climb(p, dp, lengths) } -> std::same_as<void>;
};

/// Genotypes that are vectors of numbers: `p.rows()` is a view (size, length) of them, so that searches can add to them and scale them.
template <class P, space S>
concept VectorPopulation = Population<P> && requires(P& p, P const& q) {
  { p.rows() } -> std::same_as<view<float, 2, S>>;
  { q.rows() } -> std::same_as<view<float const, 2, S>>;
};

/// A smooth encoding by vectors of which some are not permitted: images leave [0, 1], or are too far from their canvas.
///
/// `e.project(p, canvas)` replaces each genotype by the nearest one that is permitted, or by a permitted one near it where the nearest is
/// dear; a permitted one stays as it is. Genotype i belongs to canvas i mod canvases.
template <class E, space S>
concept ConstrainedEncoding = DifferentiableEncoding<E, S> && VectorPopulation<population_t<E, S>, S> &&
    requires(E const& e, population_t<E, S>& p, const_image_view<S> canvas) {
  { e.project(p, canvas) } -> std::same_as<void>;
};

/// A constrained encoding that measures its steps in a norm.
///
/// `e.steepest(p, canvas, g)` replaces each row of g (size, length), a gradient, by the step d of length 1 in that norm with the largest
/// <g, d> that genotype i may take; a row of zeros stays. `e.scatter(p, rows, ids, random)` makes genotype rows[k] a random one of the
/// ball, drawn from random.stream(ids[k]).
template <class E, space S>
concept NormedEncoding = ConstrainedEncoding<E, S> &&
    requires(E const& e, population_t<E, S>& p, population_t<E, S> const& q, const_image_view<S> canvas, view<float, 2, S> g,
             std::span<std::size_t const> rows, std::span<std::uint64_t const> ids, rng const& random) {
  { e.steepest(q, canvas, g) } -> std::same_as<void>;
  { e.scatter(p, rows, ids, random) } -> std::same_as<void>;
};

/// Genotypes with a limit each, the radius of the ball they may be in. `p.limit(rows, radii)` sets that of genotype rows[k] to radii[k];
/// `p.limits()` are all of them (size).
template <class P>
concept LimitedPopulation = Population<P> && requires(P& p, P const& q, std::span<std::size_t const> rows, std::span<float const> radii) {
  { p.limit(rows, radii) } -> std::same_as<void>;
  { q.limits() } -> std::convertible_to<std::span<float const>>;
};

/// Genotypes that are not vectors, but can be written as such: `p.packed()` is an array of numbers, a row for each, from which
/// `p.unpack(rows)` makes them again. So they can be stored, and shown on other canvases.
template <class P>
concept PackedPopulation = Population<P> && requires(P& p, P const& q) {
  p.unpack(q.packed());
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
