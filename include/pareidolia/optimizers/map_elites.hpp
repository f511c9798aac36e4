// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/birth.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// MAP-Elites (Mouret and Clune 2015) with one cell per class, as Nguyen, Yosinski and Clune (CVPR 2015) fool networks with it.
///
///   evaluate `children` random images and offer each to the cells of all classes
///   each generation:
///     children / 2 times: two parents uniformly from the champions of all cells, make two children of them by vary()
///     evaluate all children; for each class: the best child replaces the champion if it is strictly better
///
/// The archive changes after the whole batch, as in the released code. One image may hold many cells, so a champion may be paired with
/// itself. A NaN never wins.
///
/// Generation 0 is the random one; the first tell() is for it. `generations` counts those of children, so a run takes generations + 1
/// steps and evaluates (generations + 1) * children images. Figures after each: "replaced" (cells whose champion changed) and "median",
/// "mean", "max", "min" of the champions' values. Everything random belongs to the generation, random.fork(generation), so a run is the
/// prefix of a longer one. An encoding with a schedule is asked for its state at each generation.
///
/// Cost: the images' evaluation; besides it one copy of `children` genotypes and vary(). Memory: 2 * children + classes genotypes.
/// Errors: no children; more than one canvas (a champion belongs to a class, not to a canvas); a class for which every value of
/// generation 0 is NaN.
struct map_elites {
  std::size_t children = 200;     ///< images per generation
  std::size_t generations = 200;  ///< after the random one

  /// The paper's runs. Of the children it says nothing: as in the authors' code. On ImageNet the value of a class is its mean confidence
  /// over ten crops of an image of 256 x 256: models/crops.hpp.
  static constexpr map_elites paper_mnist();
  static constexpr map_elites paper_imagenet_cppn();
  static constexpr map_elites paper_imagenet_direct();

  /// As the authors' experiment files have it.
  static constexpr map_elites released_mnist_cppn();
  static constexpr map_elites released_mnist_direct();
  static constexpr map_elites released_imagenet_cppn();
  static constexpr map_elites released_imagenet_direct();

  template <class E, space S>
  class search;

  template <class E, space S>
  requires EvolvableEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (children == 0) detail::fail("map_elites: children is 0; give at least 1");
    if (canvas.shape[0] != 1)
      detail::fail("map_elites: it keeps one champion per class and starts from 1 image, not ", canvas.shape[0],
                   "; give blank(model.input())");
    return search<E, S>(*this, encoding, canvas, random);
  }
};

constexpr map_elites map_elites::paper_mnist() { return {.children = 200, .generations = 200}; }
constexpr map_elites map_elites::paper_imagenet_cppn() { return {.children = 400, .generations = 5000}; }
constexpr map_elites map_elites::paper_imagenet_direct() { return {.children = 200, .generations = 20'000}; }
constexpr map_elites map_elites::released_mnist_cppn() { return {.children = 200, .generations = 1001}; }
constexpr map_elites map_elites::released_mnist_direct() { return {.children = 200, .generations = 1010}; }
constexpr map_elites map_elites::released_imagenet_cppn() { return {.children = 400, .generations = 5001}; }
constexpr map_elites map_elites::released_imagenet_direct() { return {.children = 200, .generations = 5010}; }

/// The champion of one class.
struct elite {
  float value = 0;               ///< its objective
  std::size_t generation = 0;    ///< that made it
  std::size_t replacements = 0;  ///< champions the cell has had, this one included
  std::uint64_t id = 0;          ///< how many images were evaluated before it
};

namespace detail {

/// Champions and births as parts of a state.
template <class A>
void columns(A& a, std::vector<elite>& items) {
  column(a, "value", items, &elite::value);
  column(a, "generation", items, &elite::generation);
  column(a, "replacements", items, &elite::replacements);
  column(a, "id", items, &elite::id);
}
template <class A>
void columns(A& a, std::vector<birth>& items) {
  column(a, "id", items, &birth::id);
  column(a, "parent", items, &birth::parent);
  column(a, "generation", items, &birth::generation);
  column(a, "cell", items, &birth::cell);
  column(a, "from", items, &birth::from);
  column(a, "value", items, &birth::value);
}

}  // namespace detail

/// A running map_elites; a ClasswiseSearch.
template <class E, space S>
class map_elites::search {
 public:
  using population = population_t<E, S>;

  search(map_elites const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        encoding_(encoding),
        canvas_(canvas),
        random_(random),
        parents_(encoding.buffer(policy.children, canvas)),
        children_(encoding.buffer(policy.children, canvas)),
        from_(policy.children),
        to_(policy.children),
        parent_(policy.children) {
    std::iota(to_.begin(), to_.end(), std::size_t{0});
    scheduled().draw(children_, random_.fork(0));
  }

  [[nodiscard]] population const& ask() const { return children_; }
  [[nodiscard]] bool done() const { return generation_ > policy_.generations; }
  [[nodiscard]] population const& best() const { return *champions_; }

  /// The champion of each class; none before the first tell.
  [[nodiscard]] std::span<elite const> elites() const { return elites_; }

  /// For each child that is asked for the class whose champion its parent is. Without meaning in generation 0.
  [[nodiscard]] std::span<std::size_t const> origins() const { return from_; }

  /// step is the generation that was told last.
  [[nodiscard]] standing where() const { return {generation_ == 0 ? 0 : generation_ - 1, policy_.generations, figures_}; }

  /// Every champion there has been, in order.
  [[nodiscard]] std::vector<birth> const& births() const { return births_; }

  template <class A>
  void state(A& a) {
    a.setting("map_elites.children", policy_.children);
    a("generation", generation_);
    auto elites = a.part("elites"), births = a.part("births");
    detail::columns(elites, elites_);
    if constexpr (A::reading) begin_archive(elites_.size());
    champions(a);
    detail::columns(births, births_);
    column(a, "figures", figures_, &figure::value);
    if constexpr (A::reading)
      if (!done()) breed();
    a("evaluated", evaluated_);
    // Not those of breed() within a generation of several offers. A run that is done has none: it made no more children.
    auto origins = done() ? std::vector<std::size_t>() : from_;
    auto parents = done() ? std::vector<std::uint64_t>() : parent_;
    a("origins", origins);
    a("parents", parents);
    if constexpr (A::reading) {
      if (origins.empty()) return;
      auto const no_cell = [this](std::size_t origin) { return origin >= elites_.size(); };
      if (origins.size() != from_.size() || parents.size() != from_.size() || std::any_of(origins.begin(), origins.end(), no_cell))
        detail::fail("map_elites: the parents that were kept are damaged; begin anew");
      from_ = std::move(origins);
      parent_ = std::move(parents);
    }
  }

  void tell(classwise_evaluation<S> const& e) {
    offer(children_, e);
    next();
  }

  /// Offers the champions of another archive, one for each class: a better one takes its cell, with its id. It is no birth, and may be a
  /// parent from the generation on that is asked for next.
  void welcome(population const& guests, std::span<elite const> theirs) {
    std::vector<std::size_t> cells;
    for (std::size_t k = 0; k < elites_.size(); ++k)
      if (theirs[k].value > elites_[k].value) {
        elites_[k] = {theirs[k].value, theirs[k].generation, elites_[k].replacements + 1, theirs[k].id};
        cells.push_back(k);
      }
    if (cells.empty()) return;
    champions_->assign(cells, guests, cells);
    summarise(static_cast<std::size_t>(figures_[0].value));
    if (!done()) breed();
  }

  /// What tell() does, in two: offers the children, or what became of them, to the cells of all classes, the best one of each class against
  /// its champion; and makes the next generation.
  void offer(population const& children, classwise_evaluation<S> const& e) {
    const_score_view<S> const values = e.values;
    std::size_t const classes = values.shape[1];
    if (evaluated_ == 0) {
      elites_.assign(classes, {-std::numeric_limits<float>::infinity(), 0, 0, 0});
      begin_archive(classes);
    }
    best_rows(values, winner_, best_);
    std::vector<std::size_t> cells, winners;
    for (std::size_t k = 0; k < classes; ++k) {
      if (!(best_[k] > elites_[k].value)) continue;
      bool const drawn = generation_ == 0;
      std::size_t const child = winner_[k];
      elites_[k] = {best_[k], generation_, elites_[k].replacements + 1, evaluated_ + child};
      auto const cell = static_cast<std::uint32_t>(k);
      births_.push_back({elites_[k].id, drawn ? birth::none : parent_[child], generation_, cell,
                         drawn ? cell : static_cast<std::uint32_t>(from_[child]), best_[k]});
      cells.push_back(k);
      winners.push_back(winner_[k]);
    }
    if (evaluated_ == 0 && cells.size() < classes)
      detail::fail("map_elites: some class has no image with a value in generation 0; check that the objective gives numbers");
    champions_->assign(cells, children, winners);
    evaluated_ += policy_.children;
    summarise(cells.size());
  }
  void next() {
    ++generation_;
    if (!done()) breed();
  }

 private:
  // Each genotype once, however many cells it holds.
  template <class A>
  void champions(A& a) {
    std::map<std::uint64_t, std::size_t> number;  // of an id
    std::vector<std::size_t> cells, first, all, which;
    for (std::size_t k = 0; k < elites_.size(); ++k) {
      auto const [at, is_new] = number.try_emplace(elites_[k].id, first.size());
      if (is_new) first.push_back(k), all.push_back(all.size());
      cells.push_back(k);
      which.push_back(at->second);
    }
    population distinct(encoding_.buffer(first.size(), canvas_));
    if constexpr (!A::reading) distinct.assign(all, *champions_, first);
    a("champions", distinct);
    if constexpr (A::reading) champions_->assign(cells, distinct, which);
  }

  void begin_archive(std::size_t classes) {
    champions_.reset(new population(encoding_.buffer(classes, canvas_)));  // asks no move of a population
    winner_.resize(classes);
    best_.resize(classes);
  }

  // The children of the generation that is asked for next.
  void breed() {
    rng const random = random_.fork(generation_);
    auto selection = random.fork(0).stream(0);
    for (std::size_t& parent : from_) parent = selection.below(static_cast<std::uint32_t>(elites_.size()));
    for (std::size_t i = 0; i < from_.size(); ++i) parent_[i] = elites_[from_[i]].id;
    parents_.assign(to_, *champions_, from_);
    scheduled().vary(parents_, children_, random.fork(1));
  }

  // The encoding as this generation uses it.
  [[nodiscard]] decltype(auto) scheduled() const {
    if constexpr (ScheduledEncoding<E, S>)
      return encoding_.at(generation_);
    else
      return (encoding_);
  }

  void summarise(std::size_t replaced) {
    std::vector<float> values;
    for (elite const& e : elites_) values.push_back(e.value);
    double const mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    bool const even = values.size() % 2 == 0;
    double const median = even ? (double{*std::max_element(values.begin(), middle)} + double{*middle}) / 2 : double{*middle};
    figures_ = {{{"replaced", static_cast<double>(replaced)},
                 {"median", median},
                 {"mean", mean},
                 {"max", double{*std::max_element(middle, values.end())}},
                 {"min", double{*std::min_element(values.begin(), middle + 1)}}}};
  }

  map_elites policy_;
  E encoding_;
  const_image_view<S> canvas_;
  rng random_;
  population parents_, children_;
  std::unique_ptr<population> champions_;  // made when the number of classes is known
  std::vector<elite> elites_;
  std::vector<std::size_t> from_, to_;  // parents of the children, and the children
  std::vector<std::uint64_t> parent_;   // ids of the parents
  std::vector<birth> births_;
  std::vector<std::size_t> winner_;  // for each class the best child
  std::vector<float> best_;          // and its value
  std::size_t generation_ = 0;       // of the children that were asked for
  std::uint64_t evaluated_ = 0;      // images that were offered
  std::array<figure, 5> figures_{{{"replaced", 0}, {"median", 0}, {"mean", 0}, {"max", 0}, {"min", 0}}};
};

}  // namespace pareidolia
