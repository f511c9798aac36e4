// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/region_report.hpp>

#include <doctest/doctest.h>

#include <pareidolia/detail/report/lines.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using pareidolia_test::contains;
using pareidolia_test::error_of;

constexpr double infinity = std::numeric_limits<double>::infinity();
double const nan = std::nan("");

// A path over images of 1x2x3, whose anchors are grey, from black to `to`.
region_path::path path_over(std::size_t anchors, double straightness, float to = 1) {
  region_path::path p{.first = 3, .second = 5, .label = 1, .connected = true, .straightness = straightness, .distance = 2};
  p.anchors = filled<float, 2>({anchors, 6});
  for (std::size_t a = 0; a < anchors; ++a)
    for (float& v : as_view(p.anchors).row(a)) v = to * static_cast<float>(a) / static_cast<float>(anchors - 1);
  return p;
}

// Four paths: straight, bent a little, to noise and bent more, not connected.
region_path::result four_paths() {
  region_path::result found;
  found.paths = {path_over(2, 1), path_over(3, 1.0002), path_over(4, 1.03), path_over(2, infinity)};
  found.paths[2].second = region_path::path::no_image;
  found.paths[3].connected = false;
  return found;
}

TEST_CASE("a gallery of paths shows a strip of images along each, those that are not straight first") {
  std::vector<std::string> const names{"cat", "dog"};
  auto const g = gallery_of("Paths", four_paths(), {1, 2, 3}, 10, names, 5);
  CHECK(g.title == "Paths");
  CHECK(g.wide);
  REQUIRE(g.pictures.size() == 4);
  CHECK(g.pictures[0].caption == "dog: image 3 to image 5, not connected; as far as a path was found");
  CHECK(g.pictures[1].caption == "dog: image 3 to noise, 4 anchors, straightness 1.03");
  CHECK(g.pictures[2].caption == "dog: image 3 to image 5, 3 anchors, straightness 1.00020");
  CHECK(g.pictures[3].caption == "dog: image 3 to image 5, straight");
  tensor<float, 3> const& strip = g.pictures[1].image;  // 5 images of 3 columns, each pixel 64 wide, in frames of 4
  REQUIRE(strip.shape()[2] == 4 + 5 * (3 * 64 + 4));
  REQUIRE(strip.shape()[1] == 4 + 2 * 64 + 4);
  for (std::size_t k = 0; k < 5; ++k) CHECK(strip(0, 10, 10 + k * (3 * 64 + 4)) == doctest::Approx(static_cast<double>(k) / 4));
}

TEST_CASE("where there are more paths than are wanted, half of those shown are the least and half the most straight") {
  auto const g = gallery_of("Paths", four_paths(), {1, 2, 3}, 2);
  REQUIRE(g.pictures.size() == 2);
  CHECK(contains(g.pictures[0].caption, "class 1: image 3 to image 5, not connected"));
  CHECK(contains(g.pictures[1].caption, "straight"));
  CHECK(gallery_of("Paths", four_paths(), {1, 2, 3}, 0).pictures.empty());
  auto found = four_paths();
  found.paths[3].anchors = filled<float, 2>({0, 0});
  CHECK(gallery_of("Paths", found, {1, 2, 3}, 10).pictures.size() == 3);
  CHECK(contains(error_of([&] { (void)gallery_of("Paths", found, {1, 2, 2}, 10); }), "path_strip"));
}

TEST_CASE("a chart of paths starts at the share of straight ones and ends at that of connected ones") {
  auto const c = chart_of("Paths", std::vector<measurement<region_path::result>>{{"LeNet", four_paths()}});
  REQUIRE(c.lines.size() == 1);
  line const& l = c.lines[0];
  CHECK(l.name == "LeNet");
  REQUIRE(l.x.size() == 6);
  CHECK(l.x.front() == doctest::Approx(1e-4));
  CHECK(l.x[1] == doctest::Approx(2e-4));
  CHECK(l.x[3] == doctest::Approx(.03));
  CHECK(l.x.back() == doctest::Approx(.1));
  CHECK(l.y == std::vector<double>{.25, .25, .5, .5, .75, .75});
  CHECK_NOTHROW(detail::check_chart(c));
}

TEST_CASE("a chart of paths that are all straight is level, and one without paths empty") {
  region_path::result found;
  found.paths = {path_over(2, 1), path_over(2, 1 + 1e-15)};
  auto const c = chart_of("Paths", std::vector<measurement<region_path::result>>{{"a", found}, {"none", {}}});
  REQUIRE(c.lines.size() == 1);
  CHECK(c.lines[0].y == std::vector<double>{1, 1});
  CHECK_NOTHROW(detail::check_chart(c));
}

TEST_CASE("a chart of convexity has points with standard errors, cut at what shares can be") {
  region_convexity::result const found{{{2, .995, .01}, {10, .5, .02}}, {}};
  auto const c = chart_of("Convexity", std::vector<measurement<region_convexity::result>>{{"LeNet", found}});
  REQUIRE(c.lines.size() == 1);
  CHECK(c.lines[0].style == line_style::joined_points);
  CHECK(c.lines[0].x == std::vector<double>{2, 10});
  CHECK(c.lines[0].y == std::vector<double>{.995, .5});
  CHECK(c.lines[0].low[1] == doctest::Approx(.48));
  CHECK(c.lines[0].high[0] == 1);
  CHECK_NOTHROW(detail::check_chart(c));
}

// Images at distance 2 in 8 dimensions, the last one without a boundary; in 8 and 2 dimensions they are 2, 4, 6 and 8 away.
boundary_flatness::result flatness() {
  boundary_flatness::result found{.boundary = {{0, 0, 0, 0, 0},
                                               {1, 1, 1, 1, 1},
                                               {1, 1, 1, 1, 0},
                                               filled<float, 2>({5, 8}),
                                               filled<float, 2>({5, 8}),
                                               {2, 2, 2, 2, infinity},
                                               {}},
                                  .dimensions = {8, 2},
                                  .restricted = filled<double, 3>({2, 1, 5}, infinity),
                                  .spent = {}};
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t i = 0; i < 4; ++i) found.restricted(k, 0, i) = 2 * static_cast<double>(i + 1);
  return found;
}

TEST_CASE("a chart of flatness has the median ratio between quartiles over rising dimensions, and 1 to compare with") {
  auto const c = chart_of("Flatness", std::vector<measurement<boundary_flatness::result>>{{"LeNet", flatness()}});
  CHECK(c.x_scale == axis_scale::logarithmic);
  REQUIRE(c.lines.size() == 1);
  CHECK(c.lines[0].x == std::vector<double>{2, 8});
  CHECK(c.lines[0].y[1] == doctest::Approx(2.5));  // of 1 2 3 4
  CHECK(c.lines[0].low[1] == doctest::Approx(1.75));
  CHECK(c.lines[0].high[1] == doctest::Approx(3.25));
  CHECK(c.lines[0].y[0] == doctest::Approx(1.25));
  REQUIRE(c.references.size() == 1);
  CHECK(c.references[0].y == std::vector<double>{1, 1});
  CHECK_NOTHROW(detail::check_chart(c));
}

TEST_CASE("dimensions where few boundaries were found end at the greatest ratio, or are left out") {
  auto found = flatness();
  found.restricted(1, 0, 3) = infinity;  // 2 4 6 inf
  found.restricted(1, 0, 2) = infinity;  // 2 4 inf inf
  found.restricted(0, 0, 3) = infinity;
  auto const c = chart_of("Flatness", std::vector<measurement<boundary_flatness::result>>{{"LeNet", found}});
  CHECK(c.lines[0].x == std::vector<double>{8});
  CHECK(c.lines[0].y == std::vector<double>{2.5});
  CHECK(c.lines[0].high == std::vector<double>{3});
  CHECK_NOTHROW(detail::check_chart(c));
}

TEST_CASE("a chart of curvature is a histogram of the images' means, without those that have none") {
  boundary_curvature::result found;
  found.mean = {-1, -1, 1, nan};
  auto const c = chart_of("Curvature", std::vector<measurement<boundary_curvature::result>>{{"LeNet", found}});
  REQUIRE(c.lines.size() == 1);
  CHECK(c.lines[0].style == line_style::bars);
  CHECK(c.lines[0].y.front() == doctest::Approx(2 / 3.));
  CHECK(c.lines[0].y.back() == doctest::Approx(1 / 3.));
  CHECK(c.references[0].x == std::vector<double>{0, 0});
  CHECK_NOTHROW(detail::check_chart(c));
}

}  // namespace
