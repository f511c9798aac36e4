// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/curvature_report.hpp>

#include <doctest/doctest.h>

#include <pareidolia/detail/report/lines.hpp>
#include <pareidolia/probes/principal_curvatures.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using pareidolia_test::contains;
using pareidolia_test::error_of;

static_assert(PrincipalCurvatures<principal_curvatures::result>);
static_assert(!PrincipalCurvatures<curvature_ratio::result>);

// Boundaries of n images of d values, the last of which was not found.
boundary_points boundaries(std::size_t n, std::size_t d) {
  boundary_points b{std::vector<int>(n),      std::vector<int>(n, 1),    std::vector<std::uint8_t>(n, 1), filled<float, 2>({n, d}),
                    filled<float, 2>({n, d}), std::vector<double>(n, 1), std::vector<double>(n, 1)};
  b.reached.back() = 0;
  return b;
}

// Images of 1x2x3: the curvatures of image i fall from 10 (i + 1) by 1, or by 1000 each from the middle; the last image has none.
principal_curvatures::result curvatures(std::size_t images, std::size_t extremes, std::size_t d, std::size_t count) {
  principal_curvatures::result found{.boundary = boundaries(images, d),
                                     .extremes = extremes,
                                     .curvatures = filled<double, 2>({images, count}, std::nan("")),
                                     .directions = filled<float, 3>({images, 2 * extremes, d}),
                                     .along = filled<double, 2>({images, 2 * extremes}),
                                     .residuals = filled<double, 2>({images, 2 * extremes}),
                                     .spent = {}};
  for (std::size_t i = 0; i + 1 < images; ++i) {
    for (std::size_t j = 0; j < count; ++j) found.curvatures(i, j) = 10 * static_cast<double>(i + 1) - static_cast<double>(j);
    for (std::size_t j = 0; j < 2 * extremes; ++j) found.directions(i, j, j % d) = -2;
  }
  return found;
}

TEST_CASE("a profile has the mean of each rank between quartiles") {
  auto const c = chart_of("Profile", std::vector<measurement<principal_curvatures::result>>{{"LeNet", curvatures(5, 1, 6, 5)}});
  REQUIRE(c.lines.size() == 1);
  line const& l = c.lines[0];
  CHECK(l.name == "LeNet");
  CHECK(l.x == std::vector<double>{1, 2, 3, 4, 5});
  CHECK(l.y[0] == doctest::Approx(25));  // of 10 20 30 40
  CHECK(l.y[4] == doctest::Approx(21));
  CHECK(l.low[0] == doctest::Approx(17.5));
  CHECK(l.high[0] == doctest::Approx(32.5));
  CHECK(c.references[0].y == std::vector<double>{0, 0});
  CHECK_NOTHROW(detail::check_chart(c));
}

TEST_CASE("a long profile keeps all ranks near its ends, so that what is drawn is not thinned") {
  auto const c = chart_of("Profile", std::vector<measurement<principal_curvatures::result>>{{"LeNet", curvatures(2, 1, 3072, 3071)}});
  auto const& x = c.lines[0].x;
  CHECK(detail::drawn_rows(x.size()).size() == x.size());
  for (std::size_t j = 0; j < 60; ++j) {
    CHECK(x[j] == static_cast<double>(j + 1));
    CHECK(x[x.size() - 1 - j] == static_cast<double>(3071 - j));
  }
  CHECK(std::ranges::adjacent_find(x, std::greater_equal{}) == x.end());
  CHECK(detail::telling_ranks(390).size() == 390);
  CHECK(detail::telling_ranks(391).size() == 390);
}

TEST_CASE("extremes are two lines, both from the outermost curvature") {
  auto const c = chart_of("Extremes", std::vector<measurement<principal_curvatures::result>>{{"LeNet", curvatures(2, 3, 100, 6)}});
  REQUIRE(c.lines.size() == 2);
  CHECK(c.lines[0].name == "LeNet, largest");
  CHECK(c.lines[0].x == std::vector<double>{1, 2, 3});
  CHECK(c.lines[0].y == std::vector<double>{10, 9, 8});
  CHECK(c.lines[1].name == "LeNet, smallest");
  CHECK(c.lines[1].x == std::vector<double>{1, 2, 3});
  CHECK(c.lines[1].y == std::vector<double>{5, 6, 7});
}

TEST_CASE("directions are shown beside their image, those of the largest magnitude first, around mid-grey") {
  labelled_images const images{filled<float, 4>({3, 1, 2, 3}, .25f), {}};
  auto found = curvatures(3, 2, 6, 4);
  for (std::size_t j = 0; j < 4; ++j) found.curvatures(1, j) = std::vector<double>{5, 1, -2, -7.125}[j];
  auto const g = gallery_of("Directions", found, images, 10, 3);
  CHECK(g.wide);
  REQUIRE(g.pictures.size() == 2);  // the third has no boundary
  CHECK(g.pictures[1].caption == "image 1: curvatures -7.12, 5, -2");
  tensor<float, 3> const& strip = g.pictures[1].image;  // 4 images of 3 columns, each pixel 80 wide, in frames of 4
  REQUIRE(strip.shape()[2] == 4 + 4 * (3 * 80 + 4));
  auto const pixel = [&](std::size_t k, std::size_t y, std::size_t x) { return strip(0, 8 + 80 * y, 8 + k * (3 * 80 + 4) + 80 * x); };
  CHECK(pixel(0, 1, 1) == .25f);
  CHECK(pixel(1, 1, 0) == 0);  // direction 3 has its only value, which is negative, in place 3
  CHECK(pixel(1, 0, 0) == .5f);
  CHECK(pixel(2, 0, 0) == 0);
  CHECK(pixel(3, 0, 2) == 0);
  CHECK(gallery_of("Directions", found, images, 1).pictures.size() == 1);
  CHECK(contains(error_of([&] {
                   (void)gallery_of("t", found, {filled<float, 4>({2, 1, 2, 3}), {}}, 1);
                 }),
                 "gallery_of: 2 images of 1x2x3 for a result of 3 of 6"));
}

TEST_CASE("a direction is as bright as its values are far from 0, and nothing is mid-grey") {
  std::vector<float> const direction{-4, -2, 0, 1, 4, 4};
  auto const shown = detail::picture_of(direction, {1, 2, 3});
  CHECK(shown(0, 0, 0) == 0);
  CHECK(shown(0, 0, 1) == .25f);
  CHECK(shown(0, 0, 2) == .5f);
  CHECK(shown(0, 1, 0) == .625f);
  CHECK(shown(0, 1, 2) == 1);
  CHECK(detail::picture_of(std::vector<float>(6), {1, 2, 3})(0, 0, 0) == .5f);
}

TEST_CASE("shared directions are a gallery of their own") {
  auto const g = gallery_of("Shared", filled<float, 2>({4, 6}, 1.f), {1, 2, 3}, 3);
  REQUIRE(g.pictures.size() == 3);
  CHECK(g.pictures[2].caption == "direction 3");
  CHECK(g.pictures[2].image(0, 1, 2) == 1);
  CHECK(contains(error_of([] {
                   (void)gallery_of("Shared", filled<float, 2>({4, 6}, 1.f), {1, 2, 2}, 3);
                 }),
                 "gallery_of: directions have 6 values"));
}

TEST_CASE("a chart of ratios has their median between quartiles, in decades") {
  curvature_ratio::result found{.boundary = boundaries(5, 6),
                                .ratio = filled<double, 2>({5, 2}, std::nan("")),
                                .along = filled<double, 2>({5, 2}),
                                .mean = {},
                                .spent = {}};
  for (std::size_t i = 0; i < 4; ++i) found.ratio(i, 0) = static_cast<double>(i + 1);
  found.ratio(0, 1) = 0;  // flat, and the others cross this direction at a right angle
  auto const c = chart_of("Ratio", std::vector<measurement<curvature_ratio::result>>{{"curved", found}});
  CHECK(c.y_scale == axis_scale::logarithmic);
  REQUIRE(c.lines.size() == 1);
  CHECK(c.lines[0].x == std::vector<double>{1, 2});
  CHECK(c.lines[0].y == std::vector<double>{2.5, 1e-3});
  CHECK(c.lines[0].low[0] == 1.75);
  CHECK(c.lines[0].high[0] == 3.25);
  CHECK_NOTHROW(detail::check_chart(c));
}

TEST_CASE("a chart of noise has the share that it changes, with standard errors") {
  subspace_noise::result found{.norms = {0, 1, 2}, .share = {0, .5, .99}, .standard_error = {0, .1, .02}, .spent = {}};
  auto const c = chart_of("Noise", std::vector<measurement<subspace_noise::result>>{{"curved", found}, {"flat", found}});
  REQUIRE(c.lines.size() == 2);
  CHECK(c.lines[0].x == found.norms);
  CHECK(c.lines[0].y == found.share);
  CHECK(c.lines[0].low[1] == .4);
  CHECK(c.lines[0].high[2] == 1);
  CHECK(c.x_scale == axis_scale::linear);
  CHECK_NOTHROW(detail::check_chart(c));
  found.norms = {.1, 1, 2};
  CHECK(chart_of("Noise", std::vector<measurement<subspace_noise::result>>{{"curved", found}}).x_scale == axis_scale::logarithmic);
}

}  // namespace
