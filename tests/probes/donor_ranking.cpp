// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/donor_ranking.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/probes/local_response.hpp>

#include <doctest/doctest.h>

#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>
#include <support/small_models.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("the strongest windows of each image become patches, the strongest of all first") {
  auto const m = two_classes(7, .8, 1);
  auto images = of_class_1(m, 6, 2);
  images.labels = {1, 0, 1, 1, 0, 0};
  donor_ranking const probe{.size = 3, .stride = 2, .where = {.kind = background_kind::black}, .per_image = 2};
  auto const found = measure(probe, m, images);
  auto const local = measure(local_response{.windows = {{3, 2}}, .where = probe.where}, m, images).maps[0];

  std::vector<std::tuple<float, std::size_t, std::size_t>> expected;  // -strength, image, place
  for (std::size_t i = 0; i < 6; ++i) {
    std::vector<std::tuple<float, std::size_t, std::size_t>> own;
    for (std::size_t k = 0; k < 9; ++k) own.emplace_back(-local.of(i)[k], i, k);
    std::ranges::sort(own);
    expected.insert(expected.end(), own.begin(), own.begin() + 2);
  }
  std::ranges::sort(expected);

  REQUIRE(found.ranked.size() == 12);
  CHECK(found.ranked.images().shape == std::array<std::size_t, 4>{12, 1, 3, 3});
  for (std::size_t k = 0; k < 12; ++k) {
    auto const& [weakness, image, place] = expected[k];
    auto const& w = found.windows[k];
    CHECK(w == local.grid(place, image));
    CHECK(found.ranked.strength()[k] == -weakness);
    CHECK(found.ranked.evokes()[k] == images.labels[image]);
    CHECK(found.ranked.windows()[k] == patch_window{k, 0, 0, 3, 3});
    for (std::size_t y = 0; y < 3; ++y)
      for (std::size_t x = 0; x < 3; ++x) CHECK(found.ranked.images().row(k)[y * 3 + x] == images.images(image, 0, w.top + y, w.left + x));
  }
  CHECK(found.forwards == 6 * (1 + 9 + 1));
  CHECK(found.figures()[0] == named_figure{"strongest", double{found.ranked.strength()[0]}});
  CHECK(found.figures()[1].first == "median strength");
  auto const arrays = found.arrays("donors/");
  REQUIRE(arrays.size() == 4);
  CHECK(arrays[0].name == "donors/patches");
  CHECK(arrays[0].shape == std::vector<std::size_t>{12, 1, 3, 3});
  CHECK(arrays[3].values == std::vector<float>(found.ranked.strength().begin(), found.ranked.strength().end()));
}

TEST_CASE("an image gives no more patches than it has windows, and colours stay together") {
  auto const m = random_planes(3, {3, 4, 6}, 4);
  auto const images = random_images(m, 3, 5, 0, 1);
  auto const found = measure(donor_ranking{.size = 4, .stride = 2, .per_image = 5, .batch = 4}, m, images);
  CHECK(found.ranked.size() == 6);
  for (std::size_t k = 0; k < 6; ++k) {
    auto const& w = found.windows[k];
    for (std::size_t c = 0; c < 3; ++c) CHECK(found.ranked.images().row(k)[c * 16 + 7] == images.images(w.image, c, w.top + 1, w.left + 3));
  }
  CHECK(std::ranges::is_sorted(found.ranked.strength(), std::ranges::greater{}));
}

TEST_CASE("donors need labels and a share of each image") {
  auto const m = two_classes(6, .5, 1);
  auto images = of_class_1(m, 3, 2);
  auto const sentence = [&](donor_ranking const& probe) { return message_of([&] { static_cast<void>(measure(probe, m, images)); }); };
  CHECK(sentence({.size = 2, .per_image = 0}) == "donor_ranking: per_image is 0; give at least 1");
  images.labels.clear();
  CHECK(sentence({.size = 2}) == "donor_ranking: the images have no labels; give one for each, the class that its patches stand for");
}

TEST_CASE("data: the best donors of digits evoke them almost surely") {
  auto const lenet = trained_lenet();
  auto const found = measure(donor_ranking{.size = 14, .stride = 2}, lenet, known_digits(lenet, 60));
  auto const strength = found.ranked.strength();
  MESSAGE("strongest " << strength.front() << ", median " << found.figures()[1].second << ", weakest " << strength.back());
  CHECK(strength.front() > std::log10(.99f));
  CHECK(found.figures()[1].second > std::log10(.5));
}
