// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/nearest_boundary.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/models/selection.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// Distance from x to the nearest plane where class `own` of m ends.
double distance_to_planes(plane_model const& m, std::span<float const> x, int own) {
  auto const k = static_cast<std::size_t>(own);
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t j = 0; j < m.classes(); ++j) {
    if (j == k) continue;
    double square = 0;
    for (std::size_t c = 0; c < x.size(); ++c) square += std::pow(m.w[j][c] - m.w[k][c], 2);
    nearest = std::min(nearest, (m.score(k, x) - m.score(j, x)) / std::sqrt(square));
  }
  return nearest;
}

/// Class 0 is a ball about the middle of the cube, of this radius.
plane_model ball(double radius) {
  return {.shape = {1, 2, 3}, .w = {std::vector<double>(6), std::vector<double>(6)}, .b = {radius * radius, 0}, .curvature = 2};
}

/// Class 0 is an ellipse with the semi-axes .5 and .1: gradients inside lead elsewhere than to the nearest point of it.
struct ellipsoid {
  static constexpr space memory = space::host;
  struct workspace {
    std::vector<float> x;
  };
  [[nodiscard]] image_shape input() const { return {1, 1, 2}; }
  [[nodiscard]] std::size_t classes() const { return 2; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    w.x.assign(x.data, x.data + x.size());
    for (std::size_t i = 0; i < x.shape[0]; ++i) {
      double const a = double{x.row(i)[0]} - .5, b = double{x.row(i)[1]} - .5;
      y.row(i)[0] = 0;
      y.row(i)[1] = static_cast<float>(a * a + 25 * b * b - .25);
    }
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const {
    for (std::size_t i = 0; i < dx.shape[0]; ++i) {
      dx.row(i)[0] = dy.row(i)[1] * 2 * (w.x[2 * i] - .5f);
      dx.row(i)[1] = dy.row(i)[1] * 50 * (w.x[2 * i + 1] - .5f);
    }
  }
};

}  // namespace

TEST_CASE("the nearest boundary between linear scores is the nearest plane") {
  auto const m = random_planes(5, {2, 3, 4}, 1);
  auto const images = random_images(m, 12, 2);
  auto const [b, spent] = measure(nearest_boundary{.search = {.classes = 5}}, m, images);
  CHECK(b.own == images.labels);
  CHECK(b.found().size() == 12);
  for (std::size_t i = 0; i < 12; ++i) {
    auto const x = as_view(images.images).row(i), z = as_view(b.points).row(i), n = as_view(b.normals).row(i);
    CHECK(b.distances[i] == doctest::Approx(distance_to_planes(m, x, b.own[i])).epsilon(1e-4));
    CHECK(detail::distance(x, z) == doctest::Approx(b.distances[i]).epsilon(1e-5));
    auto const own = static_cast<std::size_t>(b.own[i]), other = static_cast<std::size_t>(b.other[i]);
    CHECK(std::abs(m.score(own, z) - m.score(other, z)) < 1e-4);
    double square = 0, along = 0;
    for (std::size_t c = 0; c < x.size(); ++c) {
      square += std::pow(m.w[other][c] - m.w[own][c], 2);
      along += (m.w[other][c] - m.w[own][c]) * double{n[c]};
    }
    CHECK(b.slopes[i] == doctest::Approx(std::sqrt(square)).epsilon(1e-5));
    CHECK(along == doctest::Approx(b.slopes[i]).epsilon(1e-5));  // n is w / ||w||, out of the region
  }
  CHECK(spent.forwards > 0);
  CHECK(spent.backwards > 0);
  CHECK(spent.seconds >= spent.model_seconds);
}

TEST_CASE("from inside and outside of a ball the nearest boundary is on the ray through its centre") {
  double const radius = .8;
  auto const m = ball(radius);
  auto const grey = [](float value) { return labelled_images{filled<float, 4>({1, 1, 2, 3}, value), {}}; };
  auto const b = measure(nearest_boundary{}, m, grey(.7f)).points;
  CHECK(b.distances[0] == doctest::Approx(radius - .2 * std::sqrt(6.)).epsilon(1e-4));
  CHECK(b.own[0] == 0);
  auto const out = measure(nearest_boundary{}, m, grey(1)).points;
  CHECK(out.own[0] == 1);
  CHECK(out.distances[0] == doctest::Approx(.5 * std::sqrt(6.) - radius).epsilon(1e-4));
  CHECK(double{out.normals(0, 0)} == doctest::Approx(-1 / std::sqrt(6.)).epsilon(1e-4));
}

TEST_CASE("where DeepFool misses the nearest point, refinements come nearer, and never go away") {
  labelled_images x{filled<float, 4>({1, 1, 1, 2}, .5f), {}};
  x.images.data()[0] = .7f;
  x.images.data()[1] = .51f;
  double nearest = 1e9;  // by trying all angles
  for (int k = 0; k < 1000000; ++k) {
    double const t = 2 * 3.14159265358979 * k / 1e6;
    nearest = std::min(nearest, std::hypot(.5 * std::cos(t) - .2, .1 * std::sin(t) - .01));
  }
  double before = 1e9;
  for (std::size_t refinements : {0u, 1u, 2u, 20u}) {
    double const d = measure(nearest_boundary{.search = {.refinements = refinements}}, ellipsoid{}, x).points.distances[0];
    CHECK(d <= before);
    before = d;
  }
  CHECK(before == doctest::Approx(nearest).epsilon(1e-3));
}

TEST_CASE("a region without an end has no boundary, and costs no more than its steps") {
  plane_model const flat{.shape = {1, 2, 2}, .w = {std::vector<double>(4), std::vector<double>(4)}, .b = {1, 0}};
  labelled_images const grey{filled<float, 4>({3, 1, 2, 2}, .5f), {}};
  auto const [b, spent] = measure(nearest_boundary{}, flat, grey);
  CHECK(b.found().empty());
  CHECK(b.distances[1] == std::numeric_limits<double>::infinity());
  CHECK(std::equal(b.points.begin(), b.points.end(), grey.images.begin()));
  CHECK(spent.forwards == 3);
  CHECK(spent.backwards == 3);
}

TEST_CASE("the nearest boundary does not depend on batches or threads") {
  auto m = random_planes(4, {1, 5, 5}, 4);
  m.curvature = .5;
  auto const images = random_images(m, 9, 5);
  auto const reference = measure(nearest_boundary{}, m, images);
  for (std::size_t batch : {1u, 7u, 64u}) {
    auto const [one, three] = with_threads([&] { return measure(nearest_boundary{.batch = batch}, m, images); });
    for (auto const& found : {one, three}) {
      CHECK(found.points.points == reference.points.points);
      CHECK(found.points.normals == reference.points.normals);
      CHECK(found.points.distances == reference.points.distances);
      CHECK(found.points.other == reference.points.other);
      CHECK(found.spent.forwards == reference.spent.forwards);
      CHECK(found.spent.backwards == reference.spent.backwards);
    }
  }
}

TEST_CASE("settings of a boundary search that make no sense are named") {
  auto const m = random_planes(3, {1, 2, 2}, 1);
  auto const images = random_images(m, 1, 2);
  CHECK_THROWS_WITH_AS(measure(nearest_boundary{.search = {.classes = 1}}, m, images),
                       "nearest_boundary: classes is 1; give at least 2, the own class and another", error);
  CHECK_THROWS_WITH_AS(measure(nearest_boundary{.search = {.steps = 0}}, m, images), "nearest_boundary: steps is 0; give at least 1",
                       error);
  CHECK_THROWS_WITH_AS(measure(nearest_boundary{.batch = 0}, m, images), "nearest_boundary: batch is 0; give at least 1", error);
}

TEST_CASE("data: boundaries of LeNet are nearer than DeepFool finds them in the box") {
  auto const net = trained_lenet();
  auto const digits = known_digits(net, 200);
  auto const b = measure(nearest_boundary{}, net, digits).points;
  REQUIRE(b.found().size() == 200);
  double const mean = std::accumulate(b.distances.begin(), b.distances.end(), 0.) / 200;
  CHECK(mean > 1.1);
  CHECK(mean < 1.4);
  // Just before a point the class is the own one, just beyond it is not.
  for (double share : {.99, 1.01}) {
    labelled_images near = digits;
    for (std::size_t i = 0; i < 200; ++i) {
      auto const x = as_view(digits.images).row(i), z = as_view(b.points).row(i);
      for (std::size_t j = 0; j < x.size(); ++j)
        as_view(near.images).row(i)[j] = static_cast<float>(double{x[j]} + share * (double{z[j]} - double{x[j]}));
    }
    auto const seen = classified(net, near.images, 64);
    std::size_t own = 0;
    for (std::size_t i = 0; i < 200; ++i) own += seen[i] == b.own[i];
    if (share < 1)
      CHECK(own >= 198);
    else
      CHECK(own <= 2);
  }
}
