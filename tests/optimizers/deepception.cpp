// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/deepception.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/patch.hpp>
#include <pareidolia/models/adaptors.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/opposite.hpp>

#include <doctest/doctest.h>

#include <support/kept_runs.hpp>
#include <support/lenet_task.hpp>
#include <support/weighted_places.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

// Images of five brightnesses: the brighter, the less is missing to the threshold.
labelled_images shades(std::size_t n) {
  labelled_images canvas{filled<float, 4>({n, 1, 8, 8}), std::vector<int>(n)};
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < 64; ++j) canvas.images(i, 0, j / 8, j % 8) = static_cast<float>(i % 5) / 16;
  return canvas;
}

template <class S>
outcome fool(weighted_places const& board, deepception<S> const& how, labelled_images const& canvas, std::uint64_t seed = 1) {
  return run(attack{board.encoding(), margin{}, how}, board.model(), canvas, rng{seed});
}

// Pixels of an image that are as bright as a patch.
std::size_t bright(outcome const& r, std::size_t i, float b) {
  auto const x = as_view(r.images).row(i);
  return static_cast<std::size_t>(std::count(x.begin(), x.end(), b));
}

// Notes how many images each forward has.
struct noting {
  static constexpr space memory = space::host;
  using workspace = plane_model::workspace;
  plane_model const& model;
  std::vector<std::size_t>& sizes;
  [[nodiscard]] image_shape input() const { return model.input(); }
  [[nodiscard]] std::size_t classes() const { return model.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return model.prepare(n); }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    sizes.push_back(x.shape[0]);
    model.forward(x, y, w);
  }
};

std::size_t total(std::vector<std::uint32_t> const& v) { return std::accumulate(v.begin(), v.end(), std::size_t{0}); }

}  // namespace

TEST_CASE("exhaustive deepception pastes the brightest patch at the best places until the class changes, not further") {
  // 2 + 15/8 + 14/8 > 5.5: three copies of the second patch.
  weighted_places const board{scrambled_weights(), {.5f, 1}, 5.5f};
  auto const r = fool(board, deepception<exhaustive>{.stride = 2, .together = 1000}, board.black(1));
  CHECK(r.success == std::vector<std::uint8_t>{1});
  CHECK(r.labels == std::vector<int>{1});
  // The third round's first success is pasted, which need not be its best: two copies are where the weights are largest.
  std::vector<float> pasted;
  for (std::size_t cell = 0; cell < 16; ++cell)
    if (r.images(0, 0, cell / 4 * 2, cell % 4 * 2) != 0) pasted.push_back(board.weights[cell]);
  CHECK(pasted.size() == 3);
  CHECK(std::count(pasted.begin(), pasted.end(), 2.f) == 1);
  CHECK(std::count(pasted.begin(), pasted.end(), 15 / 8.f) == 1);
  CHECK(r.forwards_spent[0] == 1 + 32 + 30 + 28);
  CHECK(double{r.values[0]} == doctest::Approx(std::accumulate(pasted.begin(), pasted.end(), -5.5)));
}

TEST_CASE("every strategy fools within the queries that it needs at most") {
  weighted_places const board{scrambled_weights(), {.25f, 1}, 5.5f};
  auto const canvas = board.black(3);
  auto const needs_at_most = [&](auto const& how, std::size_t queries) {
    auto const r = fool(board, how, canvas);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(r.success[i] == 1);
      CHECK(r.forwards_spent[i] <= queries);
      CHECK(r.values[i] > 0);
    }
  };
  needs_at_most(deepception<exhaustive>{.stride = 2}, 1 + 32 + 30 + 28);
  needs_at_most(deepception<lazy_greedy>{.stride = 2, .together = 1}, 1 + 32 + 2);
  needs_at_most(deepception<sampled>{.strategy = {8}, .queries = 5000, .stride = 2}, 1 + 8 * 8 * 3);
  needs_at_most(deepception<coarse_to_fine>{.strategy = {1}, .stride = 2}, 1 + 8 * (8 + 8));
  needs_at_most(deepception<blind>{.queries = 5000, .stride = 2}, 5000);
  needs_at_most(deepception{}, 1000);
}

TEST_CASE("the queries of an image never exceed its budget, and every forward is accounted for") {
  weighted_places const board{scrambled_weights(), {.25f, 1}, 100};  // out of reach
  auto const canvas = shades(7);
  auto const model = board.model();
  auto const exact = [&](auto how, std::size_t budget) {
    counted const seen{model};
    how.queries = budget;
    how.stride = 2;
    auto const r = run(attack{board.encoding(), margin{}, how}, seen, canvas, rng{1});
    for (auto spent : r.forwards_spent) CHECK(spent == budget);
    CHECK(seen.forwards() == 7 * budget + 7 + 7);  // the search, the canvas, the result
    CHECK(r.forwards == seen.forwards());
    CHECK(std::count(r.success.begin(), r.success.end(), 1) == 0);
  };
  for (std::size_t budget : {1u, 2u, 17u, 100u}) {
    exact(deepception<exhaustive>{}, budget);
    exact(deepception<sampled>{}, budget);
    exact(deepception<coarse_to_fine>{}, budget);
    exact(deepception<lazy_greedy>{}, budget);
    exact(deepception<blind>{}, budget);
    exact(deepception<exhaustive>{.together = 1}, budget);
    exact(deepception<lazy_greedy>{.together = 7, .batch = 5}, budget);
  }
}

TEST_CASE("batches are full as long as enough candidates wait") {
  weighted_places const board{scrambled_weights(), {.25f, 1}, 100};
  std::vector<std::size_t> sizes;
  auto const model = board.model();
  deepception<exhaustive> const how{.queries = 101, .stride = 2, .together = 10, .batch = 16};
  auto const r = run(attack{board.encoding(), margin{}, how}, noting{model, sizes}, board.black(20), rng{1}, batch_size{20});
  REQUIRE(sizes.size() == r.steps + 2);  // before and after
  CHECK(total(r.forwards_spent) == 20 * 101);
  std::size_t full = 0;
  for (std::size_t k = 1; k + 1 < sizes.size(); ++k) {
    CHECK(sizes[k] <= 16);
    full += sizes[k] == 16;
  }
  CHECK(full >= r.steps - 12);  // but for the end, when one image or none is left
}

TEST_CASE("the result depends neither on the batch nor on the threads") {
  weighted_places const board{scrambled_weights(), {.25f, 1, .5f}, 5.5f};
  auto const canvas = shades(9);
  auto const same = [&](auto how) {
    how.queries = 90;
    how.donors = 2;
    how.batch = 1;
    auto const one = fool(board, how, canvas);
    for (std::size_t batch : {5u, 64u}) {
      how.batch = batch;
      auto const other = fool(board, how, canvas);
      CHECK(other.images == one.images);
      CHECK(other.forwards_spent == one.forwards_spent);
    }
#ifdef _OPENMP
    int const threads = omp_get_max_threads();
    omp_set_num_threads(threads == 1 ? 3 : 1);
    auto const other = fool(board, how, canvas);
    omp_set_num_threads(threads);
    CHECK(other.images == one.images);
    CHECK(other.forwards_spent == one.forwards_spent);
#endif
  };
  same(deepception<exhaustive>{});
  same(deepception<sampled>{.strategy = {9}});
  same(deepception<coarse_to_fine>{});
  same(deepception<lazy_greedy>{.together = 3});
  same(deepception<blind>{});
}

TEST_CASE("what becomes of an image does not depend on those after it, and random strategies on the seed alone") {
  weighted_places const board{scrambled_weights(), {.25f, 1, .5f}, 5.5f};
  auto const few = shades(3), many = shades(8);
  for (std::uint64_t seed : {1u, 2u}) {
    deepception<sampled> const how{.strategy = {9}, .queries = 60, .stride = 1};
    auto const a = fool(board, how, few, seed), b = fool(board, how, many, seed);
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::ranges::equal(as_view(a.images).row(i), as_view(b.images).row(i)));
    CHECK(fool(board, how, few, seed).images == a.images);
    CHECK(fool(board, how, few, seed + 1).images != a.images);
    auto const twins = fool(board, how, board.black(2), seed);
    CHECK_FALSE(std::ranges::equal(as_view(twins.images).row(0), as_view(twins.images).row(1)));
  }
}

TEST_CASE("an image that is wrong already costs one query and stays as it is") {
  weighted_places const board{scrambled_weights(), {1}, 5.5f};
  auto canvas = board.black(3);
  canvas.labels[1] = 1;
  auto const r = fool(board, deepception{}, canvas);
  CHECK(r.forwards_spent[1] == 1);
  CHECK(r.success == std::vector<std::uint8_t>{1, 1, 1});
  CHECK(std::ranges::equal(as_view(r.images).row(1), as_view(canvas.images).row(1)));
  CHECK(bright(r, 0, 1) == bright(r, 2, 1));
}

TEST_CASE("to leave a class no patch of that class is pasted, to reach one only those of it") {
  // The third is the brightest, but evokes class 0.
  weighted_places const board{scrambled_weights(), {.5f, .25f, 1}, 2.25f, {1, 2, 0}};
  auto const away = fool(board, deepception<exhaustive>{.stride = 2}, board.black(1));
  CHECK(away.success[0] == 1);
  CHECK(bright(away, 0, 1) == 0);
  CHECK(bright(away, 0, .5f) > 0);
  auto const reach = [&](weighted_places const& places) {
    auto canvas = places.black(1, 1);
    return run(attack{places.encoding(), towards{margin{}}, deepception<exhaustive>{.stride = 2}}, places.model(), canvas, rng{1});
  };
  auto const there = reach(board);
  CHECK(there.labels[0] == 1);
  CHECK(bright(there, 0, .5f) > 0);
  CHECK(bright(there, 0, .25f) + bright(there, 0, 1) == 0);
  // None of the class to reach: all.
  auto strangers = board;
  strangers.evokes = {2, 2, 0};
  auto const anyhow = reach(strangers);
  CHECK(anyhow.labels[0] == 1);
  CHECK(bright(anyhow, 0, 1) > 0);
  // None but of the class to leave: nothing is pasted.
  auto own = board;
  own.evokes = {0, 0, 0};
  auto const left = fool(own, deepception{}, board.black(2));
  CHECK(left.forwards_spent == std::vector<std::uint32_t>{1, 1});
  CHECK(left.success == std::vector<std::uint8_t>{0, 0});
  CHECK(left.distances(0, 0) == 0);
}

TEST_CASE("attempts go on with the next donors where the first do not fool") {
  // The first two dim what is bright: nothing gains, whatever the place.
  weighted_places const board{scrambled_weights(), {0, 0, 1}, 3};
  auto const r = fool(board, deepception<exhaustive>{.donors = 1, .stride = 2}, board.black(1));
  CHECK(r.success[0] == 1);
  CHECK(bright(r, 0, 1) == 8);
  CHECK(r.forwards_spent[0] > 1 + 16 + 16);
  CHECK(r.forwards_spent[0] <= 1 + 16 + 16 + 16 + 16);
}

TEST_CASE("the encoding's area, overlap and copies are kept to") {
  weighted_places const board{scrambled_weights(), {1}, 1000};
  auto const kept = [&](patch encoding, auto const& how) {
    auto const r = run(attack{encoding, margin{}, how}, board.model(), board.black(2), rng{1});
    for (std::size_t i = 0; i < 2; ++i) {
      std::size_t const covered = bright(r, i, 1);
      CHECK(covered <= static_cast<std::size_t>(encoding.area * 64));
      CHECK(covered <= encoding.copies * 4);
      if (!encoding.overlap) CHECK(covered % 4 == 0);
    }
    return bright(r, 0, 1);
  };
  deepception<exhaustive> const how{.queries = 3000, .stride = 1};
  CHECK(kept({.sources = board.sources(), .copies = 16, .overlap = false, .area = .3f}, how) == 16);
  CHECK(kept({.sources = board.sources(), .copies = 3, .overlap = false}, how) == 12);
  CHECK(kept({.sources = board.sources(), .copies = 16, .overlap = true, .area = .3f}, how) > 12);
  CHECK(kept({.sources = board.sources(), .copies = 16, .overlap = false, .area = .05f}, how) == 0);
  CHECK(kept({.sources = board.sources(), .copies = 16, .overlap = false, .area = .3f}, deepception<blind>{.queries = 99, .stride = 1}) >
        0);
}

TEST_CASE("scale and opacity are those of the placements") {
  weighted_places const board{scrambled_weights(), {1}, 1000};
  auto const r = fool(board, deepception<exhaustive>{.queries = 10, .stride = 2, .scale = 2, .opacity = .5f}, board.black(1));
  CHECK(bright(r, 0, .5f) == 16);
  CHECK(bright(r, 0, 1) == 0);
}

TEST_CASE("an interrupted deepception answers with the best that each image has seen") {
  weighted_places const board{scrambled_weights(), {.25f, 1}, 100};
  auto const canvas = board.black(6);
  deepception<exhaustive> const how{.queries = 200, .stride = 2, .together = 16, .batch = 16};
  attack const a{board.encoding(), margin{}, how};
  for (std::size_t steps : {1u, 2u, 5u}) {
    std::size_t left = steps;
    std::vector<double> finished;
    auto const r = run(a, board.model(), canvas, rng{1}, [&](step const& now) {
      finished.push_back(now.where.figures[0].value);
      CHECK(now.where.steps == 6);
      return --left == 0 ? verdict::stop : verdict::go_on;
    });
    CHECK_FALSE(r.complete);
    CHECK(r.steps == steps);
    CHECK(finished.back() == 0);
    CHECK(total(r.forwards_spent) == 6 + (steps - 1) * 16);
    for (std::size_t i = 0; i < 6; ++i) CHECK(r.values[i] >= -100);
    if (steps > 2) CHECK(r.values[0] > -100);
  }
}

TEST_CASE("deepception says how many images are done, how many fooled and what they took") {
  weighted_places const board{scrambled_weights(), {1}, 5.5f};
  auto canvas = board.black(4);
  canvas.labels[3] = 1;
  std::vector<double> last;
  auto const r = run(attack{board.encoding(), margin{}, deepception<exhaustive>{.queries = 40, .stride = 2}}, board.model(), canvas, rng{1},
                     [&](step const& now) {
                       last.clear();
                       for (auto const& f : now.where.figures) last.push_back(f.value);
                       CHECK(now.where.step == static_cast<std::size_t>(now.where.figures[0].value));
                     });
  auto const fooled = static_cast<double>(std::count(r.success.begin(), r.success.end(), 1));
  CHECK(last == std::vector<double>{4, fooled, static_cast<double>(total(r.forwards_spent)) / 4});
}

TEST_CASE("settings that make no sense are refused") {
  weighted_places const board{scrambled_weights(), {1}};
  auto const refused = [&](deepception<> const& how, char const* sentence) {
    CHECK_THROWS_WITH_AS(fool(board, how, board.black(1)), doctest::Contains(sentence), error);
  };
  refused({.queries = 0}, "deepception: queries is 0");
  refused({.donors = 0}, "donors 0");
  refused({.together = 0}, "together 0; give at least 1");
  refused({.batch = 0}, "deepception: batch is 0");
  refused({.scale = 0}, "deepception: scale is 0");
  refused({.opacity = 2}, "opacity 2");
}

namespace {

// The middles of digits that are not attacked, 5 pixels wide.
patches middles_of(labelled_images const& digits, std::size_t first) {
  auto images = filled<float, 4>({digits.size() - first, 1, 28, 28});
  std::copy(&digits.images(first, 0, 0, 0), &digits.images(first, 0, 0, 0) + images.size(), images.data());
  std::vector<patch_window> windows;
  std::vector<int> evokes;
  for (std::size_t i = first; i < digits.size(); ++i) windows.push_back({i - first, 11, 11, 5, 5}), evokes.push_back(digits.labels[i]);
  return patches(std::move(images), std::move(windows), std::move(evokes));
}

}  // namespace

TEST_CASE("data: deepception fools LeNet on 50 digits with patches of other digits, more than blind pasting does") {
  auto const lenet = trained_lenet();
  auto const digits = known_digits(lenet, 100);
  labelled_images const canvas = first_images(digits, 50);
  patch const pasted{.sources = middles_of(digits, 50), .copies = 3, .overlap = false, .area = .1f};
  auto const fooled = [&](auto const& how, std::uint64_t seed) {
    auto const r = run(attack{pasted, margin{}, how}, lenet, canvas, rng{seed});
    for (std::size_t i = 0; i < 50; ++i) {
      CHECK(r.forwards_spent[i] <= 100);
      CHECK(r.distances(i, 0) <= 75);
    }
    return std::count(r.success.begin(), r.success.end(), 1);
  };
  auto const lazy = fooled(deepception<>{.queries = 100}, 1);
  CHECK(lazy >= 42);
  CHECK(fooled(deepception<sampled>{.queries = 100}, 1) >= 42);
  CHECK(lazy >= fooled(deepception<blind>{.queries = 100, .donors = 1}, 1) + 3);
  CHECK(lazy >= fooled(deepception<blind>{.queries = 100, .donors = 50}, 1) + 3);
}

TEST_CASE("deepception that is killed at any step ends as if nothing had happened") {
  weighted_places const board{scrambled_weights(), {.5f, 1}, 4};
  auto const canvas = board.black(7);
  attack const each{board.encoding(), margin{}, deepception<>{.queries = 40, .stride = 2, .together = 2, .batch = 5}};
  auto const whole = run(each, board.model(), canvas, rng{3});
  for (std::size_t steps : {3u, 20u}) check_same(run_in_pieces(each, board.model(), canvas, 3, steps), whole);
}
