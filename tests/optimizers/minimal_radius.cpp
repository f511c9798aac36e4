// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/minimal_radius.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>
#include <pareidolia/optimizers/restarts.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// The distance of an image from the border of two classes, in the norm whose dual is given.
template <class Dual>
double distance(plane_model const& m, std::span<float const> x, Dual const& dual) {
  std::vector<double> w;
  for (std::size_t j = 0; j < x.size(); ++j) w.push_back(m.w[1][j] - m.w[0][j]);
  return std::abs(m.score(1, x) - m.score(0, x)) / dual(w);
}
double sum_of(std::vector<double> const& w) {
  double sum = 0;
  for (double v : w) sum += std::abs(v);
  return sum;
}
double length_of(std::vector<double> const& w) {
  double sum = 0;
  for (double v : w) sum += v * v;
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("on planes the minimal radius is the distance from the border") {
  auto planes = random_planes(2, {1, 3, 4}, 1);
  planes.b[1] = planes.b[0];  // with the border near the images, so that perturbations stay in the box
  for (std::size_t j = 0; j < 12; ++j) planes.b[1] -= (planes.w[1][j] - planes.w[0][j]) / 2;
  auto const canvas = random_images(planes, 9, 2, .4f, .6f);
  auto const with = [&](auto const& norm, std::size_t steps, std::size_t batch = 64) {
    attack const a{perturbation{norm}, cross_entropy{}, minimal_radius{steps, pgd{.steps = 5, .random_start = false}}};
    return run(a, planes, canvas, rng{1}, batch_size{batch});
  };
  auto const inf = with(linf{.4f}, 12), two = with(l2{1.5f}, 12);
  for (std::size_t i = 0; i < 9; ++i) {
    auto const x = as_view(canvas.images).row(i);
    CHECK(inf.success[i] == 1);
    CHECK(std::abs(double{inf.distances(i, 3)} - distance(planes, x, sum_of)) < .4 / 4096 + 1e-5);
    CHECK(two.success[i] == 1);
    CHECK(std::abs(double{two.distances(i, 2)} - distance(planes, x, length_of)) < 1.5 / 4096 + 1e-5);
  }
  for (std::size_t batch : {1u, 3u}) {
    auto const some = with(linf{.4f}, 12, batch);
    CHECK(some.images == inf.images);
    CHECK(some.forwards_spent == inf.forwards_spent);
  }
  // In a ball that is too small there is no success, which costs one search.
  auto const small = with(linf{1e-5f}, 12);
  for (std::size_t i = 0; i < 9; ++i) {
    CHECK(small.success[i] == 0);
    CHECK(small.forwards_spent[i] == 6);
  }
  CHECK_THROWS_WITH_AS(with(l2{}, 3), doctest::Contains("the ball has no radius"), error);
}

TEST_CASE("a sweep finds for each image the first radius that has a success") {
  auto const planes = random_planes(2, {1, 3, 4}, 3);
  auto const canvas = random_images(planes, 20, 4, .45f, .55f);
  std::vector<double> least;
  for (std::size_t i = 0; i < 20; ++i) least.push_back(distance(planes, as_view(canvas.images).row(i), sum_of));
  auto sorted = least;
  std::ranges::sort(sorted);
  std::vector<float> radii;  // between the distances
  for (std::size_t i : {4u, 8u, 12u, 16u}) radii.push_back(static_cast<float>((sorted[i - 1] + sorted[i]) / 2));
  pgd const inner{.steps = 3, .random_start = false};
  auto const with = [&](auto const& optimizer, std::size_t batch = 64) {
    return run(attack{perturbation{linf{}}, cross_entropy{}, optimizer}, planes, canvas, rng{1}, batch_size{batch});
  };
  auto const found = with(sweep{radii, inner});
  std::vector<std::size_t> firsts;
  for (std::size_t i = 0; i < 20; ++i) {
    auto const first = static_cast<std::size_t>(std::ranges::count_if(radii, [&](float r) { return double{r} < least[i]; }));
    CHECK(found.success[i] == (first < radii.size()));
    CHECK(found.distances(i, 3) <= radii[std::min<std::size_t>(first, 3)] + 1e-6f);
    if (first < radii.size()) CHECK(double{found.distances(i, 3)} >= least[i] - 1e-6);
    if (first == radii.size()) CHECK(found.forwards_spent[i] == 16);
    if (first < radii.size()) CHECK(found.forwards_spent[i] > 4 * first);
    if (first < radii.size()) CHECK(found.forwards_spent[i] <= 4 * (first + 1));
    firsts.push_back(first);
  }
  for (std::size_t k = 0; k <= radii.size(); ++k) CHECK(std::ranges::count(firsts, k) == 4);
  for (std::size_t batch : {1u, 3u}) CHECK(with(sweep{radii, inner}, batch).images == found.images);
  // What the sweep says of a radius holds for an optimizer inside that has attempts of its own.
  CHECK(with(sweep{radii, restarts{2, inner}}).success == found.success);
  CHECK_THROWS_WITH_AS(with(sweep{{}, inner}), doctest::Contains("no radii"), error);
  CHECK_THROWS_WITH_AS(with(sweep{{.2f, .1f}, inner}), doctest::Contains("ascending"), error);
}
