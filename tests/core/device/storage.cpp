// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/device/storage.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

#include <type_traits>
#include <utility>

namespace pareidolia_test {

static_assert(Memory<space::device>);
static_assert(std::is_nothrow_move_constructible_v<storage<float, 2, space::device>>);
static_assert(!std::is_copy_constructible_v<storage<float, 2, space::device>>);

TEST_CASE("device storage has its shape and zeros") {
  if (!has_device()) return;
  storage<float, 3, space::device> const s({2, 3, 4});
  CHECK(s.view().shape == std::array<std::size_t, 3>{2, 3, 4});
  CHECK(on_host(s.view()) == filled<float, 3>({2, 3, 4}));
}

TEST_CASE("device storage is empty by default, and where one extent is 0") {
  if (!has_device()) return;
  CHECK(storage<float, 4, space::device>().view().size() == 0);
  CHECK(storage<float, 4, space::device>({3, 0, 2, 2}).view().size() == 0);
}

TEST_CASE("what is moved keeps its values") {
  if (!has_device()) return;
  auto const values = random_values<2>({3, 5}, 1);
  auto first = on_device(values);
  auto second = std::move(first);
  CHECK(on_host(second.view()) == values);
  storage<float, 2, space::device> third({1, 1});
  third = std::move(second);
  CHECK(on_host(third.view()) == values);
}

}  // namespace pareidolia_test
