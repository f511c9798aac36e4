// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/region_convexity.hpp>

#include <pareidolia/attack.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>
#include <support/regions.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

bool same(region_convexity::result const& a, region_convexity::result const& b) {
  return a.spent.forwards == b.spent.forwards && a.spent.backwards == b.spent.backwards &&
         std::ranges::equal(a.entries, b.entries, [](region_convexity::entry const& p, region_convexity::entry const& q) {
           return p.k == q.k && p.share == q.share && p.standard_error == q.standard_error;
         });
}

/// Sees class 0 in the unit vectors e_0 to e_5, 1 in e_6 to e_9, 2 in e_10 and e_11, and 5 in all else; keeps what it was shown.
struct unit_vectors {
  static constexpr space memory = space::host;
  struct workspace {};
  std::vector<std::vector<float>>* shown;

  [[nodiscard]] image_shape input() const { return {1, 1, 12}; }
  [[nodiscard]] std::size_t classes() const { return 12; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace&) const {
    for (std::size_t i = 0; i < x.shape[0]; ++i) {
      shown->emplace_back(x.row(i).begin(), x.row(i).end());
      std::fill_n(y.row(i).begin(), 12, 0.f);
      auto const at = static_cast<std::size_t>(std::ranges::max_element(x.row(i)) - x.row(i).begin());
      y.row(i)[x.row(i)[at] < 1 ? 5 : at < 6 ? 0 : at < 10 ? 1 : 2] = 1;
    }
  }
};

/// n images at the centre of each ball of m, in turn.
labelled_images at_centres(balls const& m, std::size_t n) { return images_in(m, m.centres.size() * n, 1, 0); }

}  // namespace

TEST_CASE("combinations of images in regions between planes stay in these") {
  auto const m = random_planes(4, {1, 3, 4}, 1);
  auto const images = random_images(m, 60, 2, 0, 1);
  auto const found = measure(region_convexity{.random = rng{3}, .images_together = {2, 3, 7}, .combinations = 400}, m, images);
  REQUIRE(found.entries.size() == 3);
  for (std::size_t i : {0u, 1u, 2u}) {
    CHECK(found.entries[i].k == std::array<std::size_t, 3>{2, 3, 7}[i]);
    CHECK(found.entries[i].share == 1);
    CHECK(found.entries[i].standard_error == 0);
  }
  CHECK(found.spent.forwards == 60 + 3 * 400);
  CHECK(found.spent.backwards == 0);
}

TEST_CASE("weights are uniform on the simplex: the share of two points in balls is known") {
  // Images at two centres D apart, n at each. With q = radius / D, a combination with the weight w at the first centre is in a ball if
  // w < q or w > 1 - q, and w is the sum of a of k uniform weights: Beta(a, k - a).
  auto const m = two_balls({1, 3, 4}, .5);
  double const q = .5 / (std::sqrt(12.) / 2), n = 40;
  auto const found = measure(region_convexity{.random = rng{1}, .images_together = {2, 3, 4}, .combinations = 40000}, m, at_centres(m, 40));
  double const pure2 = 2 * (n * (n - 1)) / (2 * n * (2 * n - 1));  // both from one ball
  double const pure3 = 2 * (n * (n - 1) * (n - 2)) / (2 * n * (2 * n - 1) * (2 * n - 2));
  double const pure4 = pure3 * (n - 3) / (2 * n - 3);
  double const half4 = 6 * std::pow(n * (n - 1), 2) / (2 * n * (2 * n - 1) * (2 * n - 2) * (2 * n - 3));  // two of each
  double const beta12 = 1 - std::pow(1 - q, 2) + q * q;      // P(w < q) + P(w > 1 - q), w ~ Beta(1, 2)
  double const beta13 = 1 - std::pow(1 - q, 3) + q * q * q;  // Beta(1, 3)
  double const beta22 = 2 * (3 * q * q - 2 * q * q * q);     // Beta(2, 2)
  std::array<double, 3> const expected{pure2 + (1 - pure2) * 2 * q, pure3 + (1 - pure3) * beta12,
                                       pure4 + half4 * beta22 + (1 - pure4 - half4) * beta13};
  for (std::size_t i : {0u, 1u, 2u}) {
    auto const& e = found.entries[i];
    CHECK(e.share == doctest::Approx(expected[i]).epsilon(.01).scale(0));
    CHECK(e.standard_error == doctest::Approx(std::sqrt(expected[i] * (1 - expected[i]) / 40000)).epsilon(.05));
  }
}

TEST_CASE("images are combined with different ones of their class, of classes that have so many") {
  std::vector<std::vector<float>> shown;
  labelled_images images{filled<float, 4>({12, 1, 1, 12}), {}};
  for (std::size_t i = 0; i < 12; ++i) images.images(i, 0, 0, i) = 1;
  auto const found =
      measure(region_convexity{.random = rng{1}, .images_together = {3}, .combinations = 3000}, unit_vectors{&shown}, images);
  CHECK(found.entries[0].share == 0);
  CHECK(found.spent.forwards == 12 + 3000);
  REQUIRE(shown.size() == 12 + 3000);
  std::vector<std::size_t> times(12);
  std::array<std::size_t, 2> of_class{};
  for (std::size_t c = 12; c < shown.size(); ++c) {
    std::vector<std::size_t> used;
    double sum = 0;
    for (std::size_t j = 0; j < 12; ++j) {
      sum += double{shown[c][j]};
      CHECK(shown[c][j] >= 0);
      if (shown[c][j] > 0) used.push_back(j), ++times[j];
    }
    CHECK(sum == doctest::Approx(1));
    REQUIRE(used.size() == 3);
    CHECK((used.front() < 6) == (used.back() < 6));
    CHECK(used.back() < 10);  // class 2 has two images only
    ++of_class[used.front() < 6 ? 0 : 1];
  }
  CHECK(static_cast<double>(of_class[0]) / 3000 == doctest::Approx(.6).epsilon(.1));
  for (std::size_t j = 0; j < 10; ++j) CHECK(static_cast<double>(times[j]) == doctest::Approx(900).epsilon(.15));
}

TEST_CASE("shares depend neither on the batch nor on the threads nor on the other numbers together") {
  auto const m = two_balls();
  auto const images = images_in(m, 30, 1);
  region_convexity probe{.random = rng{2}, .images_together = {2, 5}, .combinations = 300};
  auto const [one, three] = with_threads([&] { return measure(probe, m, images); });
  CHECK(same(one, three));
  CHECK(one.entries[0].share > .1);
  CHECK(one.entries[0].share < .9);
  for (std::size_t batch : {1u, 7u}) {
    probe.batch = batch;
    CHECK(same(one, measure(probe, m, images)));
  }
  probe.images_together = {5};
  CHECK(measure(probe, m, images).entries[0].share == one.entries[1].share);
  probe.random = rng{3};
  CHECK(measure(probe, m, images).entries[0].share != one.entries[1].share);
}

TEST_CASE("with labels only images count in which the model sees them") {
  auto const m = two_balls();
  auto images = at_centres(m, 20);
  for (std::size_t i = 0; i < 40; i += 2) images.labels[i] = 0;  // all of the first ball: what is left is one ball, and convex
  region_convexity const probe{.random = rng{1}};
  for (auto const& e : measure(probe, m, images).entries) CHECK(e.share == 1);
  images.labels.clear();
  for (auto const& e : measure(probe, m, images).entries) CHECK(e.share < .9);
}

TEST_CASE("figures and arrays of convexity say what the entries are") {
  auto const m = two_balls();
  auto const found = measure(region_convexity{.random = rng{2}, .images_together = {2, 4}}, m, images_in(m, 30, 1));
  auto const figures = found.figures();
  REQUIRE(figures.size() == 2);
  CHECK(figures[0] == named_figure{"share of combinations of 2 images in their region", found.entries[0].share});
  CHECK(figures[1] == named_figure{"share of combinations of 4 images in their region", found.entries[1].share});
  auto const arrays = found.arrays("digits ");
  REQUIRE(arrays.size() == 1);
  CHECK(arrays[0].name == "digits entries");
  CHECK(arrays[0].shape == std::vector<std::size_t>{2, 3});
  for (std::size_t i : {0u, 1u}) {
    CHECK(arrays[0].values[3 * i] == static_cast<float>(found.entries[i].k));
    CHECK(arrays[0].values[3 * i + 1] == static_cast<float>(found.entries[i].share));
    CHECK(arrays[0].values[3 * i + 2] == static_cast<float>(found.entries[i].standard_error));
  }
}

TEST_CASE("what region_convexity cannot use is said in one sentence") {
  auto const m = two_balls();
  auto const images = images_in(m, 6, 1);
  auto const fails = [&](region_convexity const& probe, char const* sentence) {
    CHECK_THROWS_WITH_AS(static_cast<void>(measure(probe, m, images)), sentence, error);
  };
  fails({.random = rng{1}, .images_together = {}},
        "region_convexity: images_together has no number; give how many images to combine, at least 2");
  fails({.random = rng{1}, .images_together = {2, 1}},
        "region_convexity: images_together has a number below 2; give how many images to combine, at least 2");
  fails({.random = rng{1}, .combinations = 0}, "region_convexity: combinations is 0; give at least 1");
  fails({.random = rng{1}, .batch = 0}, "region_convexity: batch is 0; give at least 1");
  fails({.random = rng{1}, .images_together = {6, 7}},
        "region_convexity: no class is seen in 7 of the images, as their labels do where there are any; give more images, or fewer "
        "together");
  std::vector<int> const few(5, 1);
  CHECK_THROWS_WITH_AS(static_cast<void>(region_convexity{.random = rng{1}}.measure(m, as_view(images.images), few)),
                       "region_convexity: 6 images but 5 labels; give one for each image, or none", error);
}

TEST_CASE("data: convex combinations of digits are of their class for LeNet") {
  auto const net = trained_lenet();
  auto const digits = known_digits(net, 300);
  auto const found = measure(region_convexity{.random = rng{1}, .combinations = 300}, net, digits);
  CHECK(found.spent.forwards == 300 + 4 * 300);
  for (auto const& e : found.entries) {
    CHECK(e.share > .98);
    CHECK(e.standard_error < .01);
  }
}
