// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/region_path.hpp>

#include <pareidolia/attack.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>
#include <support/regions.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

constexpr path_partner kinds[] = {path_partner::same_class, path_partner::perturbed, path_partner::noise};

/// What m sees in each row of x.
template <class M>
std::vector<int> seen(M const& m, tensor<float, 2> const& x) {
  auto const images = detail::images_of(x, m.input());
  auto y = filled<float, 2>({images.shape()[0], m.classes()});
  auto workspace = m.prepare(images.shape()[0]);
  m.forward(as_view(images), as_view(y), workspace);
  std::vector<int> result;
  for (std::size_t i = 0; i < images.shape()[0]; ++i) result.push_back(detail::highest(as_view(std::as_const(y)).row(i)));
  return result;
}

bool same(region_path::result const& a, region_path::result const& b) {
  return a.unreached == b.unreached && a.spent.forwards == b.spent.forwards && a.spent.backwards == b.spent.backwards &&
         std::ranges::equal(a.paths, b.paths, [](region_path::path const& p, region_path::path const& q) {
           return p.first == q.first && p.second == q.second && p.label == q.label && p.connected == q.connected &&
                  p.straightness == q.straightness && p.distance == q.distance && p.anchors == q.anchors;
         });
}

/// A ball of radius .3 in the middle of the unit square.
balls const disc{.shape = {1, 1, 2}, .centres = {{.5, .5}}, .radius = .3};

/// The shortest way between two points outside of the disc: straight, or along tangents and the arc between them.
double way_around(std::span<float const> a, std::span<float const> b) {
  double const ax = double{a[0]} - .5, ay = double{a[1]} - .5, bx = double{b[0]} - .5, by = double{b[1]} - .5;
  double const ra = std::hypot(ax, ay), rb = std::hypot(bx, by), r = disc.radius;
  double const arc = std::acos((ax * bx + ay * by) / (ra * rb)) - std::acos(r / ra) - std::acos(r / rb);
  return arc > 0 ? std::sqrt(ra * ra - r * r) + std::sqrt(rb * rb - r * r) + r * arc : std::hypot(ax - bx, ay - by);
}

}  // namespace

TEST_CASE("regions between planes are convex, so that every straight line is a path") {
  auto const m = random_planes(4, {1, 3, 4}, 1);
  auto const images = random_images(m, 60, 2);
  for (auto const kind : kinds) {
    auto const found = measure(region_path{.random = rng{3}, .to = kind, .pairs = 50, .samples = 37}, m, images);
    REQUIRE(found.paths.size() + found.unreached == 50);
    CHECK(found.unreached == 0);
    CHECK(found.share_connected() == 1);
    CHECK(found.share_straight() == 1);
    CHECK(found.median_straightness() == 1);
    CHECK(found.mean_straightness() == 1);
    for (auto const& p : found.paths) {
      CHECK(p.straightness == 1);
      CHECK(p.anchors.shape()[0] == 2);
      CHECK(p.distance == detail::distance(as_view(p.anchors).row(0), as_view(p.anchors).row(1)));
      CHECK(p.label == images.labels[p.first]);
      CHECK(std::ranges::equal(as_view(p.anchors).row(0), as_view(images.images).row(p.first)));
      CHECK(seen(m, p.anchors) == std::vector<int>{p.label, p.label});
      CHECK((p.second == region_path::path::no_image) == (kind == path_partner::noise));
    }
    if (kind == path_partner::same_class) {
      CHECK(found.spent.forwards == 60 + 50 * 36);
      CHECK(found.spent.backwards == 0);
    } else {
      CHECK(found.spent.backwards >= 50);
      CHECK(found.spent.forwards == 60 + found.spent.backwards + 50 * 36);  // a forward and a backward for each step
    }
  }
}

TEST_CASE("pairs are different ones, of one class, of two, or of an image and noise of its own") {
  auto const m = random_planes(4, {1, 3, 4}, 1);
  auto const images = random_images(m, 40, 2);
  for (auto const kind : kinds) {
    auto const found = measure(region_path{.random = rng{3}, .to = kind, .pairs = 35}, m, images);
    std::set<std::pair<std::size_t, std::size_t>> pairs;
    std::set<float> ends;
    for (auto const& p : found.paths) {
      pairs.insert({p.first, p.second});
      ends.insert(p.anchors(1, 0));
      if (kind == path_partner::noise) continue;
      CHECK(p.first != p.second);
      CHECK((images.labels[p.first] == images.labels[p.second]) == (kind == path_partner::same_class));
      if (kind == path_partner::same_class)
        CHECK(std::ranges::equal(as_view(p.anchors).row(1), as_view(images.images).row(p.second)));
      else
        CHECK(detail::distance(as_view(p.anchors).row(1), as_view(images.images).row(p.second)) > 0);
    }
    CHECK(pairs.size() == 35);
    if (kind == path_partner::noise) CHECK(ends.size() == 35);
  }
}

TEST_CASE("where there are fewer pairs than asked for, all are taken") {
  auto const m = random_planes(3, {1, 3, 4}, 3);
  auto const images = random_images(m, 9, 2, 0, 1);
  std::vector<std::size_t> n(3);
  for (int label : images.labels) ++n[static_cast<std::size_t>(label)];
  std::size_t within = 0, across = 0;
  for (std::size_t c : n) within += c * (c - 1) / 2, across += c * (9 - c);
  REQUIRE(within > 0);
  REQUIRE(across > 0);
  for (auto const& [kind, expected] : {std::pair{path_partner::same_class, within}, std::pair{path_partner::perturbed, across}}) {
    auto const found = measure(region_path{.random = rng{3}, .to = kind, .pairs = 1000}, m, images);
    std::set<std::pair<std::size_t, std::size_t>> pairs;
    for (auto const& p : found.paths) {
      pairs.insert({p.first, p.second});
      if (kind == path_partner::same_class) CHECK(p.first < p.second);
    }
    CHECK(found.paths.size() == expected);
    CHECK(pairs.size() == expected);
  }
  auto const noise = measure(region_path{.random = rng{3}, .to = path_partner::noise, .pairs = 20}, m, images);
  CHECK(noise.paths.size() == 20);  // noise there is always
  std::vector<std::size_t> times(9);
  for (auto const& p : noise.paths) ++times[p.first];
  CHECK(std::ranges::min(times) == 2);
  CHECK(std::ranges::max(times) == 3);
}

TEST_CASE("two balls are not connected, each of them is") {
  auto const m = two_balls();
  auto const images = images_in(m, 20, 1);
  auto const found = measure(region_path{.random = rng{2}, .pairs = 190}, m, images);
  REQUIRE(found.paths.size() == 190);  // all there are
  for (auto const& p : found.paths) {
    CHECK(p.connected == (p.first % 2 == p.second % 2));
    if (p.connected) {
      CHECK(p.straightness == 1);
    } else {
      CHECK(p.straightness == std::numeric_limits<double>::infinity());
      CHECK(p.anchors.shape()[0] > 2);
      for (int const label : seen(m, p.anchors)) CHECK(label == 1);
    }
  }
  CHECK(found.share_connected() == doctest::Approx(90 / 190.));
  CHECK(found.median_straightness() == 1);  // of those that are

  // Noise and images outside are walked into one ball or the other, and outside all is connected.
  auto mixed = random_images(m, 30, 3, 0, 1);
  std::copy_n(images.images.data(), images.images.size(), mixed.images.data());
  std::copy(images.labels.begin(), images.labels.end(), mixed.labels.begin());
  for (auto const kind : {path_partner::perturbed, path_partner::noise}) {
    auto const there = measure(region_path{.random = rng{2}, .to = kind}, m, mixed);
    CHECK(there.unreached == 0);
    std::size_t apart = 0;
    for (auto const& p : there.paths) {
      auto const end = as_view(p.anchors).row(p.anchors.shape()[0] - 1);
      if (p.label == 0) CHECK(p.connected);
      if (p.label == 1) CHECK(p.connected == (m.nearest(end).first == m.nearest(as_view(p.anchors).row(0)).first));
      apart += !p.connected;
    }
    CHECK(apart > 10);
    CHECK(apart < 90);
  }
}

TEST_CASE("a straight line that leaves the region fails at its first sample if that is its middle") {
  auto const m = two_balls();
  auto images = images_in(m, 2, 1, .1);
  auto const found = measure(region_path{.random = rng{2}, .samples = 128, .depth = 0}, m, images);
  REQUIRE(found.paths.size() == 1);
  CHECK(!found.paths[0].connected);
  CHECK(found.paths[0].anchors.shape()[0] == 2);
  CHECK(found.spent.forwards == 2 + 1);
  CHECK(found.spent.backwards == 0);
}

TEST_CASE("a path leads around a hole, not much longer than it must be") {
  auto const images = random_images(disc, 200, 1, 0, 1);
  for (auto const& [overshoot, longer] : {std::pair{.25f, 1.15}, std::pair{.02f, 1.1}}) {
    auto const found = measure(region_path{.random = rng{2}, .pairs = 400, .overshoot = overshoot}, disc, images);
    std::size_t bent = 0, outside = 0;
    for (auto const& p : found.paths) {
      if (p.label == 1) {  // the disc itself is convex
        CHECK(p.straightness == 1);
        continue;
      }
      REQUIRE(p.connected);
      ++outside;
      auto const a = as_view(images.images).row(p.first), b = as_view(images.images).row(p.second);
      double const least = way_around(a, b) / p.distance;
      bent += least > 1.001;
      CHECK(p.straightness > least * .999);  // what is cut off between two samples
      CHECK(p.straightness < least * longer);
      if (p.straightness > 1) CHECK(p.anchors.shape()[0] > 2);
      for (int const label : seen(disc, p.anchors)) CHECK(label == 0);
      // Finer samples of the whole path than were looked at are inside, but for what lies between two of these.
      auto const strip = path_strip(p, disc.shape, 1000);
      double nearest = 1;
      for (std::size_t i = 0; i < 1000; ++i) nearest = std::min(nearest, disc.nearest(as_view(strip).row(i)).second);
      CHECK(nearest > disc.radius - .001);
    }
    CHECK(bent > outside / 5);
    CHECK(found.median_straightness() >= 1);
    CHECK(found.mean_straightness() > 1.01);
    CHECK(found.share_straight() < found.share_connected());
  }
}

TEST_CASE("what depth does not suffice for is not connected") {
  auto const images = random_images(disc, 60, 1, 0, 1);
  double share = 0;
  for (std::size_t depth : {0u, 1u, 2u, 10u}) {
    auto const found = measure(region_path{.random = rng{2}, .pairs = 200, .depth = depth}, disc, images);
    CHECK(found.share_connected() > share);
    share = found.share_connected();
    std::size_t most = 0;
    for (auto const& p : found.paths) most = std::max(most, p.anchors.shape()[0]);
    CHECK(most <= (std::size_t{1} << depth) + 1);
    if (depth == 0) CHECK(found.share_straight() == share);
  }
  CHECK(share == 1);
}

TEST_CASE("paths and costs depend neither on the batch nor on the threads") {
  auto const images = random_images(disc, 60, 1, 0, 1);
  for (auto const kind : kinds) {
    region_path probe{.random = rng{2}, .to = kind, .pairs = 60};
    auto const [one, three] = with_threads([&] { return measure(probe, disc, images); });
    CHECK(same(one, three));
    for (std::size_t batch : {1u, 7u}) {
      probe.batch = batch;
      CHECK(same(one, measure(probe, disc, images)));
    }
    probe.random = rng{3};
    CHECK(!same(one, measure(probe, disc, images)));
  }
}

TEST_CASE("the cost is what the model was asked for") {
  auto const images = random_images(disc, 60, 1, 0, 1);
  for (auto const kind : kinds) {
    std::size_t forwards = 0, backwards = 0;
    struct counting : balls {
      std::size_t *forwards, *backwards;
      void forward(const_image_view<memory> x, score_view<memory> y, workspace& at) const {
        *forwards += x.shape[0];
        balls::forward(x, y, at);
      }
      void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& at) const {
        *backwards += dx.shape[0];
        balls::backward(dy, dx, at);
      }
    };
    auto const spent = measure(region_path{.random = rng{2}, .to = kind}, counting{disc, &forwards, &backwards}, images).spent;
    CHECK(spent.forwards == forwards);
    CHECK(spent.backwards == backwards);
    CHECK(backwards > 0);
    CHECK(spent.seconds >= spent.model_seconds);
    CHECK(spent.model_seconds > 0);
  }
}

TEST_CASE("with labels only images count that the model gets right") {
  auto const m = random_planes(3, {1, 3, 4}, 3);
  auto images = random_images(m, 30, 2, 0, 1);
  auto const right = images.labels;
  for (std::size_t i = 0; i < 30; i += 3) images.labels[i] = (images.labels[i] + 1) % 3;
  for (auto const kind : kinds)
    for (auto const& p : measure(region_path{.random = rng{3}, .to = kind, .pairs = 500}, m, images).paths) {
      CHECK(p.first % 3 != 0);
      CHECK((p.second == region_path::path::no_image || p.second % 3 != 0));
      CHECK(p.label == right[p.first]);
    }
  images.labels.clear();  // all count
  std::set<std::size_t> used;
  for (auto const& p : measure(region_path{.random = rng{3}, .pairs = 500}, m, images).paths) used.insert({p.first, p.second});
  CHECK(used.size() == 30);
}

TEST_CASE("two images that are the same are one point, and connected") {
  auto const m = random_planes(3, {1, 3, 4}, 1);
  auto const one = random_images(m, 1, 2);
  auto const found = measure(region_path{.random = rng{3}}, m, repeated(one, {one.labels[0], one.labels[0]}));
  REQUIRE(found.paths.size() == 1);
  CHECK(found.paths[0].connected);
  CHECK(found.paths[0].distance == 0);
  CHECK(found.paths[0].straightness == 1);
  CHECK(found.spent.forwards == 2);
}

TEST_CASE("partners that find no way into the class are counted apart") {
  struct flat : balls {  // class 1 can be seen but not followed
    void backward(const_score_view<memory>, image_view<memory> dx, workspace&) const { std::fill_n(dx.data, dx.size(), 0.f); }
  };
  auto const images = random_images(disc, 50, 1, 0, 1);
  auto const perturbed = measure(region_path{.random = rng{2}, .to = path_partner::perturbed}, flat{disc}, images);
  CHECK(perturbed.paths.empty());
  CHECK(perturbed.unreached == 100);
  CHECK(perturbed.share_connected() == 0);
  CHECK(perturbed.median_straightness() == 0);
  CHECK(perturbed.mean_straightness() == 0);
  // Midpoints that find none make a path that is not connected.
  auto const within = measure(region_path{.random = rng{2}}, flat{disc}, images);
  CHECK(within.unreached == 0);
  CHECK(within.share_connected() < 1);
  CHECK(within.share_connected() > 0);
}

TEST_CASE("a strip shows a path at even lengths, with both ends") {
  region_path::path p;
  p.anchors = filled<float, 2>({3, 2});
  p.anchors(1, 0) = 3;  // (0, 0), (3, 0), (3, 1)
  p.anchors(2, 0) = 3;
  p.anchors(2, 1) = 1;
  auto const strip = path_strip(p, {2, 1, 1}, 5);
  std::vector<float> const expected{0, 0, 1, 0, 2, 0, 3, 0, 3, 1};
  CHECK(std::ranges::equal(strip, expected));
  CHECK(strip.shape()[1] == 2);
  CHECK_THROWS_WITH_AS(static_cast<void>(path_strip(p, {2, 1, 1}, 1)),
                       "path_strip: 1 images of 2x1x1 along 3 anchors of 2 values; give at least 2 images of as many values, and a path "
                       "with anchors",
                       error);
  CHECK_THROWS_AS(static_cast<void>(path_strip(p, {1, 1, 1}, 5)), error);
  CHECK_THROWS_AS(static_cast<void>(path_strip({}, {0, 0, 0}, 5)), error);
  p.anchors = filled<float, 2>({2, 2}, .5f);  // one point
  CHECK(std::ranges::count(path_strip(p, {2, 1, 1}, 4), .5f) == 8);
}

TEST_CASE("figures and arrays of paths say what the paths are") {
  auto const images = random_images(disc, 60, 1, 0, 1);
  auto const found = measure(region_path{.random = rng{2}, .to = path_partner::noise, .pairs = 30, .depth = 1}, disc, images);
  auto const figures = found.figures();
  REQUIRE(figures.size() == 4);
  CHECK(figures[0] == named_figure{"share of pairs connected", found.share_connected()});
  CHECK(figures[1] == named_figure{"share of pairs connected by the straight line", found.share_straight()});
  CHECK(figures[2] == named_figure{"median straightness", found.median_straightness()});
  CHECK(figures[3] == named_figure{"mean straightness", found.mean_straightness()});
  auto const arrays = found.arrays("noise ");
  REQUIRE(arrays.size() == 2);
  CHECK(arrays[0].name == "noise paths");
  CHECK(arrays[0].shape == std::vector<std::size_t>{30, 7});
  REQUIRE(arrays[0].values.size() == 210);
  CHECK(arrays[1].name == "noise anchors");
  std::size_t first = 0;
  for (std::size_t p = 0; p < 30; ++p) {
    auto const& path = found.paths[p];
    auto const row = std::span(arrays[0].values).subspan(7 * p, 7);
    CHECK(row[0] == static_cast<float>(path.first));
    CHECK(row[1] == -1);
    CHECK(row[2] == static_cast<float>(path.label));
    CHECK(row[3] == static_cast<float>(path.connected));
    CHECK(row[4] == static_cast<float>(path.straightness));
    CHECK(row[5] == static_cast<float>(path.distance));
    auto const n = static_cast<std::size_t>(row[6]);
    CHECK(std::ranges::equal(path.anchors, std::span(arrays[1].values).subspan(2 * first, 2 * n)));
    first += n;
  }
  CHECK(arrays[1].shape == std::vector<std::size_t>{first, 2});
  CHECK(arrays[1].values.size() == 2 * first);
}

TEST_CASE("what region_path cannot use is said in one sentence") {
  auto const m = random_planes(3, {1, 3, 4}, 1);
  auto const images = random_images(m, 5, 2);
  auto const fails = [&](region_path const& probe, char const* sentence) {
    CHECK_THROWS_WITH_AS(static_cast<void>(measure(probe, m, images)), sentence, error);
  };
  fails({.random = rng{1}, .pairs = 0}, "region_path: pairs is 0; give at least 1");
  fails({.random = rng{1}, .samples = 1}, "region_path: samples is 1; give at least 2, into so many parts a straight line is cut");
  fails({.random = rng{1}, .depth = 31}, "region_path: depth is 31; give at most 30, a path may have 2^depth segments");
  fails({.random = rng{1}, .overshoot = 0}, "region_path: overshoot is 0; give a share above 0");
  fails({.random = rng{1}, .search = {.steps = 0}}, "region_path: steps is 0; give at least 1");
  fails({.random = rng{1}, .batch = 0}, "region_path: batch is 0; give at least 1");

  auto const alone = random_images(m, 1, 2);
  for (auto const kind : {path_partner::same_class, path_partner::perturbed})
    CHECK_THROWS_WITH_AS(static_cast<void>(measure(region_path{.random = rng{1}, .to = kind}, m, alone)),
                         (std::string("region_path: there are no two images that the model sees ") +
                          (kind == path_partner::same_class ? "one class in" : "different classes in") +
                          ", as their labels do where there are any; give more images, or no labels")
                             .c_str(),
                         error);
  auto wrong = images;
  for (int& label : wrong.labels) label = (label + 1) % 3;
  CHECK_THROWS_WITH_AS(static_cast<void>(measure(region_path{.random = rng{1}, .to = path_partner::noise}, m, wrong)),
                       "region_path: there are no images, as their labels do where there are any; give more images, or no labels", error);
  std::vector<int> const few(4);
  CHECK_THROWS_WITH_AS(static_cast<void>(region_path{.random = rng{1}}.measure(m, as_view(std::as_const(images.images)), few)),
                       "region_path: 5 images but 4 labels; give one for each image, or none", error);
}

TEST_CASE("data: the regions of LeNet are connected, by paths that are almost straight") {
  auto const net = trained_lenet();
  auto const digits = known_digits(net, 300);
  for (auto const kind : kinds) {
    auto const found = measure(region_path{.random = rng{1}, .to = kind, .pairs = 20}, net, digits);
    CHECK(found.paths.size() == 20);
    CHECK(found.share_connected() == 1);
    CHECK(found.median_straightness() < 1.001);
    CHECK(found.mean_straightness() < 1.01);
    for (auto const& p : found.paths)
      for (int const label : seen(net, p.anchors)) CHECK(label == p.label);
  }
}
