// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/placing.hpp>
#include <pareidolia/encodings/patch.hpp>
#include <pareidolia/optimizer.hpp>
#include <pareidolia/optimizers/placement_strategies.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pareidolia {

/// Patches of donor images pasted until the network errs: a black-box attack by what Ouarti and Carmona (arXiv 1808.04433, 2018) found out
/// about patches.
///
///     attack const fool{patch{.sources = ranked, .copies = 30, .overlap = false, .area = .3f}, margin{}, deepception{}};
///
/// The algorithm is ours: of theirs, which has the same name, nothing but the abstract is known. For each image:
///   look at it as it is
///   the next `donors` patches, in the order of the sources; a list of placements, empty at first
///     a round: the strategy looks at candidates, the list with one more of these patches at one place of a grid, and pastes one of them
///     until the list is full, nothing fits or nothing raises the value; then the same with the next patches, and after the last with the
///     first again, at places that are shifted at random
///   until a list succeeds or the queries are spent.
/// The answer is the first list that succeeded, just as it was asked for, else that of the highest value. Patches that are known to evoke
/// the class to leave are never pasted; nor, where there is a class to reach, any but those that evoke it, unless there are none.
/// Overlap, covered area, feather and number of copies are the encoding's: what it would not show is not asked for.
///
/// Candidates of an image are asked for `together` at a time; the batch is filled with those of as many images as it holds. Neither the
/// images' company nor the batch changes what becomes of an image. An image's queries never exceed the budget, not by one.
///
/// Figures: images that are done ("finished"), of them those that succeeded ("fooled"), and their mean number of "queries".
/// Errors: no queries, donors, candidates together or rows in a batch, a scale or opacity outside its range.
template <class Strategy = lazy_greedy>
struct deepception {
  static_assert(PlacementStrategy<Strategy>,
                "deepception: its strategy needs a type memory, ask(memory, round, random_stream) const and choose(memory, round, "
                "random_stream) const");

  Strategy strategy = {};
  std::size_t queries = 1000;    ///< for each image, the look at the image itself included
  std::size_t donors = 8;        ///< patches that a list is made of
  std::size_t stride = 0;        ///< pixels between places; 0: half the shorter side of the patch
  std::size_t together = 1;      ///< candidates of an image in one chunk; more fill the batch where images are few, for some queries more
  std::size_t batch = 64;        ///< images of a step, at most; the result does not depend on it
  float scale = 1, opacity = 1;  ///< of the placements

  template <space S>
  class search;

  template <space S>
  [[nodiscard]] search<S> start(patch const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (batch == 0) detail::fail("deepception: batch is 0; give at least 1");
    detail::placing_rules const rules{queries, donors, stride, together, scale, opacity};
    rules.check("deepception");
    return search<S>(*this, rules, encoding, canvas, random);
  }
};
deepception()->deepception<>;

/// A running deepception: the state of each image, and whose candidates are asked for.
template <class Strategy>
template <space S>
class deepception<Strategy>::search {
 public:
  search(deepception const& policy, detail::placing_rules const& rules, patch const& encoding, const_image_view<S> canvas,
         rng const& random)
      : policy_(policy),
        sources_(encoding.sources),
        asked_(encoding.buffer(0, canvas)),
        best_(encoding.buffer(canvas.shape[0], canvas)),
        targets_(canvas.shape[0]) {
    for (std::size_t i = 0; i < canvas.shape[0]; ++i) images_.emplace_back(policy.strategy, encoding, asked_.canvas, rules, random.fork(i));
    for (std::size_t i = 0; i < images_.size(); ++i) waiting_.push_back(i);
    fill();
  }

  [[nodiscard]] placements const& ask() const { return asked_; }
  [[nodiscard]] placements const& best() const { return best_; }
  [[nodiscard]] bool done() const { return waiting_.empty(); }
  [[nodiscard]] standing where() const { return {images_.size() - waiting_.size(), images_.size(), figures_}; }
  [[nodiscard]] std::span<std::size_t const> canvases() const { return canvases_; }

  void tell(evaluation<S> const& e) {
    std::size_t const before = values_.size();
    values_.resize(before + canvases_.size());
    copy(e.values, value_view<space::host>{values_.data() + before, {canvases_.size()}});
    for (std::size_t row = 0; row < canvases_.size(); ++row) {
      successes_.push_back(e.success(row));
      targets_[canvases_[row]] = e.targets[row];
    }
    targeted_ = e.targeted;
    learn();
  }

  /// The answers of the model, from which the search does again what it did.
  template <class A>
  void state(A& a) {
    a.setting("deepception.queries", policy_.queries);
    a.setting("deepception.donors", policy_.donors);
    a.setting("deepception.stride", policy_.stride);
    a.setting("deepception.together", policy_.together);
    a.setting("deepception.batch", policy_.batch);
    a.setting("deepception.scale", policy_.scale);
    a.setting("deepception.opacity", policy_.opacity);
    detail::describe(a, "strategy", policy_.strategy);
    a("values", values_);
    a("successes", successes_);
    a("targets", targets_);
    a("targeted", targeted_);
    if constexpr (A::reading)
      while (learned_ < values_.size()) {
        if (done() || values_.size() < learned_ + canvases_.size() || successes_.size() != values_.size() ||
            targets_.size() != images_.size())
          detail::fail("deepception: the answers that were kept are not those to its questions; begin anew");
        learn();
      }
  }

 private:
  // The next answers, one for each row that was asked for.
  void learn() {
    for (std::size_t row = 0; row < canvases_.size(); ++row, ++learned_) {
      auto& image = images_[canvases_[row]];
      label_view const target = label_view(targets_).subspan(canvases_[row], 1);
      if (image.queries() == 0) image.allow(detail::donors_for(target, targeted_, sources_));
      image.answer(double{values_[learned_]}, successes_[learned_]);
    }
    for (std::size_t row = 0; row < canvases_.size(); ++row)
      if (std::size_t const i = canvases_[row]; row + 1 == canvases_.size() || canvases_[row + 1] != i) {
        std::copy(images_[i].best().begin(), images_[i].best().end(), best_.row(i).begin());
        if (images_[i].done()) count(i);
      }
    std::erase_if(waiting_, [&](std::size_t i) { return images_[i].done(); });
    fill();
  }

  // What waits for an answer, image after image, as far as there is room.
  void fill() {
    canvases_.clear();
    asked_.all.clear();
    for (std::size_t i : waiting_) {
      std::size_t const first = canvases_.size(), count = std::min(images_[i].pending(), policy_.batch - first);
      canvases_.insert(canvases_.end(), count, i);
      asked_.all.resize(canvases_.size() * asked_.copies);
      for (std::size_t k = 0; k < count; ++k) images_[i].write(k, asked_.row(first + k));
      if (canvases_.size() == policy_.batch) break;
    }
  }

  void count(std::size_t i) {
    double const n = ++figures_[0].value;
    figures_[1].value += images_[i].succeeded();
    figures_[2].value += (static_cast<double>(images_[i].queries()) - figures_[2].value) / n;
  }

  deepception policy_;
  patches sources_;
  placements asked_, best_;
  std::vector<detail::placing<Strategy>> images_;
  std::vector<std::size_t> waiting_;   // images that are not done
  std::vector<std::size_t> canvases_;  // whose the rows are
  std::vector<float> values_;          // of all rows so far
  std::vector<std::uint8_t> successes_;
  std::vector<int> targets_;  // of the images
  std::size_t learned_ = 0;   // of the answers
  bool targeted_ = false;
  std::array<figure, 3> figures_{{{"finished", 0}, {"fooled", 0}, {"queries", 0}}};
};

}  // namespace pareidolia
