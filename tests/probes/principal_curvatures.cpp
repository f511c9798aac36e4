// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/principal_curvatures.hpp>

#include <pareidolia/attack.hpp>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>
#include <support/quadric_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

std::span<float const> direction(principal_curvatures::result const& r, std::size_t i, std::size_t j) {
  std::size_t const d = r.directions.shape()[2];
  return as_view(r.directions).row(i).subspan(j * d, d);
}
double product(std::span<float const> a, std::span<float const> b) { return detail::dot(a, b); }

/// The image from which the boundary is reached from its other side.
labelled_images beyond(quadric_model const& m, double distance) {
  auto result = grey_images(m.shape, 1);
  for (std::size_t j = 0; j < m.w.size(); ++j) result.images.data()[j] += static_cast<float>(distance * m.w[j]);
  return result;
}

constexpr curvature_extent both[] = {curvature_extent::extremes, curvature_extent::spectrum};

bool same(principal_curvatures::result const& a, principal_curvatures::result const& b) {
  return a.curvatures == b.curvatures && a.directions == b.directions && a.along == b.along && a.residuals == b.residuals;
}

/// A model that fails once it has seen so many images.
template <class M>
struct failing {
  static constexpr space memory = M::memory;
  using workspace = typename M::workspace;
  M model;
  std::size_t* left;

  [[nodiscard]] image_shape input() const { return model.input(); }
  [[nodiscard]] std::size_t classes() const { return model.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return model.prepare(n); }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    if (*left < x.shape[0]) throw error("the model has had enough");
    *left -= x.shape[0];
    model.forward(x, y, w);
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const { model.backward(dy, dx, w); }
};

}  // namespace

TEST_CASE("the principal curvatures of a quadric are found with their signs and directions, from either side") {
  std::vector<double> const kappa{.9, .5, .3, -.2, -.6, -1.5};
  auto const m = quadric_around_grey({1, 4, 4}, .5, kappa, 1);
  for (auto const extent : both)
    for (bool const outside : {false, true}) {
      // From beyond, -kappa is seen, 1.5 at most: less than 1 / distance.
      auto const images = outside ? beyond(m, .8) : grey_images(m.shape, 1);
      auto const found = measure(principal_curvatures{.extent = extent, .extremes = 3}, m, images);
      REQUIRE(found.boundary.reached[0]);
      CHECK(found.boundary.distances[0] == doctest::Approx(outside ? .3 : .5).epsilon(1e-4));
      std::vector<double> expected = kappa;
      expected.resize(15);
      if (outside)
        for (double& v : expected) v = -v;
      std::ranges::sort(expected, std::greater<>{});
      auto const values = as_view(found.curvatures).row(0);
      CHECK(std::ranges::is_sorted(values, std::greater<>{}));
      if (extent == curvature_extent::spectrum) {
        REQUIRE(values.size() == 15);
        for (std::size_t j = 0; j < 15; ++j) CHECK(values[j] == doctest::Approx(expected[j]).epsilon(.01).scale(.1));
      }
      for (std::size_t j = 0; j < 6; ++j) {
        double const curvature = found.curvature(0, j);
        CHECK(curvature == doctest::Approx(expected[j < 3 ? j : 9 + j]).epsilon(.01));
        CHECK(found.along(0, j) == doctest::Approx(curvature).epsilon(.001));
        CHECK(found.residuals(0, j) < 1e-3);
        auto const e = m.e[static_cast<std::size_t>(
            std::ranges::min_element(kappa, {}, [&](double k) { return std::abs(k - (outside ? -1 : 1) * curvature); }) - kappa.begin())];
        std::vector<float> const axis(e.begin(), e.end());
        CHECK(std::abs(product(direction(found, 0, j), axis)) > .9999);
      }
    }
}

TEST_CASE("at every boundary point the directions are orthonormal tangents and bend as they must") {
  auto const m = quadric_around_grey({1, 8, 8}, .7, {.8, .6, .4, .2, -.3, -.5, -.8, -1}, 2);
  auto const images = grey_images(m.shape, 5, .05f);
  auto const lanczos = measure(principal_curvatures{.extremes = 4}, m, images);
  auto const all = measure(principal_curvatures{.extent = curvature_extent::spectrum, .extremes = 4}, m, images);
  for (auto const* found : {&lanczos, &all})
    for (std::size_t i = 0; i < 5; ++i) {
      REQUIRE(found->boundary.reached[i]);
      auto const z = as_view(found->boundary.points).row(i);
      for (std::size_t j = 0; j < 8; ++j) {
        auto const v = direction(*found, i, j);
        CHECK(found->curvature(i, j) == doctest::Approx(m.curvature(z, v, 0)).epsilon(.01));
        CHECK(std::abs(product(v, as_view(found->boundary.normals).row(i))) < 1e-5);
        for (std::size_t k = 0; k <= j; ++k) CHECK(product(v, direction(*found, i, k)) == doctest::Approx(j == k).epsilon(1e-4).scale(1));
      }
    }
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = 0; j < 8; ++j) CHECK(lanczos.curvature(i, j) == doctest::Approx(all.curvature(i, j)).epsilon(.001));
}

TEST_CASE("a ball has the curvature 1/R all over from inside, -1/R from outside, a plane none") {
  auto ball = random_planes(2, {1, 3, 4}, 3);
  for (auto& w : ball.w) std::ranges::fill(w, 0.);
  ball.curvature = 2;
  ball.b = {1.44, 0};  // 1.44 = |z - 1/2|^2
  auto inside = grey_images({1, 3, 4}, 1, .1f), outside = inside;
  for (float& v : outside.images) v = v > .5f ? .95f : .05f;
  auto const plane = random_planes(2, {1, 3, 4}, 4);
  for (auto const extent : both) {
    principal_curvatures const probe{.extent = extent, .extremes = 2};
    auto const convex = measure(probe, ball, inside), concave = measure(probe, ball, outside);
    REQUIRE(convex.boundary.own[0] == 0);
    REQUIRE(concave.boundary.own[0] == 1);
    for (double const v : convex.curvatures) CHECK(v == doctest::Approx(1 / 1.2).epsilon(.01));
    for (double const v : concave.curvatures) CHECK(v == doctest::Approx(-1 / 1.2).epsilon(.01));
    for (double const v : measure(probe, plane, inside).curvatures) CHECK(std::abs(v) < 1e-4);
  }
}

TEST_CASE("profiles are means of sorted curvatures, and shares of signs are among the larger ones") {
  auto const m = quadric_around_grey({1, 4, 4}, .5, {.5, .01, -.4, -.6, -1}, 1);
  auto const found = measure(principal_curvatures{.extent = curvature_extent::spectrum, .extremes = 2}, m, grey_images(m.shape, 3));
  auto const profile = found.mean_profile();
  REQUIRE(profile.size() == 15);
  CHECK(profile[0] == doctest::Approx(.5).epsilon(.01));
  CHECK(profile[14] == doctest::Approx(-1).epsilon(.01));
  CHECK(found.largest(1) == doctest::Approx(1).epsilon(.01));
  CHECK(found.share_negative() == doctest::Approx(.75));
  CHECK(found.share_negative(.001) == doctest::Approx(.6));
  CHECK(found.share_negative(.9) == doctest::Approx(1));
  auto const figures = found.figures();
  REQUIRE(figures.size() == 4);
  CHECK(figures[0].second == doctest::Approx(.5).epsilon(.01));
  CHECK(figures[1].second == doctest::Approx(-1).epsilon(.01));
  CHECK(figures[2].second == doctest::Approx(1).epsilon(.01));
  CHECK(figures[3].second == doctest::Approx(.75));
  auto const arrays = found.arrays("p_");
  CHECK(arrays[1].name == "p_curvatures");
  CHECK(arrays[1].shape == std::vector<std::size_t>{3, 15});
}

TEST_CASE("the result depends neither on the batch nor on the number of threads") {
  auto const m = quadric_around_grey({1, 6, 6}, .7, {.8, .5, .2, -.4, -1}, 5);
  auto const images = grey_images(m.shape, 9, .05f);
  for (auto const extent : both) {
    auto const of = [&](std::size_t batch) {
      return with_threads([&] { return measure(principal_curvatures{.extent = extent, .extremes = 3, .batch = batch}, m, images); });
    };
    auto const [one, three] = of(64);
    CHECK(same(one, three));
    for (std::size_t const batch : {1u, 7u}) {
      auto const [alone, threads] = of(batch);
      CHECK(same(alone, one));
      CHECK(same(threads, one));
    }
  }
}

TEST_CASE("products are counted, two forwards and two backwards each") {
  std::vector<double> kappa;
  for (int k = 0; k < 60; ++k) kappa.push_back(std::sin(k));
  auto const m = quadric_around_grey({1, 8, 8}, .7, kappa, 5);
  auto const images = grey_images(m.shape, 4, .02f);
  auto const before = measure(nearest_boundary{}, m, images).spent;
  auto const all = measure(principal_curvatures{.extent = curvature_extent::spectrum, .extremes = 3}, m, images).spent;
  CHECK(all.forwards - before.forwards == 4 * 2 * (63 + 6));
  CHECK(all.backwards - before.backwards == 4 * 2 * (63 + 6));
  for (std::size_t const products : {50u, 0u}) {
    auto const ends = measure(principal_curvatures{.extremes = 3, .products = products, .tolerance = 1e-9}, m, images).spent;
    CHECK(ends.forwards - before.forwards <= 4 * 2 * (std::max<std::size_t>(products, 33) + 6));
    CHECK(ends.forwards - before.forwards == ends.backwards - before.backwards);
  }
}

TEST_CASE("images without a boundary have no curvatures, whatever others have") {
  auto const m = quadric_around_grey({1, 4, 4}, .5, {.5, -.6}, 1);
  auto nowhere = m;
  nowhere.b = -1;
  std::ranges::fill(nowhere.w, 0.);
  nowhere.lambda = {-1, -1};
  for (auto const extent : both) {
    auto const found = measure(principal_curvatures{.extent = extent, .extremes = 1}, nowhere, grey_images(m.shape, 2));
    REQUIRE(found.boundary.found().empty());
    CHECK(std::ranges::all_of(found.curvatures, [](double v) { return std::isnan(v); }));
    CHECK(std::isnan(found.figures()[0].second));
  }
}

TEST_CASE("a model that fails ends the measurement, wherever it is") {
  auto const m = quadric_around_grey({1, 6, 6}, .7, {.8, .5, .2, -.4, -1}, 5);
  auto const images = grey_images(m.shape, 9, .05f);
  for (auto const extent : both) {
    principal_curvatures const probe{.extent = extent, .extremes = 3, .batch = 8};
    std::size_t const all = measure(probe, m, images).spent.forwards;
    for (std::size_t left = 0; left < all; left += all / 40 + 1) {
      std::size_t images_left = left;
      CHECK_THROWS_WITH_AS(static_cast<void>(measure(probe, failing<quadric_model>{m, &images_left}, images)), "the model has had enough",
                           error);
    }
  }
}

TEST_CASE("what cannot be sought is refused in a sentence") {
  auto const m = quadric_around_grey({1, 2, 3}, .5, {.5}, 1);
  auto const refused = [&](principal_curvatures const& probe, char const* why) {
    CHECK_THROWS_WITH_AS(static_cast<void>(measure(probe, m, grey_images(m.shape, 1))), doctest::Contains(why), error);
  };
  refused({.extremes = 0}, "principal_curvatures: extremes is 0 for images of 6 values");
  refused({.extremes = 3}, "extremes is 3 for images of 6 values");
  refused({.extremes = 1, .step = 0}, "step is 0");
  refused({.extremes = 1, .tolerance = 0}, "tolerance is 0");
  refused({.extremes = 1, .search = {.steps = 0}}, "principal_curvatures: steps is 0");
  refused({.extremes = 1, .batch = 0}, "batch is 0");
  CHECK(measure(principal_curvatures{.extremes = 2}, m, grey_images(m.shape, 1)).curvatures.shape()[1] == 4);
}

TEST_CASE("data: LeNet's boundaries bend in few directions, and these are seen along themselves, far above the mean") {
  auto const net = trained_lenet();
  auto const digits = known_digits(net, 4);
  auto const all = measure(principal_curvatures{.extent = curvature_extent::spectrum, .extremes = 5}, net, digits);
  REQUIRE(all.boundary.found().size() == 4);
  auto const profile = all.mean_profile();
  double const largest = std::max(profile.front(), -profile.back());
  auto const flat = static_cast<double>(std::ranges::count_if(profile, [&](double v) { return std::abs(v) < .1 * largest; }));
  MESSAGE("profile " << profile.front() << " ... " << profile[391] << " ... " << profile.back() << ", " << flat / 783 << " flat, "
                     << all.share_negative() << " negative");
  CHECK(flat / 783 > .7);
  auto const ends = measure(principal_curvatures{.extremes = 5}, net, digits);
  MESSAGE("share of the time that was the model's " << ends.spent.share_of_model());
  for (std::size_t i = 0; i < 4; ++i) {
    double sum = 0;
    for (double const v : as_view(all.curvatures).row(i)) sum += v;
    CHECK(ends.along(i, 9) < 0);
    CHECK(ends.along(i, 9) < 10 * std::min(0., sum / 783));
    CHECK(ends.along(i, 0) > 0);
  }
}
