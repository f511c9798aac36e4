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
#include <numeric>
#include <span>
#include <vector>

namespace pareidolia {

/// One list of placements for many images: deepception where the value of a list is the mean of the objective over the images, and it
/// succeeds when the share `fooled` of them does.
///
///     attack const one_for_all{patch{.sources = ranked, .copies = 10, .area = .1f}, clipped{margin{}, 2.f}, universal_deepception{}};
///
/// Clipped, since images that are far beyond their border would else outweigh those that are still to be fooled.
///
/// With more than `images` of them a candidate is looked at on a sample alone, another one in each round, and compared with the list as it
/// is on the same; each list that is pasted is looked at on all, and these looks alone decide. The answer is the first list that fools as
/// many as it should, else that which fools most, then that of the highest value. Patches that evoke the class to leave, or do not evoke
/// the class to reach, are pasted if that is the class of some of the images only.
///
/// Cost: a query is a look at each image, or at each of the sample. No image is looked at more often than the budget says.
/// Figures: the share that the best list fools ("fooled") and its "copies". Errors: those of deepception, no images, a share that is not in
/// (0, 1].
template <class Strategy = lazy_greedy>
struct universal_deepception {
  static_assert(
      PlacementStrategy<Strategy>,
      "universal_deepception: its strategy needs a type memory, ask(memory, round, random_stream) const and choose(memory, round, "
      "random_stream) const");

  Strategy strategy = {};
  std::size_t queries = 1000;    ///< of each image, the look at the image itself included
  float fooled = 1;              ///< share of the images that has to be fooled
  std::size_t images = 64;       ///< on which a candidate is looked at, at most
  std::size_t donors = 8;        ///< patches that a list is made of
  std::size_t stride = 0;        ///< pixels between places; 0: half the shorter side of the patch
  std::size_t together = 1;      ///< candidates in one chunk; more fill the batch where images are few, for some queries more
  std::size_t batch = 64;        ///< images of a step, at most; the result does not depend on it
  float scale = 1, opacity = 1;  ///< of the placements

  template <space S>
  class search;

  template <space S>
  [[nodiscard]] search<S> start(patch const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    if (images == 0 || batch == 0) detail::fail("universal_deepception: images is ", images, " and batch ", batch, "; give at least 1");
    if (!(fooled > 0 && fooled <= 1)) detail::fail("universal_deepception: fooled is ", fooled, "; give a share of the images, in (0, 1]");
    detail::placing_rules const rules{queries, donors, stride, together, scale, opacity, fooled, images < canvas.shape[0]};
    rules.check("universal_deepception");
    return search<S>(*this, rules, encoding, canvas, random);
  }
};
universal_deepception()->universal_deepception<>;

/// A running universal_deepception: the images that the lists in question are looked at on, and what they were worth there.
template <class Strategy>
template <space S>
class universal_deepception<Strategy>::search {
 public:
  search(universal_deepception const& policy, detail::placing_rules const& rules, patch const& encoding, const_image_view<S> canvas,
         rng const& random)
      : policy_(policy),
        random_(random.fork(1)),
        sources_(encoding.sources),
        asked_(encoding.buffer(0, canvas)),
        best_(encoding.buffer(1, canvas)),
        place_(policy.strategy, encoding, asked_.canvas, rules, random.fork(0)),
        all_(canvas.shape[0]),
        targets_(canvas.shape[0]) {
    std::iota(all_.begin(), all_.end(), std::size_t{0});
    fill();
  }

  [[nodiscard]] placements const& ask() const { return asked_; }
  [[nodiscard]] placements const& best() const { return best_; }
  [[nodiscard]] bool done() const { return place_.done(); }
  [[nodiscard]] standing where() const { return {place_.queries(), policy_.queries, figures_}; }
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
    a.setting("universal_deepception.queries", policy_.queries);
    a.setting("universal_deepception.fooled", policy_.fooled);
    a.setting("universal_deepception.images", policy_.images);
    a.setting("universal_deepception.donors", policy_.donors);
    a.setting("universal_deepception.stride", policy_.stride);
    a.setting("universal_deepception.together", policy_.together);
    a.setting("universal_deepception.batch", policy_.batch);
    a.setting("universal_deepception.scale", policy_.scale);
    a.setting("universal_deepception.opacity", policy_.opacity);
    detail::describe(a, "strategy", policy_.strategy);
    a("values", values_);
    a("successes", successes_);
    a("targets", targets_);
    a("targeted", targeted_);
    if constexpr (A::reading)
      while (learned_ < values_.size()) {
        if (done() || values_.size() < learned_ + canvases_.size() || successes_.size() != values_.size() || targets_.size() != all_.size())
          detail::fail("universal_deepception: the answers that were kept are not those to its questions; begin anew");
        learn();
      }
  }

 private:
  // The next answers, one for each row that was asked for.
  void learn() {
    for (std::size_t row = 0; row < canvases_.size(); ++row, ++learned_) {
      list_.push_back(double{values_[learned_]});
      fooled_ += successes_[learned_];
      if (list_.size() == viewers().size()) finish_list();
    }
    std::copy(place_.best().begin(), place_.best().end(), best_.row(0).begin());
    auto const copies = std::count_if(best_.all.begin(), best_.all.end(), [](placement const& p) { return p.source != placement::none; });
    figures_ = {{{"fooled", std::max(place_.fooled(), 0.)}, {"copies", static_cast<double>(copies)}}};
    fill();
  }

  // The images that the lists in question are shown on.
  [[nodiscard]] std::span<std::size_t const> viewers() const { return place_.itself() || sample_.empty() ? all_ : sample_; }

  void finish_list() {
    auto const n = static_cast<double>(list_.size());
    if (place_.queries() == 0) place_.allow(detail::donors_for(targets_, targeted_, sources_));
    bool const itself = place_.itself();
    place_.answer(std::accumulate(list_.begin(), list_.end(), 0.) / n, static_cast<double>(fooled_) / n);
    if (itself) std::swap(pasted_, list_);
    if (itself && empty_.empty()) empty_ = pasted_;
    list_.clear();
    fooled_ = 0;
    if (!place_.itself() && place_.rounds() != round_) begin_round();
  }

  // Other images for the candidates to be looked at on, and the value of the list as it is on them.
  void begin_round() {
    round_ = place_.rounds();
    if (policy_.images >= all_.size()) return;
    auto stream = random_.stream(round_);
    sample_ = all_;
    shuffle(std::span(sample_), stream);
    sample_.resize(policy_.images);
    auto const& values = place_.pasted() == 0 ? empty_ : pasted_;
    double sum = 0;
    for (std::size_t i : sample_) sum += values[i];
    place_.compare_with(sum / static_cast<double>(sample_.size()));
  }

  // List after list, each on all its viewers, from where the last step ended.
  void fill() {
    canvases_.clear();
    asked_.all.clear();
    auto const who = viewers();
    for (std::size_t k = list_.size(); k < place_.pending() * who.size() && canvases_.size() < policy_.batch; ++k) {
      canvases_.push_back(who[k % who.size()]);
      asked_.all.resize(canvases_.size() * asked_.copies);
      place_.write(k / who.size(), asked_.row(canvases_.size() - 1));
    }
  }

  universal_deepception policy_;
  rng random_;
  patches sources_;
  placements asked_, best_;
  detail::placing<Strategy> place_;
  std::vector<std::size_t> all_, sample_;  // images; those of the round, if not all
  std::vector<std::size_t> canvases_;      // whose the rows are
  std::vector<int> targets_;               // of all
  std::vector<float> values_;              // of all rows so far
  std::vector<std::uint8_t> successes_;
  std::vector<double> list_;            // of the list in question, on the images it has been shown on
  std::vector<double> pasted_, empty_;  // of the list as it is and of the empty one, on all
  std::size_t learned_ = 0;             // of the answers
  std::size_t fooled_ = 0, round_ = 0;  // by the list in question
  bool targeted_ = false;
  std::array<figure, 2> figures_{{{"fooled", 0}, {"copies", 0}}};
};

}  // namespace pareidolia
