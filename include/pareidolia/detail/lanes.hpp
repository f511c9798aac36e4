// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

// What searches image by image keep for each image of a batch, and how it moves when images leave and enter.

namespace pareidolia::detail {

/// The rows of a batch that stay in a turnover, as copy_rows wants them, and those that are new.
struct moves {
  std::vector<std::size_t> to, from, fresh;

  explicit moves(turnover const& t) {
    for (std::size_t i = 0; i < t.from.size(); ++i)
      if (t.from[i] == turnover::none)
        fresh.push_back(i);
      else
        to.push_back(i), from.push_back(t.from[i]);
  }
};

/// One vector of numbers for each image, such as a momentum; 0 for a new image.
template <space S>
class row_array {
 public:
  row_array() = default;
  row_array(std::size_t n, std::size_t length) : length_(length), values_({n, length}) {}

  [[nodiscard]] pareidolia::view<float, 2, S> view() { return values_.view(); }

  void replace(turnover const& t, moves const& m) {
    storage<float, 2, S> next({t.from.size(), length_});
    copy_rows(values_.view(), m.from, next.view(), m.to);
    values_ = std::move(next);
  }

 private:
  std::size_t length_ = 0;
  storage<float, 2, S> values_;
};

/// The same numbers, or whatever else: T{} for a new image.
template <class T>
void replace(std::vector<T>& values, turnover const& t, moves const& m) {
  for (std::size_t k = 0; k < m.to.size(); ++k)  // to <= from, ascending
    if (m.to[k] != m.from[k]) values[m.to[k]] = std::move(values[m.from[k]]);
  values.resize(t.from.size());
  for (std::size_t i : m.fresh) values[i] = T{};
}
template <space S>
void replace(row_array<S>& rows, turnover const& t, moves const& m) {
  rows.replace(t, m);
}

/// The images of a batch, and one or more genotypes for each.
template <class E, space S>
class lanes {
 public:
  using population = population_t<E, S>;
  /// Genotypes, one for each image. Neutral for a new one.
  using genotypes = std::unique_ptr<population>;

  lanes(E const& encoding, const_image_view<S> canvas, rng const& random)
      : encoding_(encoding), canvas_(canvas), random_(random), ids_(canvas.shape[0]) {
    std::iota(ids_.begin(), ids_.end(), std::uint64_t{0});
  }

  [[nodiscard]] std::size_t size() const { return ids_.size(); }
  [[nodiscard]] E const& encoding() const { return encoding_; }
  [[nodiscard]] const_image_view<S> canvas() const { return canvas_; }
  [[nodiscard]] rng const& random() const { return random_; }
  [[nodiscard]] std::span<std::uint64_t const> ids() const { return ids_; }

  [[nodiscard]] genotypes make() const { return genotypes(new population(encoding_.buffer(size(), canvas_))); }

  /// Room for one vector of the genotypes' length for each image.
  [[nodiscard]] row_array<S> make_rows(genotypes const& like) const { return {size(), like->rows().shape[1]}; }

  /// Random genotypes of the encoding for the images at these rows.
  void scatter(population& p, std::span<std::size_t const> rows, rng const& random) const {
    std::vector<std::uint64_t> ids;
    for (std::size_t row : rows) ids.push_back(ids_[row]);
    if (!rows.empty()) encoding_.scatter(p, rows, ids, random);
  }

  /// Makes the batch what t says; states are genotypes, row_arrays and vectors with one entry for each image. Returns the new rows.
  template <class... States>
  std::vector<std::size_t> replace(turnover const& t, const_image_view<S> canvas, States&... states) {
    moves m(t);
    canvas_ = canvas;
    ids_.assign(t.ids.begin(), t.ids.end());
    (replace_one(states, t, m), ...);
    return std::move(m.fresh);
  }

 private:
  void replace_one(genotypes& g, turnover const& t, moves const& m) const {
    genotypes next = make();
    next->assign(m.to, *g, m.from);
    if constexpr (LimitedPopulation<population>) {
      std::vector<float> limits;
      for (std::size_t i : m.fresh)
        if (!t.limits.empty()) limits.push_back(t.limits[i]);
      if (!limits.empty()) next->limit(m.fresh, limits);
    }
    g = std::move(next);
  }
  template <class State>
  void replace_one(State& state, turnover const& t, moves const& m) const {
    detail::replace(state, t, m);
  }

  E encoding_;
  const_image_view<S> canvas_;
  rng random_;
  std::vector<std::uint64_t> ids_;
};

/// Values of a row each, on the host.
template <space S>
[[nodiscard]] std::vector<float> on_host(view<float const, 1, S> values) {
  std::vector<float> result(values.shape[0]);
  copy(values, value_view<space::host>{result.data(), {result.size()}});
  return result;
}

}  // namespace pareidolia::detail
