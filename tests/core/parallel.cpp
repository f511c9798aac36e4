// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/parallel.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace pareidolia;

namespace {

// Runs body with that many threads, where there are threads.
template <class Body>
void with_threads([[maybe_unused]] int threads, Body const& body) {
#ifdef _OPENMP
  int const before = omp_get_max_threads();
  omp_set_num_threads(threads);
  body();
  omp_set_num_threads(before);
#else
  body();
#endif
}

}  // namespace

TEST_CASE("parallel_for calls its body once for each item, with a lane below thread_count") {
  for (int threads : {1, 2, 4})
    with_threads(threads, [] {
      for (std::size_t n : {0u, 1u, 2u, 1000u}) {
        std::vector<std::size_t> calls(n), lanes(n);
        parallel_for(n, [&](std::size_t i, std::size_t lane) {
          ++calls[i];
          lanes[i] = lane;
        });
        CHECK(calls == std::vector<std::size_t>(n, 1));
        for (std::size_t lane : lanes) CHECK(lane < thread_count());
      }
    });
}

TEST_CASE("parallel_for inside parallel_for is serial") {
  with_threads(3, [] {
    std::vector<std::size_t> counts(8), sums(8), lanes(8);
    parallel_for(8, [&](std::size_t i, std::size_t) {
      counts[i] = thread_count();
      parallel_for(100, [&, i](std::size_t k, std::size_t lane) {
        sums[i] += k;
        lanes[i] = std::max(lanes[i], lane);
      });
    });
    CHECK(counts == std::vector<std::size_t>(8, 1));
    CHECK(sums == std::vector<std::size_t>(8, 4950));
    CHECK(lanes == std::vector<std::size_t>(8, 0));
  });
}

TEST_CASE("an exception in a body of parallel_for reaches the caller") {
  for (int threads : {1, 3})
    with_threads(threads, [] {
      CHECK_THROWS_WITH_AS(parallel_for(100,
                                        [](std::size_t i, std::size_t) {
                                          if (i == 37) throw std::runtime_error("item 37");
                                        }),
                           "item 37", std::runtime_error);
      std::vector<int> calls(10);  // and the next loop works
      parallel_for(10, [&](std::size_t i, std::size_t) { ++calls[i]; });
      CHECK(calls == std::vector<int>(10, 1));
    });
}

TEST_CASE("a thread can make its own loops serial, and no others") {
  with_threads(3, [] {
    std::size_t inside = 0;
    std::thread([&] {
      loops_are_serial_here();
      inside = thread_count();
    }).join();
    CHECK(inside == 1);
    CHECK(thread_count() == 3);
  });
}
