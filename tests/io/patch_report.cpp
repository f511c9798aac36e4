// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/patch_report.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using pareidolia_test::contains;
using pareidolia_test::error_of;

// Five images of 3x8x10 that are darker one after the other, and windows of 4 pixels 2 apart: 3 x 4 of them.
labelled_images photos() {
  labelled_images result{filled<float, 4>({5, 3, 8, 10}), {}};
  for (std::size_t i = 0; i < 5; ++i)
    for (float& v : as_view(result.images).row(i)) v = 1 - static_cast<float>(i) / 8;
  return result;
}

// Image i has -4 in place 1, -4 + reach[i] in place 6 and something between in the others (in the last one if there are not so many).
response_map map_of_reaches(std::vector<float> const& reach, std::size_t size = 4) {
  window_grid const grid({3, 8, 10}, size, 2);
  response_map map{grid, filled<float, 3>({reach.size(), grid.rows, grid.columns})};
  for (std::size_t i = 0; i < reach.size(); ++i) {
    auto const row = as_view(map.values).row(i);
    std::fill(row.begin(), row.end(), -4 + reach[i] / 2);
    row[1] = -4;
    row[std::min<std::size_t>(6, row.size() - 1)] = -4 + reach[i];
  }
  return map;
}

std::vector<float> const reaches{1, 3, 2.5f, .5f, 2};

local_response::result local() { return {{map_of_reaches(reaches)}, {0, 1, 2, 3, 4}, {-.1, -.2, -.0001, -3, -1}, {-3, -3, -3, -3, -3}, 1}; }

spatial_response::result spatial() {
  return {map_of_reaches(reaches), std::vector<patch_window>(5, {2, 3, 4, 4, 4}), {0, 1, 2, 3, 4}, {-.1, -.2, 0, -3, -1}, {}, 1};
}

activation_inhibition::result gains() {
  activation_inhibition::result found{
      map_of_reaches(reaches), .1, std::vector<patch_window>(5, {2, 3, 4, 4, 4}), {0, 1, 2, 3, 4}, {-.1, -.2, 0, -3, -1}, {}, 1};
  for (float& v : found.gain.values) v += 3;  // -1 to -1 + reach
  return found;
}

std::vector<std::string> captions(gallery const& g) {
  std::vector<std::string> result;
  for (picture const& p : g.pictures) result.push_back(p.caption);
  return result;
}

TEST_CASE("a gallery of a local response shows images, maps, and the windows that evoke most and least") {
  std::vector<std::string> const names{"cat", "dog", "", "cow"};
  auto const g = gallery_of("Local", local(), photos(), 3, names);
  CHECK(g.title == "Local");
  CHECK(captions(g) == std::vector<std::string>{"image 1: dog, 63.0 %", "3.00 decades between windows of 4 pixels", "best window: 10.0 %",
                                                "worst window: 0.01 %", "image 2: class 2, 99.976 %",
                                                "2.50 decades between windows of 4 pixels", "best window: 3.1 %", "worst window: 0.01 %",
                                                "image 3: cow, 0.1 %", "0.50 decades between windows of 4 pixels", "best window: 0.032 %",
                                                "worst window: 0.01 %"});
  picture const& map = g.pictures[1];
  CHECK(map.image(0, 0, 0) == .875f);
  CHECK(map.values(0, 1) == -4);
  CHECK(map.values(1, 2) == -1);
  CHECK(map.extent.top == 1);  // half a window less half a stride
  CHECK(map.extent.left == 1);
  CHECK(map.extent.height == 6);
  CHECK(map.extent.width == 8);
  tensor<float, 3> const &best = g.pictures[2].image, &worst = g.pictures[3].image;  // at (2, 4) and (0, 2)
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t y = 0; y < 8; ++y)
      for (std::size_t x = 0; x < 10; ++x) {
        CHECK((best(c, y, x) == .875f) == (y >= 2 && y < 6 && x >= 4 && x < 8));
        CHECK((worst(c, y, x) == .875f) == (y < 4 && x >= 2 && x < 6));
      }
}

TEST_CASE("each size of windows has a row of its own, the images are those of the first") {
  auto found = local();
  found.maps.push_back(map_of_reaches({9, 9, 9, 9, 9}, 6));
  auto const g = gallery_of("Local", found, photos(), 1);
  REQUIRE(g.pictures.size() == 8);
  CHECK(contains(g.pictures[4].caption, "image 1"));
  CHECK(g.pictures[5].caption == "9.00 decades between windows of 6 pixels");
  CHECK(g.pictures[5].values.shape()[0] == 2);
}

TEST_CASE("all images are shown once if there is room, none if none is asked for") {
  auto const g = gallery_of("Spatial", spatial(), photos(), 100);
  REQUIRE(g.pictures.size() == 10);
  std::vector<std::string> const order{"3.00", "2.50", "2.00", "1.00", "0.50"};
  for (std::size_t k = 0; k < 5; ++k) CHECK(contains(g.pictures[2 * k + 1].caption, order[k] + " decades between places"));
  CHECK(gallery_of("Spatial", spatial(), photos(), 0).pictures.empty());
}

TEST_CASE("a gallery of a spatial response shows the patch where it is from, and its places on no image") {
  auto const g = gallery_of("Spatial", spatial(), photos(), 1);
  REQUIRE(g.pictures.size() == 2);
  CHECK(contains(g.pictures[0].caption, "the patch of image 1: class 1"));
  CHECK(g.pictures[0].image(1, 3, 4) == .75f);  // of image 2
  CHECK(g.pictures[0].image(1, 2, 4) != .75f);
  CHECK(g.pictures[1].image(0, 0, 0) == .5f);
  CHECK(g.pictures[1].values(1, 2) == -1);
  CHECK(g.pictures[1].scale.colours == palette::sequential);
}

TEST_CASE("a gallery of activation and inhibition counts both and has 0 in white, over the image if that was the base") {
  auto const g = gallery_of("Gains", gains(), photos(), 1, {}, base_kind::image);
  REQUIRE(g.pictures.size() == 2);
  CHECK(g.pictures[0].caption == "the patch of image 1: class 1, 81.8 %");
  CHECK(g.pictures[1].caption == "11 activators, 1 inhibitor of 12 places");
  CHECK(g.pictures[1].image(2, 0, 0) == .875f);
  CHECK(g.pictures[1].scale.colours == palette::diverging);
  CHECK(g.pictures[1].values(0, 1) == -1);
  CHECK(gallery_of("Gains", gains(), photos(), 1).pictures[1].image(0, 0, 0) == .5f);
}

TEST_CASE("a chart of a local response counts every window of a size") {
  auto found = local();
  for (float& v : found.maps[0].values) v = std::min(v, 0.f);
  auto const c = chart_of("Local", found);
  REQUIRE(c.lines.size() == 1);
  auto const& l = c.lines[0];
  REQUIRE(l.x.size() == 40);
  CHECK(std::accumulate(l.y.begin(), l.y.end(), 0.) == static_cast<double>(found.maps[0].values.size()));
  double const least = *std::min_element(found.maps[0].values.begin(), found.maps[0].values.end());
  CHECK(l.x.front() < least + 1);
  CHECK(l.x.back() < 0);
  auto const& values = found.maps[0].values;
  double const total = static_cast<double>(values.size()), mean = std::accumulate(values.begin(), values.end(), 0.) / total;
  CHECK(std::abs(std::inner_product(l.x.begin(), l.x.end(), l.y.begin(), 0.) / total - mean) < (l.x[1] - l.x[0]) / 2);
  CHECK(contains(error_of([&] { (void)chart_of("t", local_response::result{}); }), "the result has no maps"));
}

TEST_CASE("a chart of a cumulative response has the median and the quartiles of each order") {
  cumulative_response::result found{window_grid({3, 8, 10}, 4, 2), filled<float, 3>({5, 3, 3}), {}, {}, {}, {0, 1, 2, 3, 4}, {}, 1};
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t o = 0; o < 3; ++o)
      for (std::size_t s = 0; s < 3; ++s) found.curves(i, o, s) = static_cast<float>(10 * o + s) + .5f * static_cast<float>(i);
  auto const c = chart_of("Copies", found);
  CHECK(c.title == "Copies");
  CHECK(contains(c.note, "5 images"));
  REQUIRE(c.lines.size() == 3);
  for (std::size_t o = 0; o < 3; ++o) {
    CHECK(c.lines[o].name == pasting_orders[o]);
    CHECK(c.lines[o].x == std::vector<double>{0, 1, 2});
    for (std::size_t s = 0; s < 3; ++s) {
      auto const start = static_cast<double>(10 * o + s);
      CHECK(c.lines[o].y[s] == doctest::Approx(start + 1));
      CHECK(c.lines[o].low[s] == doctest::Approx(start + .5));
      CHECK(c.lines[o].high[s] == doctest::Approx(start + 1.5));
    }
  }
}

TEST_CASE("images that are not those of the result are one error") {
  auto images = photos();
  images.images = filled<float, 4>({4, 3, 8, 10});
  CHECK(contains(error_of([&] { (void)gallery_of("t", local(), images, 1); }), "gallery_of: 4 images for a result of 5"));
  CHECK(contains(error_of([&] { (void)gallery_of("t", spatial(), images, 1); }), "gallery_of: 4 images for a result of 5"));
  CHECK(contains(error_of([&] { (void)gallery_of("t", gains(), images, 1); }), "gallery_of: 4 images for a result of 5"));
  images.images = filled<float, 4>({5, 3, 7, 10});
  CHECK(contains(error_of([&] { (void)gallery_of("t", local(), images, 1); }), "a window of 4x4 at (4, 6) of image 0 is not in the 5"));
  auto found = spatial();
  found.chosen[4].image = 5;
  CHECK(contains(error_of([&] { (void)gallery_of("t", found, photos(), 1); }), "of image 5 is not in the 5 images of 8x10"));
  CHECK(contains(error_of([&] { (void)gallery_of("t", local_response::result{}, photos(), 1); }), "the result has no maps"));
}

}  // namespace
