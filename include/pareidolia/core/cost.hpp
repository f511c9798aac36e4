// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstddef>

namespace pareidolia {

/// What a measurement cost.
struct cost {
  std::size_t forwards = 0, backwards = 0;  ///< images passed through the model in each direction
  double seconds = 0, model_seconds = 0;    ///< all of it, and what the model took

  /// Share of the time that was the model's; 1 when none was measured.
  [[nodiscard]] double share_of_model() const { return seconds > 0 ? model_seconds / seconds : 1; }

  cost& operator+=(cost const& other) {
    forwards += other.forwards;
    backwards += other.backwards;
    seconds += other.seconds;
    model_seconds += other.model_seconds;
    return *this;
  }
};

}  // namespace pareidolia
