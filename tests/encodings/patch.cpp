// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/patch.hpp>

#include <doctest/doctest.h>

#include <pareidolia/optimizers/map_elites.hpp>
#include <support/small_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace pareidolia_test {
namespace {

using list = std::vector<placement>;
using pixel = std::pair<std::size_t, std::size_t>;

constexpr auto none = placement::none;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr image_shape small{3, 9, 11};

/// Two donors of 3x8x8 with patches of several shapes.
patches some_patches(std::size_t channels = 3) {
  auto donors = noise(2, {channels, 8, 8}, 7);
  for (float& v : donors) v *= v;  // or differences would be exact
  return patches(donors, {{0, 0, 0, 8, 8}, {1, 2, 3, 4, 4}, {1, 5, 0, 3, 5}, {0, 7, 7, 1, 1}, {0, 1, 1, 2, 6}});
}

placements genotypes(image_shape const& canvas, std::vector<list> const& lists) {
  placements p{canvas, lists[0].size(), {}};
  for (list const& l : lists) p.all.insert(p.all.end(), l.begin(), l.end());
  return p;
}

tensor<float, 4> decoded(patch const& e, placements const& p, tensor<float, 4> const& canvas) {
  auto shape = as_view(canvas).shape;
  shape[0] = std::max(shape[0], p.size());
  auto x = filled<float, 4>(shape, nan);
  e.decode(p, as_view(canvas), as_view(x));
  return x;
}
tensor<float, 4> decoded(patch const& e, list const& l, tensor<float, 4> const& canvas) {
  auto const [n, channels, height, width] = as_view(canvas).shape;
  return decoded(e, genotypes({channels, height, width}, {l}), canvas);
}

/// The definition, pixel by pixel and in double. Which are shown is told by sets of pixels.
struct by_definition {
  patch const& e;
  tensor<float, 4> const& canvas;
  std::size_t height = canvas.shape()[2], width = canvas.shape()[3];

  struct place {
    placement p;
    patch_window from;
    std::int64_t height, width;
  };
  place placed(placement const& p) const {
    auto const& from = e.sources.windows()[p.source];
    auto const side = [&](std::size_t n) { return std::max(std::int64_t{1}, std::int64_t{std::lround(static_cast<float>(n) * p.scale)}); };
    return {p, from, side(from.height), side(from.width)};
  }
  bool has(place const& a, pixel at) const {
    auto const y = static_cast<std::int64_t>(at.first) - a.p.top, x = static_cast<std::int64_t>(at.second) - a.p.left;
    return y >= 0 && x >= 0 && y < a.height && x < a.width;
  }
  std::set<pixel> pixels(place const& a) const {
    std::set<pixel> all;
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x)
        if (has(a, {y, x})) all.emplace(y, x);
    return all;
  }

  std::pair<std::vector<place>, std::set<pixel>> shown(std::span<placement const> l) const {
    std::vector<place> result;
    std::set<pixel> covered;
    for (placement const& p : l) {
      if (p.source == none) continue;
      place const a = placed(p);
      auto const own = pixels(a);
      auto both = covered;
      both.insert(own.begin(), own.end());
      bool const meets = both.size() < covered.size() + own.size();
      bool const too_large = static_cast<double>(both.size()) > double{e.area} * static_cast<double>(height * width) + 1e-4;
      if (own.empty() || (meets && !e.overlap) || too_large) continue;
      result.push_back(a);
      covered = both;
    }
    return {result, covered};
  }

  double of_patch(place const& a, std::size_t c, double y, double x) const {
    auto const along = [](double j, std::int64_t n, std::size_t size) {
      return std::clamp((j + .5) * static_cast<double>(size) / static_cast<double>(n) - .5, 0., static_cast<double>(size - 1));
    };
    double const v = along(y, a.height, a.from.height), h = along(x, a.width, a.from.width);
    double sum = 0;
    for (std::size_t j = 0; j < a.from.height; ++j)
      for (std::size_t k = 0; k < a.from.width; ++k) {
        double const near = std::max(0., 1 - std::abs(v - static_cast<double>(j))) * std::max(0., 1 - std::abs(h - static_cast<double>(k)));
        if (near > 0) {
          auto const images = e.sources.images();
          sum += near * double{images.row(a.from.image)[(c * images.shape[2] + a.from.top + j) * images.shape[3] + a.from.left + k]};
        }
      }
    return sum;
  }

  double value(std::size_t image, std::span<placement const> l, std::size_t c, pixel at) const {
    double result = canvas(image, c, at.first, at.second);
    for (place const& a : shown(l).first) {
      if (!has(a, at)) continue;
      auto const y = static_cast<double>(at.first) - a.p.top, x = static_cast<double>(at.second) - a.p.left;
      auto const feathered = [&](double j, std::int64_t n) {
        return std::min(1., (std::min(j, static_cast<double>(n) - 1 - j) + 1) / (double{e.feather} + 1));
      };
      result += double{a.p.opacity} * feathered(y, a.height) * feathered(x, a.width) * (of_patch(a, c, y, x) - result);
    }
    return result;
  }
};

/// Lists that try the edges, sizes and opacities.
list random_list(std::size_t n, std::size_t sources, image_shape const& canvas, random_stream& stream) {
  list l(n);
  for (placement& p : l) {
    if (stream.chance(.2f)) continue;
    p.source = stream.below(static_cast<std::uint32_t>(sources));
    p.top = static_cast<std::int32_t>(stream.below(static_cast<std::uint32_t>(canvas[1]) + 12)) - 9;
    p.left = static_cast<std::int32_t>(stream.below(static_cast<std::uint32_t>(canvas[2]) + 12)) - 9;
    if (stream.chance(.5f)) p.scale = stream.uniform(.05f, 2.5f);
    if (stream.chance(.5f)) p.opacity = stream.uniform();
  }
  return l;
}

std::string message_of_decode(patch const& e, placement const& p) {
  return message_of([&] { static_cast<void>(decoded(e, list{p}, filled<float, 4>({1, 3, 9, 11}))); });
}

}  // namespace

TEST_CASE("a patch of its own size is pasted as it is, over the canvas alone where it is") {
  patch const e{.sources = some_patches()};
  auto const canvas = noise(1, small, 1);
  auto const x = decoded(e, list{{1, 3, 5}}, canvas);
  auto const donors = e.sources.images();
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t y = 0; y < 9; ++y)
      for (std::size_t k = 0; k < 11; ++k) {
        bool const inside = y >= 3 && y < 7 && k >= 5 && k < 9;
        CHECK(x(0, c, y, k) == (inside ? donors.row(1)[(c * 8 + 2 + y - 3) * 8 + 3 + k - 5] : canvas(0, c, y, k)));
      }
}

TEST_CASE("lists give what the definition says, pixel by pixel") {
  auto stream = rng(1).stream(0);
  for (int time = 0; time < 120; ++time) {
    patch e{.sources = some_patches(), .overlap = stream.chance(.5f)};
    if (stream.chance(.5f)) e.feather = stream.uniform(0, 4);
    if (stream.chance(.5f)) e.area = stream.uniform();
    auto const canvas = noise(1, small, static_cast<std::uint64_t>(time));
    list const l = random_list(6, e.sources.size(), small, stream);
    by_definition const expected{e, canvas};
    auto const x = decoded(e, l, canvas);
    auto const [shown, covered] = expected.shown(l);
    CHECK(e.shown(l, small).size() == shown.size());
    CHECK(e.covered(l, small) == covered.size());
    CHECK(static_cast<double>(covered.size()) <= double{e.area} * 99 + 1e-4);
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t y = 0; y < 9; ++y)
        for (std::size_t k = 0; k < 11; ++k) {
          REQUIRE(double{x(0, c, y, k)} == doctest::Approx(expected.value(0, l, c, {y, k})).epsilon(2e-6));
          REQUIRE((x(0, c, y, k) >= 0 && x(0, c, y, k) <= 1));
        }
  }
}

TEST_CASE("a constant patch stays constant and a ramp a ramp at any scale") {
  auto images = filled<float, 4>({2, 1, 8, 8}, .375f);
  for (std::size_t y = 0; y < 8; ++y)
    for (std::size_t k = 0; k < 8; ++k) images(1, 0, y, k) = static_cast<float>(2 * y + k) / 32;
  patch const e{.sources = patches(images, {{0, 0, 0, 8, 8}, {1, 0, 0, 8, 8}})};
  auto const canvas = filled<float, 4>({1, 1, 40, 40});
  for (float scale : {.5f, 1.25f, 2.f, 5.f}) {
    auto const n = static_cast<std::size_t>(8 * scale), edge = static_cast<std::size_t>(scale / 2 + 1);
    auto const flat = decoded(e, list{{0, 0, 0, scale}}, canvas), ramp = decoded(e, list{{1, 0, 0, scale}}, canvas);
    for (std::size_t y = 0; y < n; ++y)
      for (std::size_t k = 0; k < n; ++k) CHECK(flat(0, 0, y, k) == .375f);
    CHECK(flat(0, 0, n - 1, std::min(n, std::size_t{39})) == (n < 40 ? 0.f : .375f));
    for (std::size_t y = edge; y + edge + 1 < n; ++y)
      for (std::size_t k = edge; k + edge + 1 < n; ++k) {
        CHECK(double{ramp(0, 0, y + 1, k) - ramp(0, 0, y, k)} == doctest::Approx(2 / (32 * double{scale})).epsilon(1e-4));
        CHECK(double{ramp(0, 0, y, k + 1) - ramp(0, 0, y, k)} == doctest::Approx(1 / (32 * double{scale})).epsilon(1e-4));
      }
    // The middle of the patch is the middle of the ramp.
    CHECK(double{ramp(0, 0, 0, 0) + ramp(0, 0, n - 1, n - 1)} == doctest::Approx(21. / 32).epsilon(1e-4));
  }
}

TEST_CASE("half the opacity is half of each, and none leaves the canvas") {
  patch const e{.sources = some_patches()};
  auto const canvas = noise(1, small, 2);
  auto const full = decoded(e, list{{0, 0, 0}}, canvas), half = decoded(e, list{{0, 0, 0, 1, .5f}}, canvas);
  for (std::size_t j = 0; j < canvas.size(); ++j)
    CHECK(half.data()[j] == doctest::Approx((full.data()[j] + canvas.data()[j]) / 2).epsilon(1e-6));
  CHECK(decoded(e, list{{0, 0, 0, 1.5f, 0}}, canvas) == canvas);
  CHECK(e.covered(list{{0, 0, 0, 1, 0}}, small) == 64);  // it covers all the same
}

TEST_CASE("a feathered patch is itself behind its soft edge") {
  patch const sharp{.sources = some_patches()}, soft{.sources = sharp.sources, .feather = 2};
  auto const canvas = noise(1, {3, 8, 8}, 3);
  auto const x = decoded(soft, list{{0, 0, 0}}, canvas), p = decoded(sharp, list{{0, 0, 0}}, canvas);
  for (std::size_t y = 2; y < 6; ++y)
    for (std::size_t k = 2; k < 6; ++k) CHECK(x(0, 0, y, k) == p(0, 0, y, k));
  auto const mixed = [&](std::size_t y, std::size_t k, float w) {
    CHECK(x(0, 1, y, k) == doctest::Approx(canvas(0, 1, y, k) + w * (p(0, 1, y, k) - canvas(0, 1, y, k))).epsilon(1e-6));
  };
  mixed(0, 0, 1.f / 9), mixed(7, 0, 1.f / 9), mixed(1, 1, 4.f / 9), mixed(0, 4, 1.f / 3), mixed(6, 6, 4.f / 9), mixed(3, 6, 2.f / 3);
}

TEST_CASE("later placements cover earlier ones") {
  patch const e{.sources = some_patches()};
  auto const canvas = noise(1, small, 4);
  auto const x = decoded(e, list{{1, 2, 2}, {0, 0, 0}}, canvas), top = decoded(e, list{{}, {0, 0, 0}}, canvas);
  CHECK(x == top);
  CHECK(decoded(e, list{{0, 0, 0}, {1, 2, 2}}, canvas) != top);
}

TEST_CASE("without overlap the later one of two that meet is left out, and the list goes on behind it") {
  patch const e{.sources = some_patches(), .overlap = false};
  auto const canvas = noise(1, small, 5);
  placement const first{1, 0, 0}, meets{1, 3, 3}, beside{1, 4, 0}, next{1, 0, 4};
  CHECK(decoded(e, list{first, meets, beside, next}, canvas) == decoded(e, list{first, {}, beside, next}, canvas));
  CHECK(e.covered(list{first, meets, beside, next}, small) == 48);
  CHECK(e.shown(list{meets, first, beside}, small).size() == 1);  // (3, 3) is in both others
}

TEST_CASE("what would cover more than the area is left out, and the list goes on behind it") {
  patch const e{.sources = some_patches(), .area = 20.f / 99};
  auto const canvas = noise(1, small, 6);
  placement const four{1, 0, 0}, eight{0, 0, 0}, over{1, 1, 0}, one{3, 8, 8}, beside{1, 4, 0};
  CHECK(e.covered(list{four, eight, over}, small) == 20);  // over adds a line to four
  CHECK(decoded(e, list{four, eight, over, one}, canvas) == decoded(e, list{four, {}, over, {}}, canvas));
  CHECK(e.covered(list{four, beside, one, one, one}, small) == 17);
  CHECK(e.covered(list{{1, 7, 9}, {1, -3, -3}, {1, -2, -2}}, small) == 4 + 4);  // pixels on the canvas count
}

TEST_CASE("an area that is a whole number of pixels may be covered whole") {
  auto const images = noise(1, {1, 10, 10}, 1);
  for (int tenths = 0; tenths <= 10; ++tenths) {
    patch const e{.sources = patches(images, {{0, 0, 0, 1, 10}}), .area = static_cast<float>(tenths) / 10};
    list lines;
    for (std::int32_t y = 0; y < 10; ++y) lines.push_back({0, y, 0});
    CHECK(e.covered(lines, {1, 10, 10}) == static_cast<std::size_t>(10 * tenths));
    CHECK(e.covered(lines, {1, 100, 10}) == 10 * std::min<std::size_t>(10, static_cast<std::size_t>(10 * tenths)));
  }
}

TEST_CASE("placements anywhere and of any size are permitted") {
  constexpr auto lowest = std::numeric_limits<std::int32_t>::min(), highest = std::numeric_limits<std::int32_t>::max();
  auto const canvas = noise(1, small, 7);
  for (bool overlap : {true, false}) {
    patch const e{.sources = some_patches(), .feather = 1e6f, .overlap = overlap, .area = .9f};
    for (std::int32_t far : {lowest, highest})
      for (float scale : {1e-30f, 1.f, 1000.f}) {
        CHECK(decoded(e, list{{0, far, 0, scale}, {0, 0, far, scale}}, canvas) == canvas);
        CHECK(e.covered(list{{0, far, far, scale}}, small) == 0);
      }
    CHECK(e.covered(list{{0, -3000, -2000, 1000}}, small) == 0);  // all of the canvas is more than the area
    CHECK(e.covered(list{{0, 2, 2, 1e-30f}}, small) == 1);        // at least one pixel
  }
  patch const large{.sources = some_patches()};
  auto const x = decoded(large, list{{0, -3500, -4500, 1000}}, canvas);  // between the same four pixels everywhere
  CHECK(std::all_of(x.begin(), x.end(), [](float v) { return v >= 0 && v <= 1; }));
  CHECK(large.covered(list{{0, -3500, -4500, 1000}}, small) == 99);
}

TEST_CASE("one genotype on many canvases and many on one are shown as each by itself, on any number of threads") {
  patch const e{.sources = some_patches(), .feather = 1, .overlap = false, .area = .6f};
  constexpr std::size_t n = 3000;  // several slices
  auto stream = rng(8).stream(0);
  std::vector<list> lists;
  for (std::size_t i = 0; i < n; ++i) lists.push_back(random_list(3, e.sources.size(), small, stream));
  auto const canvases = noise(n, small, 9), canvas = noise(1, small, 10);
  auto const row = [&](tensor<float, 4> const& x, std::size_t i) {
    auto const values = as_view(x).row(i);
    return std::vector<float>(values.begin(), values.end());
  };
  auto const universal = decoded(e, lists[0], canvases), each = decoded(e, genotypes(small, lists), canvas),
             paired = decoded(e, genotypes(small, lists), canvases);
  auto one = canvas;
  for (std::size_t i = 0; i < n; i += 97) {
    std::copy_n(as_view(canvases).row(i).data(), canvas.size(), one.data());
    CHECK(row(universal, i) == row(decoded(e, lists[0], one), 0));
    CHECK(row(each, i) == row(decoded(e, lists[i], canvas), 0));
    CHECK(row(paired, i) == row(decoded(e, lists[i], one), 0));
  }
#ifdef _OPENMP
  int const before = omp_get_max_threads();
  for (int threads : {1, 3}) {
    omp_set_num_threads(threads);
    CHECK(decoded(e, genotypes(small, lists), canvases) == paired);
  }
  omp_set_num_threads(before);
#endif
}

TEST_CASE("neutral lists show the canvas") {
  patch const e{.sources = some_patches(), .copies = 5};
  auto const canvas = noise(2, small, 11);
  auto const p = e.buffer(4, as_view(canvas));
  CHECK(p.size() == 4);
  CHECK(p.copies == 5);
  CHECK(p.canvas == small);
  auto const x = decoded(e, p, canvas);
  CHECK(std::equal(canvas.begin(), canvas.end(), x.begin()));
}

TEST_CASE("lists are gathered and scattered") {
  placements p = genotypes(small, {{{0}, {1}}, {{2}, {3}}, {{4}, {}}});
  placements const q = genotypes(small, {{{}, {4}}, {{3}, {2}}});
  std::vector<std::size_t> const to{2, 0}, from{1, 0};
  p.assign(to, q, from);
  CHECK(p.all == genotypes(small, {{{}, {4}}, {{2}, {3}}, {{3}, {2}}}).all);
  CHECK(placements{}.size() == 0);
}

TEST_CASE("lists are drawn in the ranges of the encoding, the same for the same seed") {
  patch const e{.sources = some_patches(), .copies = 4, .smallest = .5f, .largest = 2, .faintest = .25f};
  auto const canvas = filled<float, 4>({1, 3, 9, 11});
  auto p = e.buffer(5000, as_view(canvas)), again = p, fewer = e.buffer(7, as_view(canvas));
  e.draw(p, rng(3));
  e.draw(again, rng(3));
  e.draw(fewer, rng(3));
  CHECK(p.all == again.all);
  CHECK(std::equal(fewer.all.begin(), fewer.all.end(), p.all.begin()));
  e.draw(again, rng(4));
  CHECK(p.all != again.all);

  std::vector<std::size_t> counts(5), sources(5);
  std::set<std::int32_t> tops_of_one_pixel;
  for (std::size_t i = 0; i < p.size(); ++i) {
    std::size_t count = 0;
    for (placement const& one : p.row(i)) {
      if (one.source == none) continue;
      ++count;
      REQUIRE(one.source < 5);
      ++sources[one.source];
      REQUIRE((one.scale >= .5f && one.scale <= 2 && one.opacity >= .25f && one.opacity <= 1));
      auto const where = e.shown(list{one}, small).at(0);
      REQUIRE((where.top >= std::min(0, 9 - where.height) && where.top <= std::max(0, 9 - where.height)));
      REQUIRE((where.left >= std::min(0, 11 - where.width) && where.left <= std::max(0, 11 - where.width)));
      if (where.height == 1) tops_of_one_pixel.insert(where.top);
    }
    REQUIRE(
        std::all_of(p.row(i).begin(), p.row(i).begin() + static_cast<std::ptrdiff_t>(count), [](auto& one) { return one.source != none; }));
    ++counts[count];
  }
  CHECK(counts[0] == 0);
  for (std::size_t k = 1; k < 5; ++k) CHECK(static_cast<double>(counts[k]) == doctest::Approx(1250).epsilon(.1));
  for (std::size_t n : sources) CHECK(static_cast<double>(n) == doctest::Approx(2500).epsilon(.1));
  CHECK(tops_of_one_pixel.size() == 9);
}

TEST_CASE("children differ from their parents as the encoding says, the same for the same seed") {
  patch const e{.sources = some_patches(), .copies = 6, .smallest = .5f, .largest = 2, .faintest = .25f, .rate = .3f, .crossover = 0};
  auto const canvas = filled<float, 4>({1, 3, 9, 11});
  auto parents = e.buffer(4000, as_view(canvas)), children = parents, again = parents;
  e.draw(parents, rng(5));
  auto const before = parents.all;
  std::size_t kept = 0, emptied = 0, moved = 0, filled_up = 0, in_one_thing = 0, filled_before = 0;
  for (std::uint64_t generation = 0; generation < 3; ++generation) {
    e.vary(parents, children, rng(6).fork(generation));
    e.vary(parents, again, rng(6).fork(generation));
    REQUIRE(children.all == again.all);
    for (std::size_t j = 0; j < children.all.size(); ++j) {
      placement const &old = parents.all[j], &now = children.all[j];
      if (old == now) ++kept;
      if (old.source != none) ++filled_before;
      if (now.source == none) {
        emptied += old.source != none;
        continue;
      }
      REQUIRE(now.source < 5);
      REQUIRE((now.scale >= .5f && now.scale <= 2 && now.opacity >= .25f && now.opacity <= 1));
      if (old.source == none) {
        ++filled_up;
        continue;
      }
      bool const place = old.top != now.top || old.left != now.left;
      int const things = place + (old.source != now.source) + (old.scale != now.scale) + (old.opacity != now.opacity);
      in_one_thing += things == 1;
      if (things == 1 && place) {
        ++moved;
        // A tenth of 9 and 11 pixels, unless a new scale has brought it out of sight.
        if (!e.shown(list{old}, small).empty()) REQUIRE((std::abs(now.top - old.top) <= 1 && std::abs(now.left - old.left) <= 1));
        REQUIRE(!e.shown(list{now}, small).empty());
      }
    }
    std::swap(parents, children);
  }
  CHECK(before != parents.all);
  double const all = 3 * 4000 * 6, filled_ones = static_cast<double>(filled_before);
  // A step may be of no pixels, and another source the same one.
  CHECK(static_cast<double>(kept) == doctest::Approx(all * .7 + filled_ones * .3 / 6 * (1. / 9 + 1. / 5)).epsilon(.05));
  CHECK(static_cast<double>(emptied) == doctest::Approx(filled_ones * .3 / 6).epsilon(.1));
  CHECK(static_cast<double>(filled_up) == doctest::Approx((all - filled_ones) * .3).epsilon(.1));
  CHECK(static_cast<double>(in_one_thing) == doctest::Approx(filled_ones * .3 / 6 * (4. / 5 + 8. / 9 + 2)).epsilon(.1));
  CHECK(moved > 0);
}

TEST_CASE("steps reach all places where some of a patch is seen, and none beyond") {
  patch const e{.sources = patches(noise(1, {1, 4, 4}, 1), {{0, 0, 0, 3, 2}}), .copies = 1, .rate = 1, .crossover = 0, .step = .5f};
  auto const canvas = filled<float, 4>({1, 1, 5, 6});
  auto parents = e.buffer(500, as_view(canvas)), children = parents;
  e.draw(parents, rng(1));
  std::set<std::int32_t> tops, lefts;
  for (std::uint64_t generation = 0; generation < 30; ++generation) {
    e.vary(parents, children, rng(2).fork(generation));
    for (placement const& p : children.all) {
      if (p.source == none) continue;
      tops.insert(p.top), lefts.insert(p.left);
    }
    std::swap(parents, children);
  }
  CHECK((*tops.begin() == -2 && *tops.rbegin() == 4 && tops.size() == 7));
  CHECK((*lefts.begin() == -1 && *lefts.rbegin() == 5 && lefts.size() == 7));
}

TEST_CASE("placements that are far away come back by a step, whatever the numbers") {
  patch const e{.sources = some_patches(), .rate = 1, .crossover = 0};
  for (std::int32_t far : {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()}) {
    placements const parents = genotypes(small, std::vector<list>(100, list{{0, far, far, 1000}}));
    placements children = parents;
    e.vary(parents, children, rng(1));
    std::size_t back = 0;
    for (placement const& p : children.all) back += p.source == 0 && p.scale == 1000 && p.top != far && e.covered(list{p}, small) == 1;
    CHECK(back > 0);
  }
}

TEST_CASE("couples exchange places of their lists, and only if they cross over") {
  patch e{.sources = some_patches(), .copies = 6, .rate = 0, .crossover = 1};
  auto const canvas = filled<float, 4>({1, 3, 9, 11});
  auto parents = e.buffer(1001, as_view(canvas)), children = parents;
  e.draw(parents, rng(7));
  e.vary(parents, children, rng(8));
  std::size_t exchanged = 0;
  for (std::size_t i = 0; i + 1 < 1001; i += 2)
    for (std::size_t k = 0; k < 6; ++k) {
      auto const &a = parents.row(i)[k], &b = parents.row(i + 1)[k], &c = children.row(i)[k], &d = children.row(i + 1)[k];
      REQUIRE(((a == c && b == d) || (a == d && b == c)));
      exchanged += !(a == c && b == d);
    }
  CHECK((exchanged > 1000 && exchanged < 1500));  // half of 3000, less those that are equal
  CHECK(std::equal(parents.row(1000).begin(), parents.row(1000).end(), children.row(1000).begin()));
  e.crossover = 0;
  e.vary(parents, children, rng(8));
  CHECK(children.all == parents.all);
}

TEST_CASE("settings outside their ranges are refused") {
  auto const canvas = filled<float, 4>({1, 3, 9, 11});
  auto const said = [&](patch const& e) { return message_of([&] { static_cast<void>(e.buffer(1, as_view(canvas))); }); };
  patches const s = some_patches();
  CHECK(said({.sources = s}) == "nothing was thrown");
  CHECK(said({.sources = s, .copies = 0}) == "patch: copies is 0; give at least 1");
  CHECK(said({.sources = s, .feather = -1}) == "patch: feather is -1; give 0 to 1e6 pixels");
  CHECK(said({.sources = s, .feather = nan}) == "patch: feather is nan; give 0 to 1e6 pixels");
  CHECK(said({.sources = s, .area = 1.5f}) == "patch: area is 1.5; give a share of the canvas, in [0, 1]");
  CHECK(said({.sources = s, .smallest = 0}) == "patch: scales are 0 to 1; give positive ones up to 1000, the smaller first");
  CHECK(said({.sources = s, .smallest = 2}) == "patch: scales are 2 to 1; give positive ones up to 1000, the smaller first");
  CHECK(said({.sources = s, .largest = 2000}) == "patch: scales are 1 to 2000; give positive ones up to 1000, the smaller first");
  for (patch const& e : {patch{.sources = s, .faintest = 2}, patch{.sources = s, .rate = 2}, patch{.sources = s, .crossover = 2},
                         patch{.sources = s, .step = 2}})
    CHECK(said(e) == "patch: faintest, rate, crossover or step is 2; give values in [0, 1]");
}

TEST_CASE("patches with another number of channels than the images are refused") {
  patch const e{.sources = some_patches(1)};
  auto const canvas = filled<float, 4>({1, 3, 9, 11});
  std::string const expected = "patch: the patches have 1 channels, the images 3; take donors of the same kind";
  CHECK(message_of([&] { static_cast<void>(e.buffer(1, as_view(canvas))); }) == expected);
  CHECK(message_of_decode(e, {0}) == expected);
}

TEST_CASE("placements that cannot be shown are refused, those that are empty not") {
  patch const e{.sources = some_patches()};
  CHECK(message_of_decode(e, {5}) == "patch: a placement shows patch 5 of 5");
  for (float scale : {0.f, -1.f, 1001.f, nan, INFINITY})
    CHECK(message_of_decode(e, {0, 0, 0, scale}).find("patch: a placement has scale ") == 0);
  for (float opacity : {-.1f, 1.1f, nan})
    CHECK(message_of_decode(e, {0, 0, 0, 1, opacity}).find("patch: a placement has scale 1 and opacity ") == 0);
  CHECK(message_of_decode(e, {none, 0, 0, nan, nan}) == "nothing was thrown");
}

TEST_CASE("MAP-Elites raises the values of its champions by patches") {
  toy const model{{3, 6, 6}, 4};
  for (bool overlap : {true, false}) {
    patch const e{.sources = all_windows(noise(4, {3, 6, 6}, 1), 2, 1), .copies = 6, .overlap = overlap, .area = .7f, .faintest = .5f};
    auto const start = blank(model.input());
    auto const before = run(attack{e, class_probability{}, map_elites{40, 0}}, model, start, rng(1));
    auto const after = run(attack{e, class_probability{}, map_elites{40, 30}}, model, start, rng(1));
    REQUIRE(after.values.size() == 4);
    double gain = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      CHECK(after.values[k] >= before.values[k]);
      gain += double{after.values[k]} - double{before.values[k]};
    }
    CHECK(gain > .1);
    // Never more than the area: the other pixels are the blank canvas.
    for (std::size_t k = 0; k < 4; ++k) {
      std::size_t changed = 0;
      for (std::size_t j = 0; j < 36; ++j) changed += as_view(after.images).row(k)[j] != 0;
      CHECK(changed <= 25);
      CHECK(changed > 0);
    }
  }
}

TEST_CASE("lists are numbers and back, and numbers that are none are refused") {
  patch const e{.sources = all_windows(filled<float, 4>({2, 1, 4, 4}, .5f), 2, 1), .copies = 3, .smallest = .5f, .faintest = .2f};
  auto const canvas = filled<float, 4>({1, 1, 9, 9});
  auto some = e.buffer(5, as_view(canvas));
  e.draw(some, rng{1});
  auto rows = some.packed();
  CHECK(rows.shape()[1] == 15);
  auto same = e.buffer(5, as_view(canvas));
  same.unpack(rows);
  CHECK(same.all == some.all);
  rows(4, 11) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(same.unpack(rows), doctest::Contains("has nan as its source or place"), error);
  CHECK_THROWS_WITH_AS(same.unpack(filled<float, 2>({5, 10})), doctest::Contains("it must be 5x15"), error);
}

}  // namespace pareidolia_test
