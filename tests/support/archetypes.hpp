// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/engine.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/optimizer.hpp>
#include <pareidolia/probe.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

// For each concept the least type that models it: it cannot be copied or moved, its results are only convertible to what they must be,
// and it has no member that the concept does not ask for. Code that compiles with these asks for no more than the contracts say.

namespace pareidolia_test {

using namespace pareidolia;

struct pinned {
  pinned() = default;
  pinned(pinned const&) = delete;
  pinned& operator=(pinned const&) = delete;
};

/// Converts to T and does nothing else.
template <class T>
struct only_convertible {
  T value{};
  operator T() const { return value; }
};

// ------------------------------------------------------------------ models

template <space S>
struct model : pinned {
  static constexpr space memory = S;
  struct workspace : pinned {};
  only_convertible<image_shape> input() const { return {{1, 2, 2}}; }
  int classes() const { return 3; }
  workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<S>, score_view<S> y, workspace&) const { std::fill_n(y.data, y.size(), 0.f); }
};

template <space S>
struct smooth_model : model<S> {
  void backward(const_score_view<S>, image_view<S> dx, typename model<S>::workspace&) const { std::fill_n(dx.data, dx.size(), 0.f); }
};

template <space S>
struct trainable_model : model<S> {
  int parameters() const { return 0; }
  void read(std::span<float>) const {}
  void write(std::span<float const>) {}
  void backward_weights(const_score_view<S>, std::span<float>, typename model<S>::workspace&) const {}
};

template <space S>
struct layered_model : model<S> {
  using model<S>::prepare;
  using workspace = typename model<S>::workspace;
  std::vector<std::string> layers() const { return {"only"}; }
  only_convertible<image_shape> shape_of(std::string const&) const { return {{2, 1, 1}}; }
  workspace prepare(std::size_t, std::vector<std::string> const&) const { return {}; }
  void activation(std::string const&, image_view<S> to, workspace&) const { std::fill_n(to.data, to.size(), 0.f); }
};

template <space S>
struct fingerprinted_model : model<S> {
  only_convertible<std::uint64_t> fingerprint() const { return {17}; }
};

// --------------------------------------------------------------- encodings

struct encoding_verbs {
  template <space S>
  struct population : pinned {
    std::size_t count;
    explicit population(std::size_t n) : count(n) {}
    only_convertible<std::size_t> size() const { return {count}; }
    void assign(std::span<std::size_t const>, population const&, std::span<std::size_t const>) {}
  };
  template <space S>
  population<S> buffer(std::size_t n, view<float const, 4, S>) const {
    return population<S>(n);
  }
  template <space S>
  void decode(population<S> const&, view<float const, 4, S>, view<float, 4, S> x) const {
    std::fill_n(x.data, x.size(), 0.5f);
  }
};
struct encoding : encoding_verbs, pinned {};

struct smooth_encoding : encoding {
  template <space S>
  void pullback(population<S> const&, view<float const, 4, S>, view<float const, 4, S>, population<S>&) const {}
};

/// Genotypes of two numbers.
template <space S>
struct vectors : encoding_verbs::population<S> {
  storage<float, 2, S> numbers;
  explicit vectors(std::size_t n) : encoding_verbs::population<S>(n), numbers({n, 2}) {}
  void assign(std::span<std::size_t const>, vectors const&, std::span<std::size_t const>) {}
  view<float, 2, S> rows() { return numbers.view(); }
  view<float const, 2, S> rows() const { return numbers.view(); }
};
/// Normed encodings are kept by the search.
struct normed_encoding {
  template <space S>
  using population = vectors<S>;
  template <space S>
  vectors<S> buffer(std::size_t n, view<float const, 4, S>) const {
    return vectors<S>(n);
  }
  template <space S>
  void decode(vectors<S> const&, view<float const, 4, S>, view<float, 4, S> x) const {
    std::fill_n(x.data, x.size(), 0.5f);
  }
  template <space S>
  void pullback(vectors<S> const&, view<float const, 4, S>, view<float const, 4, S>, vectors<S>&) const {}
  template <space S>
  void project(vectors<S>&, view<float const, 4, S>) const {}
  template <space S>
  void steepest(vectors<S> const&, view<float const, 4, S>, view<float, 2, S>) const {}
  template <space S>
  void scatter(vectors<S>&, std::span<std::size_t const>, std::span<std::uint64_t const>, rng const&) const {}
};

/// Evolvable encodings are kept by the search, so these may be copied.
struct evolvable_encoding : encoding_verbs {
  template <space S>
  void draw(population<S>&, rng const&) const {}
  template <space S>
  void vary(population<S> const&, population<S>&, rng const&) const {}
};
struct scheduled_encoding : evolvable_encoding {
  scheduled_encoding at(std::size_t) const { return {}; }
};
struct climbing_encoding : evolvable_encoding {
  template <space S>
  void pullback(population<S> const&, view<float const, 4, S>, view<float const, 4, S>, population<S>&) const {}
  template <space S>
  void climb(population<S>&, population<S> const&, std::span<float const>) const {}
};

// -------------------------------------------------------------- objectives

template <space S>
struct objective : pinned {
  static constexpr only_convertible<bool> targeted{true};
  void value(const_score_view<S>, label_view, value_view<S> v) const { std::fill_n(v.data, v.size(), 0.f); }
};
template <space S>
struct smooth_objective : objective<S> {
  void seed(const_score_view<S>, label_view, score_view<S> dy) const { std::fill_n(dy.data, dy.size(), 0.f); }
};
template <space S>
struct classwise_objective : objective<S> {
  void values(const_score_view<S>, score_view<S> v) const { std::fill_n(v.data, v.size(), 0.f); }
};

template <space S>
struct smooth_classwise_objective : smooth_objective<S> {
  void values(const_score_view<S>, score_view<S> v) const { std::fill_n(v.data, v.size(), 0.f); }
};

template <space S>
struct image_objective : smooth_objective<S> {
  void add_value(const_image_view<S>, const_image_view<S>, value_view<S>) const {}
  void add_gradient(const_image_view<S>, const_image_view<S>, image_view<S>) const {}
};

// -------------------------------------------------------------- optimizers

/// A search of two steps.
template <class E, space S>
struct search : pinned {
  population_t<E, S> asked;
  std::size_t steps = 0;

  search(E const& e, const_image_view<S> canvas) : asked(e.buffer(4, canvas)) {}
  population_t<E, S> const& ask() { return asked; }
  only_convertible<bool> done() const { return {steps == 2}; }
  population_t<E, S> const& best() const { return asked; }
  only_convertible<standing> where() const { return {}; }
};
template <class E, space S>
struct score_search : search<E, S> {
  using search<E, S>::search;
  void tell(evaluation<S> const&) { ++this->steps; }
};
template <class E, space S>
struct classwise_search : search<E, S> {
  using search<E, S>::search;
  void tell(classwise_evaluation<S> const&) { ++this->steps; }
};
/// Wants gradients for what it asks for in its first step.
template <class E, space S>
struct targeting_search : classwise_search<E, S> {
  using classwise_search<E, S>::classwise_search;
  std::vector<int> wanted{2, 1, 0, 2};
  only_convertible<label_view> targets() const { return {this->steps == 1 ? label_view(wanted) : label_view()}; }
  void learn(population_t<E, S> const&) {}
};
template <class E, space S>
struct gradient_search : search<E, S> {
  using search<E, S>::search;
  void tell(evaluation<S> const&, population_t<E, S> const&) { ++this->steps; }
};

template <class E, space S>
struct sparing_search : gradient_search<E, S> {
  using gradient_search<E, S>::gradient_search;
  using gradient_search<E, S>::tell;
  only_convertible<bool> wants_gradients() const { return {this->steps == 0}; }
  void tell(evaluation<S> const&) { ++this->steps; }
};
template <class E, space S>
struct jacobian_search : search<E, S> {
  using search<E, S>::search;
  only_convertible<std::size_t> backwards(evaluation<S> const&) { return {3}; }
  void seed(std::size_t, score_view<S> dy) { std::fill_n(dy.data, dy.size(), 0.f); }
  void learn(std::size_t, population_t<E, S> const&) {}
  void tell(evaluation<S> const&) { ++this->steps; }
};
/// Shows its 4 genotypes on 2 canvases.
template <class E, space S>
struct sampling_search : score_search<E, S> {
  using score_search<E, S>::score_search;
  std::vector<std::size_t> chosen{1, 0};
  only_convertible<std::span<std::size_t const>> canvases() const { return {chosen}; }
};
/// Gives every image two steps, however the images come.
template <class E, space S>
struct imagewise_search : pinned {
  E const& encoding;
  const_image_view<S> canvas;
  std::unique_ptr<population_t<E, S>> asked;
  std::vector<std::size_t> steps;
  std::vector<std::uint8_t> over;

  imagewise_search(E const& e, const_image_view<S> c)
      : encoding(e), canvas(c), asked(new population_t<E, S>(e.buffer(c.shape[0], c))), steps(c.shape[0]), over(c.shape[0]) {}
  population_t<E, S> const& ask() { return *asked; }
  only_convertible<bool> done() const { return {false}; }
  population_t<E, S> const& best() const { return *asked; }
  only_convertible<standing> where() const { return {}; }
  void tell(evaluation<S> const&) {
    for (std::size_t i = 0; i < steps.size(); ++i) over[i] = ++steps[i] == 2;
  }
  only_convertible<std::span<std::uint8_t const>> finished() const { return {over}; }
  void replace(turnover const& t, const_image_view<S> c) {
    std::vector<std::size_t> next;
    for (std::size_t from : t.from) next.push_back(from == turnover::none ? 0 : steps[from]);
    canvas = c;
    steps = next;
    over.assign(next.size(), 0);
    asked.reset(new population_t<E, S>(encoding.buffer(next.size(), c)));
  }
};

/// An optimizer whose searches are Search<E, S>.
template <template <class, space> class Search>
struct optimizer : pinned {
  template <class E, space S>
  Search<E, S> start(E const& e, view<float const, 4, S> canvas, rng const&) const {
    return {e, canvas};
  }
};
using deaf = optimizer<search>;  // its searches cannot be told anything
using climber = optimizer<score_search>;
using collector = optimizer<classwise_search>;
using aimer = optimizer<targeting_search>;
using follower = optimizer<gradient_search>;
using sparer = optimizer<sparing_search>;
using chooser = optimizer<jacobian_search>;
using sampler = optimizer<sampling_search>;
using walker = optimizer<imagewise_search>;

// ------------------------------------------------------------------ probes

template <space S>
struct probe : pinned {
  struct result : pinned {};
  result measure(model<S> const&, const_image_view<S>, label_view) const { return {}; }
};

// ----------------------------------------------------------------- engines

template <class T, space S>
struct engine : pinned {
  using scalar = T;
  static constexpr space memory = S;
  struct parameters : pinned {
    int size() const { return 0; }
    void read(std::span<T>) const {}
    void write(std::span<T const>) {}
  };
  struct plan : pinned {
    void forward(view<T const, 4, S>, view<T, 2, S>) {}
    void activation(std::size_t, view<T, 4, S>) {}
    void backward(view<T const, 2, S>, view<T, 4, S>) {}
    void backward_weights(view<T const, 2, S>, std::span<T>) {}
  };
  parameters load(graph const&, weights const&) const { return {}; }
  plan compile(parameters const&, std::size_t) const { return {}; }
  plan compile(parameters const&, std::size_t, std::vector<std::size_t>) const { return {}; }
};

struct nothing {};

}  // namespace pareidolia_test
