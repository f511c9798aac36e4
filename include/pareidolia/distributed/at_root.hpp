// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/detail/state_message.hpp>
#include <pareidolia/distributed/communicator.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pareidolia {

/// A sink or a keeper of state that only the first of several ranks has, for a run that all of them make together.
///
///     run(dream, sharded{net, world}, canvas, rng{42}, at_root{world, progress{}}, at_root{world, checkpoint{"dream.ckpt"}})
///
/// A sink is called on rank 0; what it says of going on holds for all. A keeper reads and writes on rank 0, when that rank's clock says so;
/// what it read is sent to all, so a run may be taken up by other numbers of ranks than it was kept by, as far as its parts allow that.
/// An object is moved in, or referred to if it has a name. Cost for each step: a message of one number, for keepers and for sinks that
/// may stop. Errors of the root end all ranks (mpi_session).
template <class T>
class at_root {
  using held = std::remove_reference_t<T>;

 public:
  at_root(communicator const& ranks, T&& inner) : ranks_(ranks), inner_(std::forward<T>(inner)) {}

  auto operator()(step const& now) requires Sink<held> {
    if constexpr (std::same_as<decltype(inner_(now)), verdict>)
      return ranks_.of_root(ranks_.is_root() && inner_(now) == verdict::stop) ? verdict::stop : verdict::go_on;
    else if (ranks_.is_root())
      inner_(now);
  }

  template <class A>
  requires(Stateful<held> && !StateKeeper<held>) void state(A& a) { inner_.state(a); }

  [[nodiscard]] std::string name() const requires StateKeeper<held> { return inner_.name(); }

  [[nodiscard]] std::optional<saved_state> restore() requires StateKeeper<held> {
    std::optional<saved_state> found;
    if (ranks_.is_root()) found = inner_.restore();
    if (!ranks_.of_root(found.has_value())) return std::nullopt;
    return detail::from_message(ranks_.broadcast(found ? detail::to_message(*found) : std::vector<std::byte>{}));
  }

  [[nodiscard]] bool due(bool last) requires StateKeeper<held> { return ranks_.of_root(ranks_.is_root() && inner_.due(last)); }

  void keep(saved_state state) requires StateKeeper<held> {
    if (ranks_.is_root()) inner_.keep(std::move(state));
  }

 private:
  communicator ranks_;
  T inner_;
};
template <class T>
at_root(communicator const&, T&&) -> at_root<T>;

}  // namespace pareidolia
