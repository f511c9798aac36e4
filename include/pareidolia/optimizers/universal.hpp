// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/lanes.hpp>
#include <pareidolia/detail/nearest_border.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/optimizer.hpp>
#include <pareidolia/optimizers/deepfool.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// One perturbation v for many images (Moosavi-Dezfooli et al., CVPR 2017, algorithm 1):
///
///   v = 0;  for each image x of the shuffled X that x + v does not fool:  v <- Proj(v + DeepFool(x + v));  again, until more than
///   1 - delta of X are fooled.
///
/// As in the authors' code DeepFool is that of l2 whatever the ball, and what it finds in its last two steps does not count. Labels say
/// what an image is to leave: for the paper's fooling rate give those of the model, classified(model, images).
///
///     attack const one_for_all{perturbation{linf{10 / 255.f}}, misclassification{}, universal{}};
///
/// Images are looked at ahead, up to `batch` of them under the v of the moment. Those before the first that is not fooled are passed over,
/// those after it are looked at again under the next v: the order, and so the result, is the paper's. With `together` > 1 it is not: then
/// as many images wait for each other, go through DeepFool in one batch from the same v, and are added to it as they are done; this keeps
/// the model's batch full. The answer is the v of the pass after which most were fooled, in the paper the last.
///
/// Its outcome has v in `shared`; shown() applies it to other images. Cost: in each pass two forwards of each image, or up to four where
/// few are fooled, and DeepFool on those that were not fooled. Memory: 2 genotypes and 5 for each image of `together`. Errors: no passes
/// or images to look at, a delta that is not in [0, 1], those of deepfool.
struct universal {
  float delta = .2f;         ///< share of the images that may stay as they are
  std::size_t passes = 10;   ///< at most
  std::size_t together = 1;  ///< images that DeepFool moves at the same time; 1: the paper
  std::size_t batch = 64;    ///< images looked at ahead, at most
  deepfool nearest = {.classes = 10, .overshoot = .02f, .steps = 10};

  template <class E, space S>
  class search;

  template <class E, space S>
  requires ConstrainedEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (!(delta >= 0 && delta <= 1)) detail::fail("universal: delta is ", delta, "; give a share of the images, in [0, 1]");
    if (passes == 0) detail::fail("universal: passes is 0; give at least 1");
    if (together == 0 || batch == 0) detail::fail("universal: together is ", together, " and batch ", batch, "; give at least 1");
    nearest.check();
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running universal: looks for images that v does not fool, moves v by what fools them, and counts after each pass.
template <class E, space S>
class universal::search {
 public:
  using population = population_t<E, S>;

  search(universal const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        encoding_(encoding),
        canvas_(canvas),
        random_(random),
        v_(make(1)),
        next_v_(make(1)),
        best_(make(1)),
        p_(make(1)),
        border_(0, length()),
        order_(canvas.shape[0]) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    begin_pass();
  }

  [[nodiscard]] population const& ask() const { return doing_ == task::fool ? *p_ : *v_; }
  [[nodiscard]] population const& best() const { return pass_ == 0 ? *v_ : *best_; }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] standing where() const { return {pass_, policy_.passes, figures_}; }
  [[nodiscard]] std::span<std::size_t const> canvases() const {
    return doing_ == task::fool ? std::span<std::size_t const>(group_) : std::span(order_).subspan(next_, ahead());
  }

  std::size_t backwards(evaluation<S> const& e) {
    if (doing_ != task::fool) return 0;
    for (std::size_t i = 0; i < group_.size(); ++i) finished_[i] = e.success(i) || (trying_ && taken_[i] == policy_.nearest.steps);
    for (std::size_t i = 0; i < group_.size(); ++i) fooled_[i] = e.success(i);
    return trying_ ? 0 : border_.look(e, finished_, policy_.nearest.classes);
  }
  void seed(std::size_t k, score_view<S> dy) { border_.seed(k, dy); }
  void learn(std::size_t k, population const& dp) {
    border_.learn(k, dp.rows(), [](view<float, 2, S> g) { l2{}.steepest(g); });
  }

  void tell(evaluation<S> const& e) {
    if (doing_ == task::look)
      look(e);
    else if (doing_ == task::fool)
      trying_ ? leave() : move();
    else
      count(e);
  }

  template <class A>
  void state(A& a) {
    a.setting("universal.together", policy_.together);
    a.setting("universal.classes", policy_.nearest.classes);
    a.setting("universal.overshoot", policy_.nearest.overshoot);
    a.setting("universal.steps", policy_.nearest.steps);
    a("pass", pass_);
    a("order", order_);
    a("next", next_);
    a("ahead", ahead_);
    a("counted", counted_);
    a("doing", doing_);
    a("v", *v_);
    a("best", *best_);
    column(a, "figures", figures_, &figure::value);
    if constexpr (A::reading) done_ = pass_ > 0 && over();
    a("group", group_);
    if (doing_ != task::fool) return;
    a("trying", trying_);
    a("next v", *next_v_);
    if constexpr (A::reading) make_room();
    a("taken", taken_);
    auto r = r_.view();
    a("r", r);
    a("border", border_);
    if constexpr (A::reading) place(trying_ ? factor() : 1);
  }

 private:
  enum class task : std::uint8_t { look, fool, count };
  using genotypes = std::unique_ptr<population>;

  [[nodiscard]] genotypes make(std::size_t n) const { return genotypes(new population(encoding_.buffer(n, canvas_))); }
  [[nodiscard]] std::size_t length() const { return v_->rows().shape[1]; }

  [[nodiscard]] std::size_t ahead() const {
    std::size_t const most = doing_ == task::count ? policy_.batch : std::min(ahead_, policy_.batch);
    return std::min(most, order_.size() - next_);
  }

  void begin_pass() {
    auto stream = random_.fork(pass_).stream(0);
    shuffle(std::span(order_), stream);
    doing_ = task::look;
    next_ = 0;
    ahead_ = policy_.together;
  }

  // Passes over images that v fools, up to the last that the group has room for.
  void look(evaluation<S> const& e) {
    auto const seen = canvases();
    std::size_t passed = 0;
    for (; passed < seen.size() && group_.size() < policy_.together; ++passed)
      if (!e.success(passed)) group_.push_back(seen[passed]);
    next_ += passed;
    ahead_ = group_.empty() ? 2 * ahead_ : policy_.together;
    if (group_.size() == policy_.together || (next_ == order_.size() && !group_.empty()))
      begin_group();
    else if (next_ == order_.size())
      begin_count();
  }

  void begin_group() {
    doing_ = task::fool;
    trying_ = false;
    make_room();
    place(0);
    copy(std::as_const(*v_).rows(), next_v_->rows());
  }

  // For a group, nothing of which is known yet.
  void make_room() {
    std::size_t const n = group_.size();
    r_ = {n, length()};
    border_ = {n, length()};
    taken_.assign(n, 0);
    finished_.assign(n, 0);
    fooled_.assign(n, 0);
  }

  // p_i = v + factor r_i.
  void place(float factor) {
    std::size_t const n = group_.size();
    p_ = make(n);
    std::vector<std::size_t> to(n), from(n);
    std::iota(to.begin(), to.end(), std::size_t{0});
    p_->assign(to, *v_, from);
    axpy_rows(std::vector<float>(n, factor), r_.view(), p_->rows());
  }

  void move() {
    std::vector<float> lengths;
    for (std::size_t i = 0; i < group_.size(); ++i) {
      auto const distance = static_cast<float>(border_[i].distance());
      lengths.push_back(!finished_[i] && std::isfinite(distance) ? distance : 0.f);
      taken_[i] += !finished_[i];
    }
    axpy_rows(lengths, border_.directions(), r_.view());
    place(factor());
    trying_ = true;
  }

  // Those of the group that are fooled move the next v; the others go on.
  void leave() {
    float const further = factor();
    std::vector<std::size_t> from, who;
    std::vector<std::uint64_t> ids;
    for (std::size_t i = 0; i < group_.size(); ++i) {
      if (!finished_[i]) {
        from.push_back(i), who.push_back(group_[i]), ids.push_back(group_[i]);
      } else if (fooled_[i] && taken_[i] + 1 < policy_.nearest.steps) {
        axpy_rows(std::span(&further, 1), view<float const, 2, S>(r_.view().rows(i, 1)), next_v_->rows());
        encoding_.project(*next_v_, canvas_);
      }
    }
    group_ = std::move(who);
    trying_ = false;
    if (group_.empty()) {
      std::swap(v_, next_v_);
      doing_ = task::look;
      if (next_ == order_.size()) begin_count();
      return;
    }
    turnover const t{from, ids};
    detail::moves const m(t);
    border_.replace(t);
    detail::replace(r_, t, m);
    detail::replace(taken_, t, m);
    finished_.assign(group_.size(), 0);
    fooled_.assign(group_.size(), 0);
    place(1);
  }

  void begin_count() {
    doing_ = task::count;
    next_ = counted_ = 0;
  }

  void count(evaluation<S> const& e) {
    for (std::size_t i = 0; i < e.targets.size(); ++i) counted_ += e.success(i);
    next_ += e.targets.size();
    if (next_ < order_.size()) return;
    double const rate = static_cast<double>(counted_) / static_cast<double>(order_.size());
    if (pass_ == 0 || rate > figures_[1].value) {
      copy(std::as_const(*v_).rows(), best_->rows());
      figures_[1].value = rate;
    }
    figures_[0].value = rate;
    ++pass_;
    done_ = over();
    begin_pass();
  }

  // After a pass, the last of which fooled figures_[0].
  [[nodiscard]] bool over() const { return pass_ >= policy_.passes || figures_[0].value > 1 - double{policy_.delta}; }

  // By which steps go beyond the border.
  [[nodiscard]] float factor() const { return 1 + policy_.nearest.overshoot; }

  universal policy_;
  E encoding_;
  const_image_view<S> canvas_;
  rng random_;
  genotypes v_, next_v_, best_, p_;
  detail::nearest_border<S> border_;
  detail::row_array<S> r_;
  std::vector<std::size_t> order_, group_, taken_;
  std::vector<std::uint8_t> finished_, fooled_;
  std::size_t pass_ = 0, next_ = 0, ahead_ = 0, counted_ = 0;
  task doing_ = task::look;
  bool trying_ = false, done_ = false;
  std::array<figure, 2> figures_{{{"fooled", 0}, {"best", 0}}};
};

}  // namespace pareidolia
