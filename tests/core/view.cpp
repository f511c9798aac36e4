// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/view.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <numeric>
#include <type_traits>

using namespace pareidolia;

TEST_CASE("a view knows its size, its stride and its rows") {
  std::array<float, 24> memory{};
  std::iota(memory.begin(), memory.end(), 0.f);
  view<float, 3> const v{memory.data(), {4, 2, 3}};
  CHECK(v.size() == 24);
  CHECK(v.stride() == 6);
  CHECK(v.row(2).size() == 6);
  CHECK(v.row(2)[0] == 12);
  CHECK(v.flat().size() == 24);

  auto const part = v.rows(1, 2);
  CHECK(part.shape == std::array<std::size_t, 3>{2, 2, 3});
  CHECK(part.row(1)[5] == 17);
  part.row(0)[0] = -1;
  CHECK(memory[6] == -1);
}

TEST_CASE("a view of one dimension has rows of one element") {
  std::array<float, 3> memory{5, 6, 7};
  view<float, 1> const v{memory.data(), {3}};
  CHECK(v.stride() == 1);
  CHECK(v.row(1)[0] == 6);
}

TEST_CASE("a view of nothing is empty") {
  CHECK(view<float, 2>{}.size() == 0);
  CHECK(view<float, 2>{nullptr, {0, 5}}.size() == 0);
}

// Mutable becomes constant, never the reverse; a memory space never becomes another; device memory has no rows to read.
static_assert(std::is_convertible_v<view<float, 2>, view<float const, 2>>);
static_assert(!std::is_convertible_v<view<float const, 2>, view<float, 2>>);
static_assert(!std::is_convertible_v<view<float, 2, space::host>, view<float, 2, space::device>>);
template <class V>
concept HasRows = requires(V const& v) {
  v.row(0);
};
template <class V>
concept IsFlat = requires(V const& v) {
  v.flat();
};
static_assert(HasRows<view<float, 2, space::host>> && !HasRows<view<float, 2, space::device>>);
static_assert(IsFlat<view<float, 2, space::host>> && !IsFlat<view<float, 2, space::device>>);
static_assert(view<int, 2, space::device>{nullptr, {3, 4}}.rows(0, 2).size() == 8);
