// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

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

}  // namespace pareidolia::detail
