// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/state.hpp>

#include <optional>
#include <string>
#include <utility>

namespace pareidolia::detail {

/// Whether one of `extras` wants the state now.
template <class... Extras>
[[nodiscard]] bool is_due(Extras&... extras) {
  bool due = false;
  [[maybe_unused]] auto const ask = [&](auto& keeper) {
    if constexpr (StateKeeper<decltype(keeper)>) due = keeper.due(false) || due;
  };
  (ask(extras), ...);
  return due;
}

/// Keeps the state of a run that is part of another: in `room`, which is part of the other's state. Where `due()` says that the other's is
/// wanted, `keep()` keeps it.
template <class Due, class Keep>
class nested_keeper {
 public:
  nested_keeper(saved_state& room, Due due, Keep keep) : room_(&room), due_(std::move(due)), keep_(std::move(keep)) {}

  [[nodiscard]] std::string name() const { return "the state of a run inside another"; }

  [[nodiscard]] std::optional<saved_state> restore() {
    if (room_->arrays.empty()) return std::nullopt;
    return std::exchange(*room_, {});
  }

  [[nodiscard]] bool due(bool last) const { return last || due_(); }

  void keep(saved_state state) {
    *room_ = std::move(state);
    if (due_()) keep_();
  }

 private:
  saved_state* room_;
  Due due_;
  Keep keep_;
};

/// Advances a course of several runs to its end, or until one of `extras` stops it, and keeps its state where they want it. The course has
/// `part`, the state of the run that it is in, done() and advance(sinks...), which is false where a sink stopped it; `state(archive)` walks
/// through all of it, and `tell(step)` tells the sinks of a step of a part.
template <class Course, class State, class Tell, class... Extras>
void run_parts(Course& course, State const& state, Tell const& tell, Extras&... extras) {
  auto const watch = [&](step const& now) { return tell(now) ? verdict::go_on : verdict::stop; };
  nested_keeper part(
      course.part, [&] { return is_due(extras...); }, [&] { keep_state(state, false, extras...); });
  restore_state(state, extras...);
  bool go_on = true;
  while (go_on && !course.done()) {
    if constexpr ((StateKeeper<Extras> || ...))
      go_on = course.advance(watch, part);
    else
      go_on = course.advance(watch);
  }
  keep_state(state, true, extras...);
}

}  // namespace pareidolia::detail
