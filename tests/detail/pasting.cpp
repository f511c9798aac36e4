// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/pasting.hpp>

#include <doctest/doctest.h>

#include <support/small_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <utility>

namespace pareidolia_test {
namespace {

using detail::bilinear_place;
using detail::coverage;
using detail::covered_box;
using detail::pasted;

pasted at(std::int32_t top, std::int32_t left, std::int32_t height, std::int32_t width) { return {{}, top, left, height, width}; }

double at(bilinear_place const& p) { return static_cast<double>(p.low) + double{p.share} * static_cast<double>(p.high - p.low); }

constexpr auto lowest = std::numeric_limits<std::int32_t>::min(), highest = std::numeric_limits<std::int32_t>::max();

}  // namespace

TEST_CASE("a box is cut off at the edges of the canvas") {
  covered_box const inside(at(1, 2, 3, 4), 10, 10);
  CHECK(inside.area() == 12);
  CHECK((inside.top == 1 && inside.left == 2 && inside.bottom == 4 && inside.right == 6));
  covered_box const corner(at(-2, 8, 3, 4), 10, 10);
  CHECK(corner.area() == 2);
  CHECK((corner.top == 0 && corner.left == 8 && corner.bottom == 1 && corner.right == 10));
  CHECK(covered_box(at(-50, -50, 100, 100), 10, 12).area() == 120);
}

TEST_CASE("a box outside the canvas is empty, however far") {
  for (std::int32_t far : {-3, 10, lowest, highest, highest - 1})
    for (auto const& p : {at(far, 0, 3, 3), at(0, far, 3, 3), at(far, far, 3, 3)}) {
      CHECK(covered_box(p, 10, 10).empty());
      CHECK(covered_box(p, 10, 10).area() == 0);
    }
  CHECK(covered_box(at(lowest, 0, highest, 1), 10, 10).empty());
  CHECK(covered_box(at(0, 0, highest, highest), 10, 10).area() == 100);
}

TEST_CASE("covered pixels are counted once") {
  auto stream = rng(1).stream(0);
  for (int time = 0; time < 50; ++time) {
    coverage all(9, 13);
    std::set<std::pair<int, int>> pixels;
    for (int k = 0; k < 6; ++k) {
      auto const number = [&](std::uint32_t n) { return static_cast<std::int32_t>(stream.below(n)); };
      covered_box const box(at(number(20) - 6, number(20) - 6, number(6), number(6)), 9, 13);
      std::size_t const before = pixels.size();
      for (auto y = box.top; y < box.bottom; ++y)
        for (auto x = box.left; x < box.right; ++x) pixels.emplace(y, x);
      CHECK(all.fresh(box) == pixels.size() - before);
      all.cover(box);
      CHECK(all.covered() == pixels.size());
      CHECK(all.fresh(box) == 0);
    }
  }
}

TEST_CASE("a canvas takes patches that are seen while pixels are left, unless they meet others") {
  image_shape const canvas{3, 10, 10};
  detail::vacancy all(canvas, true, 100), apart(canvas, false, 100), few(canvas, true, 12);
  for (auto* room : {&all, &apart, &few}) {
    CHECK_FALSE(room->takes(at(-3, 0, 3, 3)));
    CHECK(room->takes(at(0, 0, 3, 3)));
    room->take(at(0, 0, 3, 3));
  }
  CHECK((all.takes(at(2, 2, 3, 3)) && !apart.takes(at(2, 2, 3, 3)) && !few.takes(at(2, 2, 3, 3))));
  CHECK((all.takes(at(3, 3, 3, 3)) && apart.takes(at(3, 3, 3, 3)) && !few.takes(at(3, 3, 3, 3))));
  CHECK(few.takes(at(0, 1, 3, 3)));  // a line more
  few.take(at(0, 1, 3, 3));
  CHECK(few.takes(at(1, 1, 2, 2)));
  CHECK_FALSE(few.takes(at(9, 9, 3, 3)));
}

TEST_CASE("feathers rise from both ends by equal steps") {
  for (std::int32_t j = 0; j < 9; ++j) CHECK(detail::feathered(j, 9, 0) == 1);
  float const rising[] = {.25f, .5f, .75f, 1, 1, 1, .75f, .5f, .25f};
  for (std::int32_t j = 0; j < 9; ++j) CHECK(detail::feathered(j, 9, 3) == rising[j]);
  CHECK(detail::feathered(1, 3, 9) == doctest::Approx(.2));  // a patch without an inside
  CHECK(detail::feathered(0, 1, 1) == .5f);
}

TEST_CASE("pixels of another size fall between the source's, in proportion") {
  for (std::size_t size : {1u, 2u, 5u, 16u})
    for (std::int32_t n : {1, 2, 3, 5, 16, 47}) {
      double before = -1;
      for (std::int32_t j = 0; j < n; ++j) {
        bilinear_place const place(j, n, size), mirrored(n - 1 - j, n, size);
        REQUIRE(place.low <= place.high);
        REQUIRE(place.high < size);
        CHECK((place.share >= 0 && place.share < 1));
        double const where = at(place);
        double const expected = std::clamp((j + .5) * static_cast<double>(size) / n - .5, 0.0, static_cast<double>(size - 1));
        CHECK(where == doctest::Approx(expected).epsilon(1e-6));
        CHECK(where >= before);
        CHECK(where + at(mirrored) == doctest::Approx(static_cast<double>(size - 1)));
        before = where;
      }
    }
}

TEST_CASE("pixels of the same size are the source's") {
  for (std::int32_t j = 0; j < 7; ++j) {
    bilinear_place const place(j, 7, 7);
    CHECK(place.low == static_cast<std::size_t>(j));
    CHECK(place.share == 0);
  }
}

TEST_CASE("a patch of a great size has its places exactly") {
  // Float would not tell these two pixels of 2^30 apart.
  bilinear_place const one(1 << 29, 1 << 30, 1 << 20), next((1 << 29) + 64, 1 << 30, 1 << 20);
  CHECK(one.low == (1 << 19) - 1);
  CHECK(next.share - one.share == doctest::Approx(64. / 1024).epsilon(1e-6));
}

TEST_CASE("full weight gives the patch, none the image, to the bit") {
  auto stream = rng(2).stream(0);
  for (int k = 0; k < 10'000; ++k) {
    float const x = stream.uniform(), p = stream.uniform() * std::exp2(-static_cast<float>(stream.below(30))), w = stream.uniform();
    REQUIRE(detail::blended(x, p, 1) == p);
    REQUIRE(detail::blended(x, p, 0) == x);
    REQUIRE(detail::blended(x, x, w) == x);
    float const between = detail::blended(x, p, w);
    REQUIRE((between >= std::min(x, p) - 1e-7f && between <= std::max(x, p) + 1e-7f && between >= 0 && between <= 1));
  }
}

}  // namespace pareidolia_test
