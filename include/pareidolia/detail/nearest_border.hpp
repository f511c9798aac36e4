// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/highest_classes.hpp>
#include <pareidolia/detail/lanes.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// The nearest border of the class of each image, where scores f are taken for linear (Moosavi-Dezfooli et al., CVPR 2016, eq. 8 to 11).
///
/// With k_0 the class of an image and k each of its candidates,
///   w_k = grad f_k - grad f_{k_0},  gap_k = |f_k - f_{k_0}|,  d_k = argmax over ||d|| = 1 of <w_k, d>,  distance_k = gap_k / <w_k, d_k>,
/// the nearest is that of the smallest distance, and distance_k d_k leads there. <w_k, d_k> is the dual norm of w_k, which is what the
/// paper divides by in every l_p. A backward from e_k - e_{k_0} gives w_k, so k borders cost k backwards. A border without a normal,
/// w_k = 0, is infinitely far.
///
/// Candidates are chosen when an image is first seen: the class to reach where there is one, else those of the highest scores but its own.
template <space S>
class nearest_border {
 public:
  nearest_border(std::size_t n, std::size_t length) : images_(n), direction_(n, length), normal_(n, length), tried_(n, length) {}

  /// The images of e but those that are `finished`; `classes`: how many candidates and the own class. How many borders there are to learn.
  std::size_t look(evaluation<S> const& e, std::span<std::uint8_t const> finished, std::size_t classes) {
    scores_ = filled<float, 2>(e.scores.shape);
    copy(e.scores, as_view(scores_));
    std::size_t borders = 0;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      auto& image = images_[i];
      image.own = e.labels[i];
      image.found = {};
      image.seen = finished[i] == 0;
      if (!image.seen) continue;
      if (image.candidates.empty())
        image.candidates = e.targeted ? std::vector<int>{e.targets[i]} : highest_classes(as_view(scores_).row(i), classes, image.own);
      borders = std::max(borders, image.candidates.size());
    }
    return borders;
  }

  /// Where the backward starts that gives the k-th border of each image.
  void seed(std::size_t k, score_view<S> dy) {
    seeds_ = filled<float, 2>(dy.shape);
    for (std::size_t i = 0; i < images_.size(); ++i)
      if (has(i, k)) {
        at(seeds_, i, images_[i].candidates[k]) += 1;
        at(seeds_, i, images_[i].own) -= 1;
      }
    copy(view<float const, 2>(as_view(seeds_)), dy);
  }

  /// What came of it, w (count, length); `steepest(g)` turns rows of g, gradients, into steps of length 1.
  template <class Steepest>
  void learn(std::size_t k, view<float const, 2, S> w, Steepest const& steepest) {
    auto const d = tried_.view();
    copy(w, d);
    steepest(d);
    slopes_.resize(images_.size());
    dot_rows(w, d, slopes_);
    std::vector<std::size_t> nearer;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (!has(i, k) || !(slopes_[i] > 0)) continue;
      double const gap = double{at(scores_, i, images_[i].own)} - double{at(scores_, i, images_[i].candidates[k])};
      if (gap / slopes_[i] < images_[i].found.distance()) {
        images_[i].found = {gap, slopes_[i]};
        nearer.push_back(i);
      }
    }
    copy_rows(d, nearer, direction_.view(), nearer);
    copy_rows(w, nearer, normal_.view(), nearer);
  }

  /// The nearest border of an image: how much its scores differ, and how fast that shrinks along the step there.
  struct border {
    double gap = std::numeric_limits<double>::infinity(), slope = 1;
    [[nodiscard]] double distance() const { return gap / slope; }
  };
  [[nodiscard]] border const& operator[](std::size_t i) const { return images_[i].found; }

  /// Of the nearest borders (count, length): d, of length 1, and w.
  [[nodiscard]] view<float const, 2, S> directions() { return direction_.view(); }
  [[nodiscard]] view<float const, 2, S> normals() { return normal_.view(); }

  /// Of each image its candidates; the rest is learned anew in each step.
  template <class A>
  void state(A& a) {
    std::vector<std::size_t> counts;
    std::vector<int> candidates;
    for (image const& one : images_) {
      counts.push_back(one.candidates.size());
      candidates.insert(candidates.end(), one.candidates.begin(), one.candidates.end());
    }
    a("counts", counts);
    a("candidates", candidates);
    if constexpr (A::reading) {
      if (counts.size() != images_.size() || std::accumulate(counts.begin(), counts.end(), std::size_t{0}) != candidates.size())
        fail("state: the candidates of ", images_.size(), " images are damaged; begin anew");
      auto next = candidates.begin();
      for (std::size_t i = 0; i < images_.size(); ++i) {
        auto const end = next + static_cast<std::ptrdiff_t>(counts[i]);
        images_[i].candidates.assign(next, end);
        next = end;
      }
    }
  }

  void replace(turnover const& t) {
    moves const m(t);
    detail::replace(images_, t, m);
    for (auto* rows : {&direction_, &normal_, &tried_}) rows->replace(t, m);
  }

 private:
  struct image {
    std::vector<int> candidates;
    int own = 0;
    bool seen = false;
    border found;
  };

  static float& at(tensor<float, 2>& of, std::size_t i, int k) { return of(i, static_cast<std::size_t>(k)); }

  [[nodiscard]] bool has(std::size_t i, std::size_t k) const { return images_[i].seen && k < images_[i].candidates.size(); }

  std::vector<image> images_;
  row_array<S> direction_, normal_, tried_;
  tensor<float, 2> scores_, seeds_;
  std::vector<double> slopes_;
};

}  // namespace pareidolia::detail
