// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/tensor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

// Runs that are cut and taken up again.

namespace pareidolia_test {

using namespace pareidolia;

/// Keeps the state of every step in memory, or of every n-th.
struct memory_keeper {
  std::optional<saved_state> state = {};
  std::size_t every = 1, asked = 0;

  [[nodiscard]] std::string name() const { return "memory"; }
  [[nodiscard]] std::optional<saved_state> restore() const { return state; }
  [[nodiscard]] bool due(bool last) { return last || ++asked % every == 0; }
  void keep(saved_state s) { state = std::move(s); }
};

/// Leaves the run after so many steps by an exception, as a process does that is killed.
struct kill_after {
  std::size_t steps;
  struct killed {};
  void operator()(step const&) {
    if (steps-- == 0) throw killed{};
  }
};

/// Runs the attack in pieces of `steps` steps, each but the last killed; the state is kept every second step, so some work is lost.
template <class A, class M, class... Extras>
[[nodiscard]] outcome run_in_pieces(A const& a, M const& model, labelled_images const& canvas, std::uint64_t seed, std::size_t steps,
                                    Extras... extras) {
  memory_keeper keeper{.state = {}, .every = 2};
  for (std::size_t piece = 0; piece < 10'000; ++piece) {
    try {
      return run(a, model, canvas, rng{seed}, keeper, kill_after{steps}, extras...);
    } catch (kill_after::killed const&) {
    }
  }
  FAIL("the run does not come to its end");
  return {};
}

/// That both found the same with as many looks at each image.
inline void check_same_answers(outcome const& a, outcome const& b) {
  CHECK(a.images == b.images);
  CHECK(a.scores == b.scores);
  CHECK(a.values == b.values);
  CHECK(a.labels == b.labels);
  CHECK(a.targets == b.targets);
  CHECK(a.success == b.success);
  CHECK(a.shared == b.shared);
  CHECK(a.births == b.births);
  CHECK(a.forwards == b.forwards);
  CHECK(a.forwards_spent == b.forwards_spent);
  CHECK(a.complete == b.complete);
}

/// The same, and as many backwards; where images go in turns those depend on the company that an image has in its batch.
inline void check_same(outcome const& a, outcome const& b) {
  check_same_answers(a, b);
  CHECK(a.backwards == b.backwards);
  CHECK(a.backwards_spent == b.backwards_spent);
}

}  // namespace pareidolia_test
