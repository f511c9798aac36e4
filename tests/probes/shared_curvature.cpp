// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/shared_curvature.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/probes/curvature_ratio.hpp>
#include <pareidolia/probes/share_inside.hpp>
#include <pareidolia/probes/subspace_noise.hpp>

#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>
#include <support/quadric_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

void check_orthonormal(tensor<float, 2> const& rows) {
  auto const all = as_view(rows);
  for (std::size_t j = 0; j < all.shape[0]; ++j)
    for (std::size_t k = 0; k <= j; ++k) CHECK(detail::dot(all.row(j), all.row(k)) == doctest::Approx(j == k).epsilon(1e-5).scale(1));
}

/// Class 0 in the middle, five others around it, each beyond a boundary of its own place, normal and curvatures, which are in directions
/// that all share: y_c = b + w_c.u + 1/2 sum_j lambda_cj (e_j.u)^2, y_0 = 0.
struct quadric_family {
  static constexpr space memory = space::host;
  struct workspace {
    std::vector<quadric_model::workspace> each;
  };
  std::vector<quadric_model> others;

  [[nodiscard]] image_shape input() const { return others[0].shape; }
  [[nodiscard]] std::size_t classes() const { return others.size() + 1; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {std::vector<quadric_model::workspace>(others.size())}; }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& at) const {
    auto two = filled<float, 2>({x.shape[0], 2});
    for (std::size_t c = 0; c < others.size(); ++c) {
      others[c].forward(x, as_view(two), at.each[c]);
      for (std::size_t i = 0; i < x.shape[0]; ++i) y.row(i)[0] = 0, y.row(i)[c + 1] = two(i, 1);
    }
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& at) const {
    auto two = filled<float, 2>({dx.shape[0], 2});
    auto part = filled<float, 4>({dx.shape[0], dx.shape[1], dx.shape[2], dx.shape[3]});
    std::fill_n(dx.data, dx.size(), 0.f);
    for (std::size_t c = 0; c < others.size(); ++c) {
      for (std::size_t i = 0; i < dx.shape[0]; ++i) two(i, 1) = dy.row(i)[c + 1];
      others[c].backward(as_view(std::as_const(two)), as_view(part), at.each[c]);
      for (std::size_t j = 0; j < dx.size(); ++j) dx.data[j] += part.data()[j];
    }
  }
};

constexpr std::size_t d = 49, shared = 3, classes = 5;

quadric_family family() {
  auto const basis = random_basis(shared + 4 * classes, d, 1);
  quadric_family result;
  for (std::size_t c = 0; c < classes; ++c) {
    quadric_model m{.shape = {1, 7, 7}, .b = -.5, .w = basis[shared + c], .lambda = {}, .e = {}};
    for (std::size_t j = 0; j < shared; ++j) {
      m.lambda.push_back((j % 2 ? -1. : 1.) * (.6 + .1 * static_cast<double>((c + j) % classes)));
      m.e.push_back(basis[j]);
    }
    for (std::size_t own = 0; own < 3; ++own) {  // and a little in some of its own
      m.lambda.push_back(own == 0 ? .1 : -.1);
      m.e.push_back(basis[shared + classes + 3 * c + own]);
    }
    result.others.push_back(std::move(m));
  }
  return result;
}

/// Images from which each class is the nearest for some.
labelled_images around(quadric_family const& m, std::size_t n, std::uint64_t seed, float deviation = .01f) {
  auto images = grey_images(m.input(), n, deviation, seed);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) as_view(images.images).row(i)[j] += static_cast<float>(.2 * m.others[i % classes].w[j]);
  return images;
}

shared_curvature const probe{.random = rng{1}, .curvatures = {.extremes = 3}, .dimensions = shared};

}  // namespace

TEST_CASE("directions that the boundaries of a family of quadrics share are found, and flat ones are across all that is curved") {
  auto const m = family();
  auto const found = measure(probe, m, around(m, classes, 1, 0));  // 30 directions and 5 normals: room for flat ones
  REQUIRE(found.images.boundary.found().size() == classes);
  for (int c = 1; c <= int{classes}; ++c) CHECK(std::ranges::count(found.images.boundary.other, c) == 1);
  check_orthonormal(found.curved);
  check_orthonormal(found.flat);
  auto const truth = rows_of(m.others[0].e);
  for (double const share : share_inside(found.curved, as_view(truth).rows(0, shared))) CHECK(share > .999);
  std::vector<std::vector<double>> curved_or_normal;
  for (auto const& one : m.others) {
    curved_or_normal.push_back(one.w);
    curved_or_normal.insert(curved_or_normal.end(), one.e.begin(), one.e.end());
  }
  auto const none = rows_of(curved_or_normal);
  for (double const share : share_inside(found.flat, as_view(none))) CHECK(share < .01);
  CHECK(std::ranges::is_sorted(found.strengths, std::greater<>{}));
  CHECK(found.share_gathered() > .95);
  CHECK(found.figures().back().second == found.share_gathered());
}

TEST_CASE("on unseen images they bend far more than random directions, flat ones not at all, and noise in them changes more") {
  auto const m = family();
  auto const found = measure(probe, m, around(m, 20, 1));
  auto const unseen = around(m, 10, 2);
  auto const curved = measure(curvature_ratio{.random = rng{2}, .given = found.curved}, m, unseen);
  for (std::size_t i = 0; i < 10; ++i) {
    auto const& one = m.others[static_cast<std::size_t>(curved.boundary.other[i]) - 1];
    for (std::size_t j = 0; j < shared; ++j)
      CHECK(curved.along(i, j) ==
            doctest::Approx(one.curvature(as_view(curved.boundary.points).row(i), as_view(found.curved).row(j), 0)).epsilon(.01).scale(.1));
  }
  for (double const ratio : curved.median()) CHECK(ratio > 5);
  for (double const ratio : measure(curvature_ratio{.random = rng{2}, .given = found.flat}, m, unseen).median()) CHECK(ratio < .05);
  auto const noise = [&](tensor<float, 2> const& in) {
    return measure(subspace_noise{.random = rng{3}, .subspace = in, .norms = {1.5}}, m, unseen).share[0];
  };
  CHECK(noise(found.curved) > .3);
  CHECK(noise(found.flat) == 0);
}

TEST_CASE("where directions are too many to leave room, those of least curvature are the flat ones") {
  auto const m = family();
  auto crowded = probe;
  crowded.curvatures.extent = curvature_extent::spectrum;
  crowded.curvatures.extremes = 10;
  auto const found = measure(crowded, m, around(m, 20, 1));  // 400 directions of R^49
  check_orthonormal(found.flat);
  auto const truth = rows_of(m.others[0].e);
  for (double const share : share_inside(found.flat, as_view(truth).rows(0, shared))) CHECK(share < .01);
  for (double const share : share_inside(found.curved, as_view(truth).rows(0, shared))) CHECK(share > .999);
}

TEST_CASE("the result depends neither on the batch nor on the number of threads") {
  auto const m = family();
  auto const images = around(m, 8, 1);
  auto const of = [&](std::size_t batch) {
    return with_threads([&] {
      auto other = probe;
      other.curvatures.batch = batch;
      auto const found = measure(other, m, images);
      return std::pair{found.curved, found.flat};
    });
  };
  auto const [one, three] = of(64);
  CHECK(one == three);
  CHECK(of(1).first == one);
  CHECK(of(7).second == one);
}

TEST_CASE("what cannot be shared is refused in a sentence") {
  auto const m = family();
  auto const refused = [&](shared_curvature const& p, char const* why) {
    CHECK_THROWS_WITH_AS(static_cast<void>(measure(p, m, around(m, 1, 1))), doctest::Contains(why), error);
  };
  refused({.random = rng{1}, .dimensions = 0}, "shared_curvature: dimensions is 0 for images of 49 values");
  refused({.random = rng{1}, .dimensions = 25}, "dimensions is 25 for images of 49 values");
  refused({.random = rng{1}, .curvatures = {.extremes = 2}}, "dimensions is 10 but the boundaries found gave 4 directions");
  refused({.random = rng{1}, .curvatures = {.extremes = 0}}, "shared_curvature: extremes is 0");
}

TEST_CASE("data: digits share directions in which LeNet's boundaries bend, and noise in them changes classes") {
  auto const net = trained_lenet();
  auto const digits = known_digits(net, 60);
  auto const part = [&](std::size_t first) {
    labelled_images half{filled<float, 4>({30, 1, 28, 28}), {}};
    std::copy_n(digits.images.data() + first * 784, half.images.size(), half.images.data());
    return half;
  };
  auto const seen = part(0), unseen = part(30);
  auto const found = measure(shared_curvature{.random = rng{1}, .curvatures = {.extremes = 5, .products = 60}}, net, seen);
  auto const curved = measure(curvature_ratio{.random = rng{2}, .given = found.curved, .directions = 30}, net, unseen);
  auto const flat = measure(curvature_ratio{.random = rng{2}, .given = found.flat, .directions = 30}, net, unseen);
  for (std::size_t j = 0; j < 3; ++j) CHECK(curved.median()[j] > 2);
  for (double const ratio : flat.median()) CHECK(ratio < 1);
  auto const noise = [&](tensor<float, 2> const& in) {
    return measure(subspace_noise{.random = rng{3}, .subspace = in, .norms = {6}, .draws = 5}, net, unseen).share[0];
  };
  double const in_curved = noise(found.curved), in_flat = noise(found.flat), anywhere = noise(filled<float, 2>({0, 0}));
  auto away = curved.boundary.points;
  for (std::size_t j = 0; j < away.size(); ++j) away.data()[j] -= unseen.images.data()[j];
  double inside = 0;
  for (double const share : share_inside(found.curved, as_view(std::as_const(away)))) inside += share / 30;
  MESSAGE("median ratios " << curved.median()[0] << " and " << flat.median()[0] << "; noise changes " << in_curved << ", " << in_flat
                           << " and " << anywhere << "; share of perturbations inside " << inside);
  CHECK(in_curved > 5 * in_flat);
  CHECK(in_curved > 2 * anywhere);
  CHECK(inside > 2 * std::sqrt(10. / 784));
}
