// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/side_by_side.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

using namespace pareidolia;
using namespace pareidolia::detail;

namespace {

/// x + 100 problem, for each.
void add_hundreds(std::span<question const> asked) {
  for (auto const& q : asked) q.y[0] = q.x[0] + 100 * static_cast<float>(q.problem);
}

}  // namespace

TEST_CASE("solvers that ask in turn share batches, and each gets its own answers") {
  constexpr std::size_t n = 9;
  for (std::size_t const together : {1u, 2u, 4u, 20u}) {
    std::vector<std::vector<float>> answers(n);
    std::vector<std::size_t> batches;
    solve_side_by_side(
        n, together,
        [&](std::size_t i, auto const& ask) {
          for (std::size_t round = 0; round < 2 + i % 3; ++round) {
            auto const x = static_cast<float>(round);
            float y = 0;
            ask(std::span(&x, 1), std::span(&y, 1));
            answers[i].push_back(y);
          }
        },
        [&](std::span<question const> asked) {
          for (std::size_t k = 1; k < asked.size(); ++k) CHECK(asked[k - 1].problem < asked[k].problem);
          batches.push_back(asked.size());
          add_hundreds(asked);
        });
    for (std::size_t i = 0; i < n; ++i) {
      REQUIRE(answers[i].size() == 2 + i % 3);
      for (std::size_t round = 0; round < answers[i].size(); ++round)
        CHECK(answers[i][round] == static_cast<float>(round) + 100 * static_cast<float>(i));
    }
    CHECK(batches.front() == std::min(n, together));
    std::size_t all = 0;
    for (std::size_t const size : batches) all += size;
    CHECK(all == 27);
    CHECK(batches.size() <= (together == 1 ? 27u : together == 20 ? 4u : 24u));
  }
}

TEST_CASE("solvers that ask nothing end, and so do none") {
  std::mutex one;
  std::size_t solved = 0;
  auto const never = [](std::span<question const>) { FAIL("nothing was asked"); };
  solve_side_by_side(
      5, 2,
      [&](std::size_t, auto const&) {
        std::scoped_lock const lock(one);
        ++solved;
      },
      never);
  CHECK(solved == 5);
  solve_side_by_side(
      0, 4, [](std::size_t, auto const&) { FAIL("there is no problem"); }, never);
}

TEST_CASE("a solver that fails ends all, whether others wait or work, and its exception is rethrown") {
  for (std::size_t round = 0; round < 300; ++round)
    CHECK_THROWS_WITH_AS(solve_side_by_side(
                             6, 4,
                             [&](std::size_t i, auto const& ask) {
                               float const x = 0;
                               float y = 0;
                               for (std::size_t k = 0; i != 2 || k < round % 5; ++k) ask(std::span(&x, 1), std::span(&y, 1));
                               throw std::domain_error("problem " + std::to_string(i));
                             },
                             add_hundreds),
                         "problem 2", std::domain_error);
}

TEST_CASE("an answer that fails ends all and is rethrown") {
  for (std::size_t round = 0; round < 100; ++round) {
    std::size_t left = round % 4;
    CHECK_THROWS_WITH_AS(solve_side_by_side(
                             6, 4,
                             [](std::size_t, auto const& ask) {
                               float const x = 0;
                               float y = 0;
                               for (;;) ask(std::span(&x, 1), std::span(&y, 1));
                             },
                             [&](std::span<question const> asked) {
                               if (left-- == 0) throw std::domain_error("no answer");
                               add_hundreds(asked);
                             }),
                         "no answer", std::domain_error);
  }
}

TEST_CASE("parallel loops of a solver are serial, those of the answers are not") {
  std::size_t const usual = thread_count();
  std::vector<std::size_t> inside(3);
  solve_side_by_side(
      3, 3,
      [&](std::size_t i, auto const& ask) {
        inside[i] = thread_count();
        float const x = 0;
        float y = 0;
        ask(std::span(&x, 1), std::span(&y, 1));
      },
      [&](std::span<question const> asked) {
        CHECK(thread_count() == usual);
        add_hundreds(asked);
      });
  CHECK(inside == std::vector<std::size_t>{1, 1, 1});
  CHECK(thread_count() == usual);
}
