// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>

#include <chrono>

namespace pareidolia {

/// Adds up the time that work in memory space S takes: what is asked for between start() and stop(). On a device that is not when it is
/// done, so there it is the device that looks at the clock.
template <space S>
class stopwatch;

template <>
class stopwatch<space::host> {
 public:
  void start() { begin_ = clock::now(); }
  void stop() { seconds_ += std::chrono::duration<double>(clock::now() - begin_).count(); }
  /// Of all that was stopped.
  [[nodiscard]] double seconds() { return seconds_; }

 private:
  using clock = std::chrono::steady_clock;
  clock::time_point begin_;
  double seconds_ = 0;
};

}  // namespace pareidolia
