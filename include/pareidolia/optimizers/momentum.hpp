// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/attempts.hpp>
#include <pareidolia/detail/lanes.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// Gives an optimizer the gradient with a memory (Dong et al., CVPR 2018), image by image: momentum{.9f, pgd{}} is their MI-FGSM.
///
///   m <- share m + grad v / ||grad v||_1
///
/// Cost: that of the optimizer, and 2 genotypes for each image. Errors: a share that is negative or not a number.
template <class O>
struct momentum {
  float share = .9f;
  O optimizer = {};

  template <class A>
  void settings(A& a) const {
    a.setting("momentum.share", share);
    detail::describe(a, "optimizer", optimizer);
  }

  template <class E, space S>
  class search;

  template <class E, space S>
  requires ImagewiseOptimizer<O, E, S> && GradientOptimizer<O, E, S> && VectorPopulation<population_t<E, S>, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (!(share >= 0)) detail::fail("momentum: share is ", share, "; give 0 or more");
    return search<E, S>(share, optimizer.start(encoding, canvas, random), encoding, canvas, random);
  }
};
template <class O>
momentum(float, O) -> momentum<O>;

/// A running momentum.
template <class O>
template <class E, space S>
class momentum<O>::search : public detail::forwarding<search_t<O, E, S>, E, S> {
 public:
  using inner = search_t<O, E, S>;
  using population = population_t<E, S>;

  search(float share, inner follower, E const& encoding, const_image_view<S> canvas, rng const& random)
      : detail::forwarding<inner, E, S>(std::move(follower)),
        share_(share),
        lanes_(encoding, canvas, random),
        told_(lanes_.make()),
        memory_(lanes_.make_rows(told_)) {}

  [[nodiscard]] population const& best() const { return inner_.best(); }
  [[nodiscard]] std::span<std::uint8_t const> finished() const { return inner_.finished(); }
  [[nodiscard]] bool done() const { return inner_.done(); }
  [[nodiscard]] standing where() const { return inner_.where(); }

  void tell(evaluation<S> const& e) requires SparingSearch<inner, E, S> { inner_.tell(e); }

  void tell(evaluation<S> const& e, population const& dp) {
    auto const m = memory_.view();
    std::vector<double> norm(lanes_.size());
    norm1_rows(dp.rows(), norm);
    std::vector<float> factor;
    for (double n : norm) factor.push_back(n > 0 ? static_cast<float>(1 / n) : 0.f);
    scale_rows(std::vector<float>(lanes_.size(), share_), m);
    axpy_rows(factor, dp.rows(), m);
    copy(view<float const, 2, S>(m), told_->rows());
    inner_.tell(e, *told_);
  }

  void replace(turnover const& t, const_image_view<S> canvas) {
    lanes_.replace(t, canvas, told_, memory_);
    inner_.replace(t, canvas);
  }

 private:
  using detail::forwarding<inner, E, S>::inner_;

  float share_;
  detail::lanes<E, S> lanes_;
  typename detail::lanes<E, S>::genotypes told_;  // the memory, as the optimizer reads it
  detail::row_array<S> memory_;
};

}  // namespace pareidolia
