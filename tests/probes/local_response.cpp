// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/local_response.hpp>

#include <pareidolia/attack.hpp>

#include <doctest/doctest.h>

#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("a window alone on black has the probability of its own pixels") {
  auto const m = two_classes(7, .8, 1);
  auto const images = of_class_1(m, 5, 2);
  auto const found = measure(local_response{.windows = {{3, 2}, {4, 1}}, .where = on_black}, m, images);
  REQUIRE(found.maps.size() == 2);
  CHECK(found.maps[0].values.shape() == std::array<std::size_t, 3>{5, 3, 3});
  CHECK(found.maps[1].values.shape() == std::array<std::size_t, 3>{5, 4, 4});
  for (auto const& map : found.maps)
    for (std::size_t i = 0; i < 5; ++i)
      for (std::size_t k = 0; k < map.grid.count(); ++k) {
        auto const w = map.grid(k);
        CHECK(double{map.values(i, k / map.grid.columns, k % map.grid.columns)} ==
              doctest::Approx(log10_sigmoid(score_of(m, as_view(images.images).row(i), w, w))).epsilon(1e-6));
      }
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(found.empty[i] == doctest::Approx(-std::log10(2)));
    CHECK(found.whole[i] == doctest::Approx(log10_sigmoid(score_of(m, as_view(images.images).row(i), {0, 0, 0, 7, 7}, {0, 0, 0, 7, 7}))));
  }
  CHECK(found.forwards == 5 * (1 + 9 + 1 + 16 + 1));
}

TEST_CASE("a window is seen on the background of its own image") {
  auto const m = two_classes(6, .5, 3);
  auto const images = of_class_1(m, 4, 4);
  auto const found = measure(local_response{.windows = {{2, 2}}}, m, images);
  for (std::size_t i = 0; i < 4; ++i) {
    auto const image = as_view(images.images).row(i);
    std::vector<float> mean(36);
    background{}.fill(image, mean, m.shape, i);
    double const alone = score_of(m, mean, {0, 0, 0, 6, 6}, {0, 0, 0, 6, 6});
    CHECK(found.empty[i] == doctest::Approx(log10_sigmoid(alone)).epsilon(1e-5));
    for (std::size_t k = 0; k < 9; ++k) {
      auto const w = found.maps[0].grid(k);
      CHECK(double{found.maps[0].of(i)[k]} == doctest::Approx(log10_sigmoid(alone + score_of(m, image, w, w, mean))).epsilon(1e-5));
    }
  }
}

TEST_CASE("where there are no labels the class is the one that the model sees") {
  auto const m = two_classes(6, .5, 5);
  auto images = random_images(m, 12, 6, 0, 1);
  REQUIRE(std::ranges::count(images.labels, 0) > 0);
  REQUIRE(std::ranges::count(images.labels, 1) > 0);
  local_response const probe{.windows = {{3, 3}}, .batch = 5};
  auto const labelled = measure(probe, m, images);
  auto const seen = std::exchange(images.labels, {});
  auto const found = measure(probe, m, images);
  CHECK(found.classes == seen);
  CHECK(found.maps[0].values == labelled.maps[0].values);
  CHECK(found.whole == labelled.whole);
  images.labels.assign(12, 0);
  CHECK(measure(probe, m, images).maps[0].values != labelled.maps[0].values);
}

TEST_CASE("batches are full across images, and neither they nor threads matter to what is found") {
  auto const m = two_classes(7, .8, 1);
  auto const images = of_class_1(m, 5, 2);
  std::vector<std::size_t> batches;
  auto const reference = measure(local_response{.windows = {{3, 2}}}, m, images);
  for (std::size_t batch : {1u, 7u, 64u}) {
    CAPTURE(batch);
    batches.clear();
    auto const [one, three] = with_threads([&] {
      return measure(local_response{.windows = {{3, 2}}, .batch = batch}, noting{m, &batches}, images);
    });
    for (auto const& found : {one, three}) {
      CHECK(found.maps[0].values == reference.maps[0].values);
      CHECK(found.whole == reference.whole);
      CHECK(found.empty == reference.empty);
      CHECK(found.forwards == 55);
    }
    // 5 images, then 45 windows and 5 backgrounds, twice.
    std::vector<std::size_t> expected;
    for (std::size_t left : {5u, 50u, 5u, 50u})
      for (; left > 0; left -= expected.back()) expected.push_back(std::min(batch, left));
    CHECK(batches == expected);
  }
}

TEST_CASE("a local response is refused where it has no meaning") {
  auto const m = two_classes(6, .5, 1);
  auto const images = of_class_1(m, 3, 2);
  auto const sentence = [&](local_response const& probe, std::vector<int> const& labels = {}) {
    try {
      static_cast<void>(probe.measure(m, as_view(images.images), labels));
    } catch (error const& e) {
      return std::string(e.what());
    }
    return std::string("nothing was thrown");
  };
  CHECK(sentence({.windows = {{7, 1}}}) == "window_grid: a window of 7 pixels on images of 6x6; give a smaller one");
  CHECK(sentence({.windows = {}}) == "local_response: no sizes of windows; give at least one");
  CHECK(sentence({.windows = {{2, 2}}, .batch = 0}) == "local_response: batch is 0; give at least 1");
  CHECK(sentence({.windows = {{2, 2}}}, {1, 1}) == "local_response: 3 images but 2 labels; give one for each, or none");
  CHECK(sentence({.windows = {{2, 2}}}, {1, 2, 1}) == "local_response: a label is 2; the model's classes are 0 to 1");
  CHECK(sentence({.windows = {{2, 2}}, .where = {.kind = background_kind::noise}}) ==
        "background: noise is drawn at random; give it an rng");
}

TEST_CASE("several models are measured at once, and figures and arrays have the same names for each") {
  auto const small = two_classes(6, .5, 1), large = two_classes(8, .5, 2);
  auto const here = of_class_1(small, 3, 2), there = of_class_1(large, 4, 3);
  local_response const probe{.windows = {{3, 1}, {4, 2}}};
  auto const found = measure_each(probe, subject{"small", small, here}, subject{"large", large, there});
  REQUIRE(found.size() == 2);
  CHECK(found[1].model == "large");
  CHECK(found[0].result.maps[1].values == measure(probe, small, here).maps[1].values);
  std::vector<std::string> names;
  for (auto const& [name, value] : found[1].result.figures()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"median decades of 3/1", "share above 2 decades of 3/1", "share above 3 decades of 3/1",
                                          "median decades of 4/2", "share above 2 decades of 4/2", "share above 3 decades of 4/2"});
  CHECK(found[1].result.figures()[3].second == found[1].result.maps[1].median_decades());
  auto const arrays = found[1].result.arrays("local/");
  REQUIRE(arrays.size() == 5);
  CHECK(arrays[1].name == "local/map_4_2");
  CHECK(arrays[1].shape == std::vector<std::size_t>{4, 3, 3});
  CHECK(std::ranges::equal(arrays[1].values, found[1].result.maps[1].values));
  CHECK(arrays[2].name == "local/classes");
  CHECK(arrays[2].values == std::vector<float>(4, 1));
  auto const only = measure(local_response{.windows = {{3, 1}}}, small, here);
  CHECK(only.figures()[0].first == "median decades");
  CHECK(only.arrays("")[0].name == "map");
}

TEST_CASE("data: parts of a digit evoke it to very different degrees") {
  auto const lenet = trained_lenet();
  auto const found = measure(local_response{.windows = {{14, 2}}}, lenet, known_digits(lenet, 60));
  auto const& map = found.maps[0];
  MESSAGE("median decades " << map.median_decades() << ", above 2: " << map.share_above(2));
  CHECK(map.median_decades() > 1.5);
  CHECK(map.share_above(2) > .4);
  // The best part alone is still the digit, often; the worst never is.
  auto const likely = [&](auto const& place) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < map.size(); ++i) n += map.of(i)[place(i)] > std::log10(.5f);
    return n;
  };
  MESSAGE("best above 1/2: " << likely([&](std::size_t i) { return map.best(i); }));
  CHECK(likely([&](std::size_t i) { return map.best(i); }) > 30);
  CHECK(likely([&](std::size_t i) { return map.worst(i); }) < 6);
}
