// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encoding.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace pareidolia {

/// Genotypes of `staged` for a model that is not in host memory: those of E in host memory, and the canvas they were made for.
template <class E>
struct staged_population {
  population_t<E, space::host> genotypes;
  tensor<float, 4> canvas;
  std::unique_ptr<tensor<float, 4>> images = std::make_unique<tensor<float, 4>>();  ///< room for one batch on its way; has no meaning

  [[nodiscard]] std::size_t size() const { return genotypes.size(); }
  void assign(std::span<std::size_t const> to, staged_population const& source, std::span<std::size_t const> from) {
    genotypes.assign(to, source.genotypes, from);
  }

  /// The room, for images of that shape.
  template <class T, space S>
  [[nodiscard]] image_view<space::host> room_like(view<T, 4, S> x) const {
    images->resize(x.shape);
    return as_view(*images);
  }
};

/// An encoding that knows host memory alone, for models on a device: genotypes stay on the host, images are copied after each decode and
/// gradients before each pullback. On a host model it is the encoding itself.
///
///     attack const a{staged{my_encoding{}}, class_probability{}, map_elites{}};
///
/// It can do what the encoding can. Cost besides: one batch of images over the bus in each direction used, and as much host memory. A
/// population belongs to the canvas it was made for.
template <class E>
requires Encoding<E, space::host>
struct staged {
  E encoding;

  template <class A>
  void settings(A& a) const {
    detail::describe(a, "encoding", encoding);
  }

  template <space S>
  using population = std::conditional_t<S == space::host, population_t<E, space::host>, staged_population<E>>;

  [[nodiscard]] population<space::host> buffer(std::size_t n, const_image_view<space::host> canvas) const {
    return encoding.buffer(n, canvas);
  }
  template <space S>
  [[nodiscard]] staged_population<E> buffer(std::size_t n, view<float const, 4, S> canvas) const {
    auto here = filled<float, 4>(canvas.shape);
    copy(canvas, as_view(here));
    return {encoding.buffer(n, const_image_view<space::host>(as_view(here))), std::move(here)};
  }

  void decode(population<space::host> const& p, const_image_view<space::host> canvas, image_view<space::host> x) const {
    encoding.decode(p, canvas, x);
  }
  template <space S>
  void decode(staged_population<E> const& p, view<float const, 4, S>, view<float, 4, S> x) const {
    auto const images = p.room_like(x);
    encoding.decode(p.genotypes, as_view(p.canvas), images);
    copy(images, x);
  }

  void pullback(population<space::host> const& p, const_image_view<space::host> canvas, const_image_view<space::host> dx,
                population<space::host>& dp) const requires DifferentiableEncoding<E, space::host> {
    encoding.pullback(p, canvas, dx, dp);
  }
  template <space S>
  void pullback(staged_population<E> const& p, view<float const, 4, S>, view<float const, 4, S> dx,
                staged_population<E>& dp) const requires DifferentiableEncoding<E, space::host> {
    auto const gradients = p.room_like(dx);
    copy(dx, gradients);
    encoding.pullback(p.genotypes, as_view(p.canvas), const_image_view<space::host>(gradients), dp.genotypes);
  }

  void draw(population<space::host>& children, rng const& random) const requires EvolvableEncoding<E, space::host> {
    encoding.draw(children, random);
  }
  void draw(staged_population<E>& children, rng const& random) const requires EvolvableEncoding<E, space::host> {
    encoding.draw(children.genotypes, random);
  }
  void vary(population<space::host> const& parents, population<space::host>& children,
            rng const& random) const requires EvolvableEncoding<E, space::host> {
    encoding.vary(parents, children, random);
  }
  void vary(staged_population<E> const& parents, staged_population<E>& children,
            rng const& random) const requires EvolvableEncoding<E, space::host> {
    encoding.vary(parents.genotypes, children.genotypes, random);
  }

  [[nodiscard]] staged at(std::size_t generation) const requires ScheduledEncoding<E, space::host> { return {encoding.at(generation)}; }
};
template <class E>
staged(E) -> staged<E>;

}  // namespace pareidolia
