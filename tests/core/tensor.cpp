// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/tensor.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

using namespace pareidolia;

TEST_CASE("a filled tensor has its shape and value everywhere") {
  auto const t = filled<float, 3>({2, 3, 4}, 0.5f);
  CHECK(t.size() == 24);
  CHECK(t.shape()[2] == 4);
  for (float v : t) CHECK(v == 0.5f);
  CHECK(filled<int, 1>({3}) == tensor<int, 1>{0, 0, 0});
}

TEST_CASE("a view of a tensor is its memory, row-major") {
  tensor<float, 2> t{{1, 2, 3}, {4, 5, 6}};
  view<float, 2> const v = as_view(t);
  CHECK(v.shape == std::array<std::size_t, 2>{2, 3});
  CHECK(v.row(1)[0] == 4);
  v.row(1)[0] = 40;
  CHECK(t(1, 0) == 40);
  static_assert(std::is_same_v<decltype(as_view(std::as_const(t))), view<float const, 2>>);
}

TEST_CASE("storage owns zeros of its shape, and nothing by default") {
  storage<float, 2, space::host> s({2, 3});
  CHECK(s.view().shape == std::array<std::size_t, 2>{2, 3});
  for (float v : s.view().flat()) CHECK(v == 0);
  CHECK(storage<float, 4, space::host>().view().size() == 0);
}

TEST_CASE("a blank canvas is one black image without a label") {
  auto const canvas = blank({3, 4, 5});
  CHECK(canvas.size() == 1);
  CHECK(canvas.labels.empty());
  CHECK(canvas.images == filled<float, 4>({1, 3, 4, 5}));
}

TEST_CASE("an image is repeated once for each label") {
  labelled_images two{filled<float, 4>({2, 3, 4, 5}), {7, 8}};
  std::fill_n(two.images.begin(), 60, .25f);
  auto const canvas = repeated(two, {5, 0, 5});
  CHECK(canvas.labels == std::vector{5, 0, 5});
  CHECK(canvas.images == filled<float, 4>({3, 3, 4, 5}, .25f));
  CHECK(repeated(two, {}).size() == 0);
}

static_assert(Memory<space::host>);
