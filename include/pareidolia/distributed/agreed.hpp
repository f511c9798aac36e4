// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/sinks.hpp>
#include <pareidolia/distributed/communicator.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace pareidolia {

/// A sink that every rank has: where one of them says stop, all stop, after the same step.
///
///     stop_on_interrupt const stop;
///     run(dream, sharded{net, world}, canvas, rng{42}, agreed{world, stop})
///
/// Ranks that stopped each by itself would leave the others waiting. mpirun does not pass on a Ctrl-C of the terminal, it ends all ranks,
/// and a checkpoint has what there was; for a run that ends with its result send the SIGINT to one of the ranks. An object is moved in, or
/// referred to if it has a name. Cost for each step: a message of one number.
template <class T>
requires requires(std::remove_reference_t<T>& sink, step const& now) {
  { sink(now) } -> std::same_as<verdict>;
}
class agreed {
 public:
  agreed(communicator const& ranks, T&& inner) : ranks_(ranks), inner_(std::forward<T>(inner)) {}

  verdict operator()(step const& now) { return ranks_.any(inner_(now) == verdict::stop) ? verdict::stop : verdict::go_on; }

 private:
  communicator ranks_;
  T inner_;
};
template <class T>
agreed(communicator const&, T&&) -> agreed<T>;

}  // namespace pareidolia
