// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/spatial_response.hpp>

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
#include <string>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("the strongest window of each image is shown in every place") {
  auto const m = two_classes(7, .8, 1);
  auto const images = of_class_1(m, 5, 2);
  auto const found = measure(spatial_response{.size = 3, .stride = 1, .local_stride = 2, .where = on_black}, m, images);
  auto const local = measure(local_response{.windows = {{3, 2}}, .where = on_black}, m, images);
  REQUIRE(found.map.values.shape() == std::array<std::size_t, 3>{5, 5, 5});
  for (std::size_t i = 0; i < 5; ++i) {
    auto const& q = found.chosen[i];
    CHECK(q == local.maps[0].grid(local.maps[0].best(i), i));
    double low = 0, high = -1e9;
    for (std::size_t k = 0; k < 25; ++k) {
      double const expected = log10_sigmoid(score_of(m, as_view(images.images).row(i), q, found.map.grid(k)));
      CHECK(double{found.map.of(i)[k]} == doctest::Approx(expected).epsilon(1e-6));
      low = std::min(low, expected);
      high = std::max(high, expected);
    }
    CHECK(found.map.decades(i) == doctest::Approx(high - low).epsilon(1e-5));
    CHECK(found.empty[i] == doctest::Approx(-std::log10(2)));
  }
  CHECK(found.whole == local.whole);
  CHECK(found.classes == std::vector<int>(5, 1));
  CHECK(found.forwards == 5 * (1 + 9 + 1 + 25 + 1));
}

TEST_CASE("a patch that is given is not sought, and may be one for all images") {
  auto const m = two_classes(6, .5, 3);
  auto const images = of_class_1(m, 3, 4);
  patch_window const given{2, 1, 3, 2, 2};
  auto const found = measure(spatial_response{.size = 2, .stride = 2, .given = {given}, .where = on_black}, m, images);
  CHECK(found.chosen == std::vector<patch_window>(3, given));
  for (std::size_t k = 0; k < 9; ++k) {
    CHECK(double{found.map.of(0)[k]} ==
          doctest::Approx(log10_sigmoid(score_of(m, as_view(images.images).row(2), given, found.map.grid(k)))).epsilon(1e-6));
    CHECK(found.map.of(0)[k] == found.map.of(1)[k]);
  }
  CHECK(found.forwards == 3 * (1 + 9 + 1));
  std::vector<patch_window> const own{{0, 0, 0, 2, 2}, {1, 4, 4, 2, 2}, {2, 2, 1, 2, 2}};
  CHECK(measure(spatial_response{.size = 2, .stride = 2, .given = own}, m, images).chosen == own);
}

TEST_CASE("the spatial response does not depend on batches or threads") {
  auto const m = two_classes(7, .8, 5);
  auto const images = of_class_1(m, 5, 6);
  spatial_response probe{.size = 3, .stride = 2, .local_stride = 1};
  auto const reference = measure(probe, m, images);
  for (std::size_t batch : {1u, 7u, 64u}) {
    probe.batch = batch;
    auto const [one, three] = with_threads([&] { return measure(probe, m, images); });
    for (auto const& found : {one, three}) {
      CHECK(found.map.values == reference.map.values);
      CHECK(found.chosen == reference.chosen);
      CHECK(found.empty == reference.empty);
      CHECK(found.forwards == reference.forwards);
    }
  }
}

TEST_CASE("given patches that do not fit are refused") {
  auto const m = two_classes(6, .5, 1);
  auto const images = of_class_1(m, 3, 2);
  auto const sentence = [&](spatial_response const& probe) { return message_of([&] { static_cast<void>(measure(probe, m, images)); }); };
  CHECK(sentence({.size = 7}) == "window_grid: a window of 7 pixels on images of 6x6; give a smaller one");
  CHECK(sentence({.size = 2, .given = {{0, 0, 0, 2, 2}, {1, 0, 0, 2, 2}}}) ==
        "spatial_response: 2 windows for 3 images; give one for each, or one for all");
  CHECK(sentence({.size = 2, .given = {{0, 0, 0, 3, 2}}}) == "spatial_response: a given window is 3x2 pixels; give windows of the size 2");
  CHECK(sentence({.size = 2, .given = {{3, 0, 0, 2, 2}}}) ==
        "patches: window 0 is 2x2 at (0, 0) of image 3, but there are 3 images of 6x6");
}

TEST_CASE("a spatial response shows its figures and arrays") {
  auto const m = two_classes(8, 2, 7);
  auto const images = of_class_1(m, 4, 8);
  auto const found = measure_each(spatial_response{.size = 4, .stride = 1, .local_stride = 1}, subject{"a", m, images},
                                  subject{"b", two_classes(8, .1, 9), images});
  auto const figures = found[0].result.figures();
  REQUIRE(figures.size() == 3);
  CHECK(figures[0] == named_figure{"median decades", found[0].result.map.median_decades()});
  CHECK(figures[1] == named_figure{"share above 2 decades", found[0].result.map.share_above(2)});
  CHECK(figures[2].first == "share above 3 decades");
  CHECK(figures[0].second > found[1].result.map.median_decades());
  auto const arrays = found[0].result.arrays("spatial/");
  CHECK(arrays[0].name == "spatial/map");
  CHECK(arrays[1].name == "spatial/chosen");
  CHECK(arrays[1].shape == std::vector<std::size_t>{4, 5});
  auto const& q = found[0].result.chosen[3];
  CHECK(std::ranges::equal(std::span(arrays[1].values).last(5),
                           std::vector<float>{3, static_cast<float>(q.top), static_cast<float>(q.left), 4, 4}));
}

TEST_CASE("data: one part of a digit evokes it by decades more in one place than in another") {
  auto const lenet = trained_lenet();
  auto const digits = known_digits(lenet, 60);
  auto const found = measure(spatial_response{.size = 12, .stride = 2, .local_stride = 2}, lenet, digits);
  MESSAGE("median decades " << found.map.median_decades() << ", above 2: " << found.map.share_above(2)
                            << ", above 3: " << found.map.share_above(3));
  CHECK(found.map.median_decades() > 3);
  CHECK(found.map.share_above(2) > .8);
}
