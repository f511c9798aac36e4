// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstddef>
#include <exception>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace pareidolia {

/// Threads that a parallel loop started here would use: OpenMP's pool, 1 without OpenMP or inside another parallel loop.
[[nodiscard]] inline std::size_t thread_count() {
#ifdef _OPENMP
  return omp_in_parallel() ? 1 : static_cast<std::size_t>(omp_get_max_threads());
#else
  return 1;
#endif
}

/// Makes parallel loops that the calling thread starts from now on serial, OpenMP's of other libraries included: for threads that are many
/// already. Loops of other threads are as they were.
inline void loops_are_serial_here() {
#ifdef _OPENMP
  omp_set_num_threads(1);
#endif
}

/// Calls body(i, lane) for i in [0, n), in any order, lane < thread_count(); serial and without a team when there is one thread or one
/// item.
///
/// Items are handed out one at a time, so they should be worth more than a microsecond. The first exception of a body is rethrown after
/// the loop; the remaining items may be left out.
template <class Body>
void parallel_for(std::size_t n, Body const& body) {
#ifdef _OPENMP
  if (n > 1 && thread_count() > 1) {
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t i = 0; i < n; ++i) {
      try {
        body(i, static_cast<std::size_t>(omp_get_thread_num()));
      } catch (...) {
#pragma omp critical(pareidolia_parallel_for)
        if (!failure) failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
    return;
  }
#endif
  for (std::size_t i = 0; i < n; ++i) body(i, std::size_t{0});
}

}  // namespace pareidolia
