// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encodings/patch.hpp>
#include <pareidolia/optimizers/placement_strategies.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia::detail {

/// What searches by placements have in common.
struct placing_rules {
  std::size_t queries, donors, stride, together;
  float scale, opacity;
  float goal = 1;        ///< share that has to be fooled
  bool confirm = false;  ///< candidates are looked at on a part of the images: only lists that are pasted count, by a look at them all

  void check(std::string_view who) const {
    if (queries == 0 || donors == 0 || together == 0)
      fail(who, ": queries is ", queries, ", donors ", donors, " and together ", together, "; give at least 1");
    if (!(scale > 0 && scale <= 1e3f && opacity > 0 && opacity <= 1))
      fail(who, ": scale is ", scale, " and opacity ", opacity, "; give (0, 1000] and (0, 1]");
  }
};

/// The patches to paste into images of these classes, in order: to leave a class those that do not evoke it, to reach one those that do, or
/// all if none does. One that is good for any of the images is, and one whose class is not known always.
[[nodiscard]] inline std::vector<std::uint32_t> donors_for(label_view targets, bool targeted, patches const& all) {
  std::vector<std::uint32_t> good(all.size());
  std::iota(good.begin(), good.end(), std::uint32_t{0});
  if (all.evokes().empty()) return good;
  auto const everyone = good;
  std::erase_if(good, [&](std::uint32_t k) {
    return std::none_of(targets.begin(), targets.end(), [&](int t) { return (all.evokes()[k] == t) == targeted; });
  });
  return good.empty() && targeted ? everyone : good;
}

/// Places of a patch: `stride` apart, 0 for half its shorter side, in the middle of what is left over, or `shift` (two shares in [0, 1)) of
/// the stride from the edge. A patch that is larger than the canvas has one place, in its middle.
[[nodiscard]] inline place_grid grid_of(patch encoding, placement const& one, image_shape const& canvas, std::size_t stride,
                                        std::optional<std::array<float, 2>> const& shift) {
  encoding.area = 1;
  auto const size = encoding.shown(std::span(&one, 1), canvas).front();
  place_grid g{.source = one.source, .height = size.height, .width = size.width};
  g.stride = stride != 0 ? static_cast<std::int32_t>(stride) : std::max(1, std::min(g.height, g.width) / 2);
  auto const along = [&](std::size_t axis, std::int32_t side, std::int32_t& start, std::size_t& count) {
    auto const room = static_cast<std::int32_t>(canvas[1 + axis]) - side;
    start = room % g.stride / 2;
    if (room <= 0) start = room / 2;
    if (room > 0 && shift) start = static_cast<std::int32_t>((*shift)[axis] * static_cast<float>(std::min(g.stride, room + 1)));
    count = static_cast<std::size_t>(std::max(room - start, 0) / g.stride) + 1;
  };
  along(0, g.height, g.top, g.rows);
  along(1, g.width, g.left, g.columns);
  return g;
}

/// The search for one list of placements: attempts with some donors each, rounds that add a copy each, chunks of candidates to look at.
///
/// The list as it begins, without a placement, is looked at first. Each answer is the value of a list and the share of images that it
/// fools. The best list is that which fools most, then that of the highest value, then the first. The search is over when one fools enough,
/// when the queries are spent, or when there is nothing left to look at.
template <class Strategy>
class placing {
 public:
  placing(Strategy const& strategy, patch const& encoding, image_shape const& canvas, placing_rules const& rules, rng const& random)
      : strategy_(strategy),
        encoding_(encoding),
        canvas_(canvas),
        rules_(rules),
        random_(random),
        stream_(random.stream(0)),
        list_(encoding.copies),
        best_(encoding.copies) {}

  /// The sources that may be pasted, in order; before the first answer.
  void allow(std::vector<std::uint32_t> donors) { donors_ = std::move(donors); }

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] std::size_t queries() const { return queries_; }
  [[nodiscard]] bool succeeded() const { return static_cast<float>(fooled_) >= rules_.goal; }
  [[nodiscard]] double fooled() const { return fooled_; }                  ///< by the best list
  [[nodiscard]] std::span<placement const> best() const { return best_; }  ///< the list
  [[nodiscard]] std::size_t pasted() const { return round_ ? round_->pasted() : 0; }
  [[nodiscard]] std::size_t rounds() const { return rounds_; }  ///< that have begun

  /// Lists that wait for their answers: a chunk, or the list as it is.
  [[nodiscard]] std::size_t pending() const { return itself_ ? 1 : chunk_ - answered_; }
  [[nodiscard]] bool itself() const { return itself_; }

  /// Writes the k-th of them.
  void write(std::size_t k, std::span<placement> list) const {
    std::copy(list_.begin(), list_.end(), list.begin());
    if (!itself_) list[round_->pasted()] = round_->at(queue_[answered_ + k]);
  }

  /// The answer to the first of them.
  void answer(double value, double fooled) {
    ++queries_;
    if (round_) round_->spend_query();
    if ((itself_ || !rules_.confirm) && !succeeded() && std::pair{fooled, value} > std::pair{fooled_, highest_}) {
      fooled_ = fooled;
      highest_ = value;
      write(0, best_);
    }
    if (itself_) {
      itself_ = false;
      value_ = value;
      if (queries_ == 1) empty_value_ = value;
      next();
    } else {
      round_->learn({queue_[answered_], value - value_});
      if (++answered_ == chunk_) next();
    }
  }

  /// What candidates of this round are compared with, in place of the value of the list as it was.
  void compare_with(double value) { value_ = value; }

 private:
  void next() {
    if (succeeded() || queries_ == rules_.queries || donors_.empty() || (!round_ && !begin_list())) return end();
    while (answered_ == queue_.size()) {
      if (round_->pasted() == list_.size() && !begin_list()) return end();
      queue_ = strategy_.ask(memory_, *round_, stream_);
      answered_ = 0;
      for (std::size_t c : queue_) check(c);
      if (!queue_.empty()) break;
      std::size_t const chosen = strategy_.choose(memory_, *round_, stream_);
      if (chosen == placement_round::none) {
        if (!begin_list()) return end();
      } else if (paste(chosen); itself_) {
        return;
      }
    }
    chunk_ = std::min({answered_ + rules_.together, queue_.size(), answered_ + rules_.queries - queries_});
  }

  void check(std::size_t candidate) const {
    if (candidate >= round_->candidates() || !round_->fits(candidate))
      fail("placement strategy: it names candidate ", candidate, " of ", round_->candidates(), ", which is not there or does not fit; ",
           "ask for what round.fits(), round.all() or round.draw() say");
  }

  void paste(std::size_t chosen) {
    check(chosen);
    auto const looks = round_->looks();
    auto const seen = std::find_if(looks.begin(), looks.end(), [&](auto const& one) { return one.candidate == chosen; });
    itself_ = rules_.confirm || seen == looks.end();
    if (!itself_) value_ += seen->gain;
    list_[round_->pasted()] = round_->at(chosen);
    round_->paste(chosen);
    ++rounds_;
  }

  // An empty list and the next donors; false if none of them could be pasted since they were first used.
  bool begin_list() {
    if (next_donor_ == donors_.size()) {
      if (queries_ == spent_before_) return false;
      next_donor_ = 0;
      ++turn_;
    }
    if (next_donor_ == 0) spent_before_ = queries_;
    std::optional<std::array<float, 2>> shift;
    if (auto stream = random_.fork(0).stream(turn_); turn_ > 0) shift = std::array{stream.uniform(), stream.uniform()};
    std::vector<place_grid> grids;
    for (std::size_t const end = std::min(next_donor_ + rules_.donors, donors_.size()); next_donor_ < end; ++next_donor_) {
      auto g = grid_of(encoding_, {donors_[next_donor_], 0, 0, rules_.scale, rules_.opacity}, canvas_, rules_.stride, shift);
      if (!grids.empty()) g.first = grids.back().first + grids.back().places();
      grids.push_back(g);
    }
    round_.emplace(encoding_, canvas_, std::move(grids), rules_.together, rules_.queries - queries_, rules_.scale, rules_.opacity);
    std::fill(list_.begin(), list_.end(), placement{});
    memory_ = {};
    stream_ = random_.stream(++lists_);
    value_ = empty_value_;
    ++rounds_;
    return true;
  }

  void end() {
    done_ = true;
    chunk_ = answered_ = 0;
    round_.reset();  // what many images would keep
    queue_ = {};
    donors_ = {};
    memory_ = {};
  }

  Strategy strategy_;
  patch encoding_;
  image_shape canvas_;
  placing_rules rules_;
  rng random_;
  random_stream stream_;  // of the strategy, for this list
  typename Strategy::memory memory_{};
  std::vector<std::uint32_t> donors_;
  std::vector<placement> list_, best_;
  std::optional<placement_round> round_;
  std::vector<std::size_t> queue_;        // what the strategy asked for
  std::size_t answered_ = 0, chunk_ = 0;  // of the queue: so many have answers, up to there it is looked at together
  bool itself_ = true, done_ = false;     // the list as it is waits for its answer
  std::size_t queries_ = 0, spent_before_ = 0, rounds_ = 0;
  std::size_t next_donor_ = 0, turn_ = 0, lists_ = 0;
  double value_ = 0, empty_value_ = 0, fooled_ = -1;  // of the list as it is, of the empty one; by the best, nothing yet
  double highest_ = -std::numeric_limits<double>::infinity();
};

}  // namespace pareidolia::detail
