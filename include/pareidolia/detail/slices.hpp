// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/parallel.hpp>

#include <algorithm>
#include <cstddef>

namespace pareidolia::detail {

/// body(i) for i in [0, n), each worth about `nanoseconds`. Those that make some 0.2 ms go to a thread together: starting and joining a
/// team for less gains nothing, and on a busy machine the join waits for a whole time slice of the system's.
template <class Body>
void in_slices(std::size_t n, double nanoseconds, Body const& body) {
  std::size_t const slice = 1 + static_cast<std::size_t>(2e5 / std::max(1., nanoseconds));
  parallel_for((n + slice - 1) / slice, [&](std::size_t s, std::size_t) {
    for (std::size_t i = s * slice; i < std::min(n, (s + 1) * slice); ++i) body(i);
  });
}

}  // namespace pareidolia::detail
