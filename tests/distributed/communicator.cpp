// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/distributed/communicator.hpp>

#include "support/ranks.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <utility>
#include <vector>

using namespace pareidolia;
using pareidolia_test::world;

namespace {

std::vector<std::byte> bytes(std::size_t count, std::size_t value) { return std::vector<std::byte>(count, static_cast<std::byte>(value)); }

}  // namespace

TEST_CASE("any is yes where one rank says yes, of_root where the root does") {
  auto const ranks = world();
  for (std::size_t who = 0; who < ranks.size(); ++who) {
    CHECK(ranks.any(ranks.rank() == who));
    CHECK(ranks.of_root(ranks.rank() == who) == (who == 0));
  }
  CHECK_FALSE(ranks.any(false));
  CHECK(ranks.of_root(ranks.is_root()));
  CHECK(ranks.is_root() == (ranks.rank() == 0));
}

TEST_CASE("bytes of one rank arrive everywhere, none as well as many") {
  auto const ranks = world();
  for (std::size_t from = 0; from < ranks.size(); ++from)
    for (std::size_t count : {0u, 1u, 100'000u})
      CHECK(ranks.broadcast(bytes(ranks.rank() == from ? count : 3, 7 + ranks.rank()), from) == bytes(count, 7 + from));
}

TEST_CASE("the bytes of all ranks are gathered in order") {
  auto const ranks = world();
  auto const all = ranks.gather(bytes(10 * ranks.rank(), ranks.rank()));
  REQUIRE(all.size() == ranks.size());
  for (std::size_t r = 0; r < all.size(); ++r) CHECK(all[r] == bytes(10 * r, r));
}

TEST_CASE("rows that each rank has some of are completed") {
  auto const ranks = world();
  std::vector<std::size_t> first{0};
  for (std::size_t r = 0; r < ranks.size(); ++r) first.push_back(first.back() + (r + 1) % 3);  // some have none
  std::vector<float> numbers(first.back() * 6, -1.f), expected;
  for (std::size_t j = 0; j < numbers.size(); ++j) expected.push_back(static_cast<float>(j));
  for (std::size_t j = first[ranks.rank()] * 6; j < first[ranks.rank() + 1] * 6; ++j) numbers[j] = static_cast<float>(j);
  ranks.gather_rows(view<float, 3>{numbers.data(), {first.back(), 2, 3}}, first);
  CHECK(numbers == expected);
}

TEST_CASE("a second session is refused, and a communicator of nothing") {
  static_cast<void>(world());
  CHECK_THROWS_WITH_AS(mpi_session(), doctest::Contains("MPI has been started already"), error);
  CHECK_THROWS_WITH_AS(detail::check_mpi(MPI_ERR_COUNT, "MPI_Send"), doctest::Contains("MPI: MPI_Send failed: MPI_ERR_COUNT"), error);
}
