// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/birth.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace pareidolia {

/// MAP-Elites whose children climb: evolution finds where, gradients go up.
///
///   each generation, the random one included:
///     evaluate the children and offer each to the cells of all classes; each aims at one class
///     `steps` times: every child steps uphill towards its class; evaluate the children and offer each to the cells of all classes
///
/// What was learnt is inherited: a champion's genotype is the one that won (Lamarckian). A step that does not lead up is followed by half
/// of one, from where it led.
///
/// The class a child aims at, with v(k) its value for class k and c(k) that of the champion, or of the best child if that is larger:
/// `promise` is the class of largest v(k) / c(k) (1 - c(k)), what is left to win there times how near the child is to it; `descent` is the
/// class whose champion is its parent (in generation 0 that of largest promise). So values are probabilities: class_probability.
///
/// What it brings: with pixels much, with networks little where classes are many, since there every look at another child is a chance for
/// all of them. Mean confidence over the 1000 classes of SqueezeNet 1.1 after 3000 forwards and backwards, in one run each of 100 children:
/// pixels .002 evolved, .164 polished (rate .01; .160 by descent); cppn .083 evolved, .035 polished (rate .003; .033 by descent; .049
/// with one step).
///
///     attack const dream{pixels{}, class_probability{}, polished{.inner = {.generations = 500}, .steps = 3}};
///
/// A step of the run is one look at all children, so a generation takes steps + 1. Figures: those of map_elites, and "climbed", the mean
/// increase of the children's values for their classes in their last steps. With steps = 0 it is map_elites.
///
/// Cost of a generation: children * (steps + 1) forwards, children * steps backwards. Memory: that of map_elites and `children` genotypes
/// more. Errors: a rate that is not positive, values above 1.
struct polished {
  enum class aim { promise, descent };

  map_elites inner = {};
  std::size_t steps = 3;  ///< that each child climbs
  float rate = .01f;      ///< length of the first step: the most that a gene changes, in units of genes; .003 suits networks
  aim towards = aim::promise;

  template <class E, space S>
  class search;

  template <class E, space S>
  requires EvolvableEncoding<E, S> && ClimbingEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (!(rate > 0)) detail::fail("polished: rate is ", rate, "; give more than 0");
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running polished; a TargetingSearch.
template <class E, space S>
class polished::search {
 public:
  using population = population_t<E, S>;

  search(polished const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        encoding_(encoding),
        inner_(policy.inner.start(encoding, canvas, random)),
        climbing_(encoding.buffer(policy.inner.children, canvas)),
        all_(policy.inner.children),
        targets_(all_.size()),
        values_(all_.size()),
        lengths_(all_.size()) {
    std::iota(all_.begin(), all_.end(), std::size_t{0});
  }

  [[nodiscard]] population const& ask() const { return look() == 0 ? inner_.ask() : climbing_; }
  [[nodiscard]] bool done() const { return inner_.done(); }
  [[nodiscard]] population const& best() const { return inner_.best(); }
  [[nodiscard]] std::span<elite const> elites() const { return inner_.elites(); }
  [[nodiscard]] std::vector<birth> const& births() const { return inner_.births(); }

  /// step is the look that was told last, the first being 0.
  [[nodiscard]] standing where() const {
    return {looks_ == 0 ? 0 : looks_ - 1, (policy_.inner.generations + 1) * (policy_.steps + 1) - 1, figures_};
  }

  void tell(classwise_evaluation<S> const& e) {
    tensor<float, 2> values(e.values.shape);
    copy(e.values, as_view(values));
    if (look() == 0)
      aim_at(as_view(values));
    else
      judge(values);
    inner_.offer(ask(), e);
    report();
    wants_gradients_ = look() < policy_.steps;
    if (!wants_gradients_) inner_.next();
    // The children are asked for until learn() has moved them.
    if (wants_gradients_ && look() == 0) climbing_.assign(all_, inner_.ask(), all_);
    ++looks_;
  }

  [[nodiscard]] label_view targets() const { return wants_gradients_ ? label_view(targets_) : label_view(); }

  void learn(population const& dp) { encoding_.climb(climbing_, dp, lengths_); }

  template <class A>
  void state(A& a) {
    a.setting("polished.steps", policy_.steps);
    a.setting("polished.rate", policy_.rate);
    a.setting("polished.towards", policy_.towards);
    a("inner", inner_);
    a("looks", looks_);
    a("climbed", climbed_);
    if (look() > 0) {
      a("climbing", climbing_);
      a("targets", targets_);
      a("values", values_);
      a("lengths", lengths_);
    }
    if constexpr (A::reading) report();
  }

 private:
  // Steps that the children have taken.
  [[nodiscard]] std::size_t look() const { return looks_ % (policy_.steps + 1); }

  // Chooses the class of each child.
  void aim_at(view<float const, 2> v) {
    std::size_t const classes = v.shape[1];
    std::vector<std::size_t> row(classes);
    std::vector<float> top(classes);
    best_rows(v, row, top);
    auto const elites = inner_.elites();
    for (std::size_t k = 0; k < elites.size(); ++k) top[k] = std::max(top[k], elites[k].value);
    if (auto const highest = *std::max_element(top.begin(), top.end()); highest > 1.001f)
      detail::fail("polished: the objective is ", highest, "; it climbs probabilities, which are 1 at most: class_probability");
    std::vector<float> worth;  // of being as good as the champion, for each unit of value
    for (float c : top) worth.push_back(c > 0 ? std::max(1 - c, 0.f) / c : 0.f);
    for (std::size_t i : all_) {
      auto const values = v.row(i);
      std::size_t target = 0;
      if (policy_.towards == aim::descent && !elites.empty())
        target = inner_.origins()[i];
      else
        for (std::size_t k = 1; k < classes; ++k)
          if (values[k] * worth[k] > values[target] * worth[target]) target = k;
      targets_[i] = static_cast<int>(target);
      values_[i] = values[target];
      lengths_[i] = policy_.rate;
    }
    climbed_ = 0;
  }

  // What the last step has brought each child; who gained nothing by it takes half of one next.
  void judge(tensor<float, 2> const& values) {
    double gains = 0;
    for (std::size_t i : all_) {
      float const value = values(i, static_cast<std::size_t>(targets_[i]));
      gains += double{value} - double{values_[i]};
      if (!(value > values_[i])) lengths_[i] /= 2;
      values_[i] = value;
    }
    climbed_ = gains / static_cast<double>(all_.size());
  }

  void report() {
    auto const inner = inner_.where().figures;
    figures_.assign(inner.begin(), inner.end());
    figures_.push_back({"climbed", climbed_});
  }

  polished policy_;
  E encoding_;
  map_elites::search<E, S> inner_;
  population climbing_;
  std::vector<std::size_t> all_;  // of the children
  std::vector<int> targets_;      // the class each aims at
  std::vector<float> values_;     // for it, at the last look
  std::vector<float> lengths_;    // of their next steps
  std::size_t looks_ = 0;         // that were told
  bool wants_gradients_ = false;
  double climbed_ = 0;
  std::vector<figure> figures_;
};

}  // namespace pareidolia
