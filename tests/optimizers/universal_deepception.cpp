// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/universal_deepception.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/patch.hpp>
#include <pareidolia/models/adaptors.hpp>
#include <pareidolia/objectives/clipped.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/opposite.hpp>

#include <doctest/doctest.h>

#include <support/kept_runs.hpp>
#include <support/lenet_task.hpp>
#include <support/weighted_places.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

// Image i is i / 16 bright: the later, the less is missing.
labelled_images shades(std::size_t n) {
  labelled_images canvas{filled<float, 4>({n, 1, 8, 8}), std::vector<int>(n)};
  for (std::size_t i = 0; i < n; ++i) std::fill_n(&canvas.images(i, 0, 0, 0), 64, static_cast<float>(i % 8) / 16);
  return canvas;
}

template <class S>
outcome fool(weighted_places const& board, universal_deepception<S> const& how, labelled_images const& canvas, std::uint64_t seed = 1) {
  return run(attack{board.encoding(), margin{}, how}, board.model(), canvas, rng{seed});
}

// Where each image has pixels of that brightness.
std::vector<std::size_t> bright(outcome const& r, std::size_t i, float b) {
  std::vector<std::size_t> where;
  auto const x = as_view(r.images).row(i);
  for (std::size_t j = 0; j < x.size(); ++j)
    if (x[j] == b) where.push_back(j);
  return where;
}

std::size_t count(std::vector<std::uint8_t> const& v) { return static_cast<std::size_t>(std::count(v.begin(), v.end(), 1)); }

}  // namespace

TEST_CASE("one list of placements fools all images, at the places where the mean gains most") {
  weighted_places const board{scrambled_weights(), {.5f, 1}, 12};
  auto const canvas = shades(8);
  universal_deepception<exhaustive> const how{.stride = 2};
  auto const r = fool(board, how, canvas);
  CHECK(count(r.success) == 8);
  for (std::size_t i = 0; i < 8; ++i) CHECK(bright(r, i, 1) == bright(r, 0, 1));
  // Each round adds the best of the places that are left; the last adds the first that fools the darkest image, which needs the most.
  auto const pixels = bright(r, 0, 1);
  std::size_t const copies = pixels.size() / 4;
  std::vector<float> pasted, best = board.weights;
  for (std::size_t j : pixels)
    if (j / 8 % 2 == 0 && j % 2 == 0) pasted.push_back(board.weights[j / 8 / 2 * 4 + j % 8 / 2]);
  REQUIRE(pasted.size() == copies);
  std::sort(best.begin(), best.end(), std::greater<>{});
  for (std::size_t k = 0; k + 1 < copies; ++k) CHECK(std::count(pasted.begin(), pasted.end(), best[k]) == 1);
  CHECK(std::accumulate(pasted.begin(), pasted.end(), -12.) > 0);
  CHECK(std::accumulate(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(copies) - 1, -12.) <= 0);
}

TEST_CASE("no image is looked at more often than the budget says, and every forward is accounted for") {
  weighted_places const board{scrambled_weights(), {.25f, 1}, 1000};
  auto const model = board.model();
  auto const canvas = shades(11);
  for (std::size_t budget : {1u, 2u, 17u, 100u})
    for (std::size_t images : {3u, 11u, 64u}) {
      auto const exact = [&](auto how) {
        how.queries = budget;
        how.images = images;
        how.stride = 2;
        how.batch = 16;
        counted const seen{model};
        auto const r = run(attack{board.encoding(), margin{}, how}, seen, canvas, rng{1});
        std::size_t sum = 0;
        for (auto spent : r.forwards_spent) {
          CHECK(spent <= budget);
          if (images >= 11) CHECK(spent == budget);
          sum += spent;
        }
        if (images == 3) CHECK(sum >= 11 + 3 * (budget - 1));
        CHECK(seen.forwards() == sum + 11 + 11);  // the search, the canvas, the result
        CHECK(count(r.success) == 0);
      };
      exact(universal_deepception<exhaustive>{});
      exact(universal_deepception<lazy_greedy>{});
      exact(universal_deepception<sampled>{.strategy = {5}});
      exact(universal_deepception<coarse_to_fine>{});
      exact(universal_deepception<blind>{});
    }
}

TEST_CASE("neither the batch changes what a universal deepception finds, nor what a sample of the images was looked at for") {
  weighted_places const board{scrambled_weights(), {.25f, 1, .5f}, 9};
  auto const canvas = shades(9);
  for (std::size_t images : {4u, 9u}) {
    auto const how = [&](std::size_t batch) {
      return universal_deepception<lazy_greedy>{.queries = 80, .images = images, .donors = 2, .stride = 2, .together = 5, .batch = batch};
    };
    auto const one = fool(board, how(1), canvas);
    for (std::size_t batch : {5u, 64u}) {
      auto const other = fool(board, how(batch), canvas);
      CHECK(other.images == one.images);
      CHECK(other.forwards_spent == one.forwards_spent);
    }
  }
}

TEST_CASE("looked at on samples, the list that is pasted is the same where the images agree") {
  weighted_places const board{scrambled_weights(), {.5f, 1}, 12};
  auto const canvas = board.black(20);  // all alike
  auto const all = fool(board, universal_deepception<exhaustive>{.images = 20, .stride = 2, .together = 1000}, canvas);
  auto const some = fool(board, universal_deepception<exhaustive>{.images = 3, .stride = 2, .together = 1000}, canvas);
  CHECK(count(all.success) == 20);
  CHECK(count(some.success) == 20);
  // On all, the last round ends with the first candidate that fools; on samples with the best, by a look of its own.
  CHECK(bright(some, 0, 1).size() == bright(all, 0, 1).size());
  CHECK(some.values[0] >= all.values[0]);
  std::size_t const rounds = bright(some, 0, 1).size() / 4;
  std::size_t candidates = 0, sum = 0;
  for (std::size_t k = 0; k < rounds; ++k) candidates += 32 - 2 * k;
  for (auto spent : all.forwards_spent) CHECK(spent == 1 + candidates);
  for (auto spent : some.forwards_spent) sum += spent;
  CHECK(sum == 20 * (1 + rounds) + 3 * candidates);
}

TEST_CASE("candidates are compared with the list as it is on the same images") {
  auto const spent_by = [](weighted_places const& board, universal_deepception<exhaustive> const& how, labelled_images const& canvas,
                           std::uint64_t seed) {
    auto const r = run(attack{board.encoding(1), margin{}, how}, board.model(), canvas, rng{seed});
    return std::accumulate(r.forwards_spent.begin(), r.forwards_spent.end(), std::size_t{0});
  };
  // The images differ where nothing comes, and black patches change nothing: whatever the sample, none gains.
  weighted_places const board{std::vector<float>(16, 1), {0, 0}, 100};
  labelled_images canvas = board.black(10);
  for (std::size_t i = 0; i < 10; ++i) canvas.images(i, 0, 0, 0) = static_cast<float>(i) / 10;
  for (std::uint64_t seed = 1; seed < 9; ++seed)
    CHECK(spent_by(board, {.queries = 1 + 4 + 4, .images = 3, .donors = 1, .stride = 4}, canvas, seed) == 10 + 3 * 8);
  // The second list begins from the image as it is, and so gains with a patch that is dimmer than the first.
  weighted_places const two{scrambled_weights(), {1, .5f}, 100};
  CHECK(spent_by(two, {.queries = 1 + 16 + 1 + 16 + 1, .images = 3, .donors = 1, .stride = 2}, shades(10), 1) == 3 * 10 + 3 * 32);
}

TEST_CASE("a universal deepception ends when the share is fooled that is asked for") {
  weighted_places const board{scrambled_weights(), {1}, 12};
  auto const canvas = shades(8);
  for (float share : {.25f, .5f, 1.f}) {
    auto const r = fool(board, universal_deepception<exhaustive>{.fooled = share, .stride = 2}, canvas);
    CHECK(static_cast<float>(count(r.success)) >= 8 * share);
    if (share < 1) CHECK(count(r.success) < 8);
  }
}

TEST_CASE("the answer fools most, whatever the mean value") {
  weighted_places board{std::vector<float>(16, 0), {1}, 2};
  board.weights[5] = 3;
  board.weights[6] = 1;
  auto canvas = board.black(4);
  auto const one = [&](auto const& objective) {
    return run(attack{board.encoding(1), objective, universal_deepception<exhaustive>{.queries = 17, .stride = 2}}, board.model(), canvas,
               rng{1});
  };
  CHECK(count(one(margin{}).success) == 4);
  struct worse_where_fooled : margin {
    void value(const_score_view<space::host> y, label_view t, value_view<space::host> v) const {
      margin::value(y, t, v);
      for (float& each : v.flat()) each = each > 0 ? -100.f : each;
    }
  };
  auto how = universal_deepception<exhaustive>{.queries = 17, .fooled = 1, .stride = 2};
  canvas.labels[0] = 1;
  // Image 0 is to leave class 1, which a copy at place 5 would not let it; so one list fools three, the others one.
  auto const r = run(attack{board.encoding(1), worse_where_fooled{}, how}, board.model(), canvas, rng{1});
  CHECK(count(r.success) == 3);
  CHECK(bright(r, 0, 1) == std::vector<std::size_t>{2 * 8 + 2, 2 * 8 + 3, 3 * 8 + 2, 3 * 8 + 3});
}

TEST_CASE("patches of a class that some of the images are of are pasted, of a class that all are of are not") {
  weighted_places const board{scrambled_weights(), {.5f, 1}, 3, {1, 0}};
  auto canvas = board.black(4);
  auto const r = fool(board, universal_deepception<exhaustive>{.stride = 2}, canvas);
  CHECK(bright(r, 0, 1).empty());
  CHECK_FALSE(bright(r, 0, .5f).empty());
  canvas.labels = {0, 0, 0, 1};  // the last is wrong as it is
  CHECK_FALSE(bright(fool(board, universal_deepception<exhaustive>{.stride = 2}, canvas), 0, 1).empty());
  canvas.labels = {1, 1, 1, 1};
  auto const there =
      run(attack{board.encoding(), towards{margin{}}, universal_deepception<exhaustive>{.stride = 2}}, board.model(), canvas, rng{1});
  CHECK(count(there.success) == 4);
  CHECK(bright(there, 0, 1).empty());
}

TEST_CASE("an interrupted universal deepception answers with the best list so far, and says how good it is") {
  weighted_places const board{scrambled_weights(), {1}, 12};
  auto const canvas = shades(8);
  for (std::size_t steps : {1u, 2u, 9u, 40u})
    for (std::size_t images : {3u, 8u}) {
      std::size_t left = steps;
      std::vector<double> last;
      auto const r = run(attack{board.encoding(), margin{}, universal_deepception<lazy_greedy>{.images = images, .stride = 2, .batch = 5}},
                         board.model(), canvas, rng{1}, [&](step const& now) {
                           last = {now.where.figures[0].value, now.where.figures[1].value};
                           CHECK(now.where.step <= 1000);
                           return --left == 0 ? verdict::stop : verdict::go_on;
                         });
      CHECK(r.steps == steps);
      CHECK(static_cast<double>(bright(r, 0, 1).size()) == 4 * last[1]);
      if (steps > 1) CHECK(static_cast<double>(count(r.success)) == 8 * last[0]);
    }
}

TEST_CASE("settings of a universal deepception that make no sense are refused") {
  weighted_places const board{scrambled_weights(), {1}};
  auto const refused = [&](universal_deepception<> const& how, char const* sentence) {
    CHECK_THROWS_WITH_AS(fool(board, how, board.black(1)), doctest::Contains(sentence), error);
  };
  refused({.queries = 0}, "universal_deepception: queries is 0");
  refused({.fooled = 0}, "universal_deepception: fooled is 0; give a share of the images, in (0, 1]");
  refused({.images = 0}, "universal_deepception: images is 0");
  refused({.batch = 0}, "batch 0");
}

TEST_CASE("data: a few patches fool LeNet on most of a hundred digits") {
  auto const lenet = trained_lenet();
  auto const digits = known_digits(lenet, 150);
  auto const canvas = first_images(digits, 100);
  auto images = filled<float, 4>({50, 1, 28, 28});
  std::copy(&digits.images(100, 0, 0, 0), &digits.images(100, 0, 0, 0) + images.size(), images.data());
  std::vector<patch_window> windows;
  for (std::size_t i = 0; i < 50; ++i) windows.push_back({i, 11, 11, 6, 6});
  patch const pasted{.sources = patches(std::move(images), std::move(windows)), .copies = 6, .overlap = false, .area = .3f};
  auto const r = run(attack{pasted, clipped{margin{}, 2.f}, universal_deepception<>{.queries = 300, .donors = 50}}, lenet, canvas, rng{1});
  CHECK(count(r.success) >= 75);
  CHECK(*std::max_element(r.forwards_spent.begin(), r.forwards_spent.end()) <= 300);
  for (std::size_t i = 0; i < 100; ++i) CHECK(r.distances(i, 0) <= 6 * 36);
}

TEST_CASE("universal_deepception that is killed at any step ends as if nothing had happened") {
  weighted_places const board{scrambled_weights(), {.5f, 1}, 12};
  auto const canvas = shades(11);
  for (std::size_t images : {4u, 64u}) {
    universal_deepception<> const how{.queries = 60, .images = images, .stride = 2, .batch = 5};
    attack const all{board.encoding(), margin{}, how};
    auto const whole = run(all, board.model(), canvas, rng{3});
    for (std::size_t steps : {3u, 20u}) check_same(run_in_pieces(all, board.model(), canvas, 3, steps), whole);
  }
}

TEST_CASE("universal_deepception refuses answers to other questions") {
  weighted_places const board{scrambled_weights(), {.5f, 1}, 12};
  attack const all{board.encoding(), margin{}, universal_deepception<>{.queries = 60, .stride = 2, .batch = 5}};
  memory_keeper keeper;
  static_cast<void>(run(all, board.model(), shades(11), rng{3}, keeper));
  keeper.state->arrays["search/values"].shape[0] += 1;
  keeper.state->arrays["search/values"].bytes.resize(keeper.state->arrays["search/values"].bytes.size() + 4);
  CHECK_THROWS_WITH_AS(static_cast<void>(run(all, board.model(), shades(11), rng{3}, keeper)),
                       "universal_deepception: the answers that were kept are not those to its questions; begin anew", error);
}
