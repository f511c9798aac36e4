// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/curvature_detector.hpp>

#include <pareidolia/core/roc.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/loaders/binaryproto.hpp>
#include <pareidolia/loaders/cifar10.hpp>
#include <pareidolia/objectives/misclassification.hpp>
#include <pareidolia/optimizers/deepfool.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>
#include <support/quadric_model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

curvature_detector const plain{.random = rng{1}};
double const none = -std::numeric_limits<double>::infinity();

/// Class 0 is a ball about grey.
plane_model ball(double radius) {
  image_shape const shape{1, 4, 5};
  return {.shape = shape, .w = {std::vector<double>(20), std::vector<double>(20)}, .b = {radius * radius, 0}, .curvature = 2};
}

/// Distance of image i from grey.
double from_grey(labelled_images const& images, std::size_t i) {
  double square = 0;
  for (float v : as_view(images.images).row(i)) square += (double{v} - .5) * (double{v} - .5);
  return std::sqrt(square);
}

/// x + scale (found - x), in [0, 1].
labelled_images moved(labelled_images const& x, outcome const& found, float scale) {
  labelled_images result = x;
  std::transform(x.images.begin(), x.images.end(), found.images.begin(), result.images.begin(),
                 [&](float from, float to) { return std::clamp(from + scale * (to - from), 0.f, 1.f); });
  return result;
}

}  // namespace

TEST_CASE("planes do not bend") {
  auto const m = random_planes(5, {1, 5, 5}, 1);
  auto const images = random_images(m, 10, 2);
  for (auto at : {curvature_at::boundary, curvature_at::image}) {
    auto const r = measure(curvature_detector{.random = rng{1}, .at = at, .classes = 4, .step = .05f}, m, images);
    CHECK(r.seen == images.labels);
    CHECK(r.curvatures.shape() == std::array<std::size_t, 2>{10, 4});
    for (double rho : r.curvatures) CHECK(std::abs(rho) < 1e-4);
  }
}

TEST_CASE("the inside of a sphere has the curvature of the sphere, the outside its negative") {
  double const radius = 1.29;
  auto const m = ball(radius);
  auto const images = random_images(m, 40, 3, 0, 1);
  auto const r = measure(plain, m, images);
  auto const at_images = measure(curvature_detector{.random = rng{1}, .at = curvature_at::image}, m, images);
  int inside = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    double const sign = images.labels[i] == 0 ? 1 : -1;
    inside += images.labels[i] == 0;
    CHECK(r.statistic[i] == doctest::Approx(sign / radius).epsilon(.01).scale(0));
    CHECK(at_images.statistic[i] == doctest::Approx(sign / from_grey(images, i)).epsilon(.01).scale(0));  // of the level set there
    CHECK(r.perturbed[i] == (sign > 0));
    CHECK(r.recovered[i] == 1);  // beyond the sphere where that is said of the inside
    CHECK(r.candidates(i, 0) == 1 - images.labels[i]);
  }
  CHECK(inside > 5);
  CHECK(inside < 35);
  CHECK(r.share_perturbed() == inside / 40.);
  CHECK(r.share_recovered(std::vector<int>(40, 1)) == 1);
  CHECK(r.share_recovered(images.labels) == (40 - inside) / 40.);
}

TEST_CASE("the statistic is the mean of the principal curvatures") {
  image_shape const shape{3, 4, 4};
  auto const m = quadric_around_grey(shape, .4, {2, 1, 2, .5, -.5}, 3);
  auto const r = measure(curvature_detector{.random = rng{5}, .directions = 20'000}, m, grey_images(shape, 2));
  for (double rho : r.statistic) CHECK(rho == doctest::Approx(5. / 47).epsilon(.01).scale(0));
  auto away = m;
  for (double& v : away.lambda) v = -v;
  CHECK(measure(curvature_detector{.random = rng{5}, .directions = 20'000}, away, grey_images(shape, 1)).statistic[0] ==
        doctest::Approx(-5. / 47).epsilon(.01).scale(0));
}

TEST_CASE("what bends along the normal does not count") {
  image_shape const shape{1, 1, 3};
  quadric_model const m{.shape = shape, .b = -.3, .w = {1, 0, 0}, .lambda = {.5, -1.}, .e = {{1, 0, 0}, {0, 0, 1}}};
  auto const r = measure(curvature_detector{.random = rng{5}, .directions = 40'000}, m, grey_images(shape, 1));
  double const at = -1 + std::sqrt(1 + 4 * .25 * .3);  // where t + t^2 / 4 = .3, less a factor of 2
  CHECK(r.statistic[0] == doctest::Approx(-.5 / (1 + .5 * 2 * at)).epsilon(.01).scale(0));
}

TEST_CASE("each candidate has its own curvature, the class beyond the boundary comes first") {
  auto m = ball(.1);
  m.w.push_back(std::vector<double>(20));
  m.w[2][0] = .5;
  m.b[2] = -.45;  // beside class 1 where the first value is .9, beside the ball farther off
  labelled_images image = grey_images(m.shape, 1);
  as_view(image.images).row(0)[0] = 1.5f;
  auto const x = as_view(std::as_const(image.images));
  auto r = curvature_detector{.random = rng{1}, .classes = 2}.measure(m, x, {});
  CHECK(r.seen[0] == 2);
  REQUIRE(r.candidates(0, 0) == 1);
  CHECK(r.candidates(0, 1) == 0);
  CHECK(std::abs(r.curvatures(0, 0)) < 1e-3);
  CHECK(r.curvatures(0, 1) == doctest::Approx(-2 / (2 * .4 + .5)).epsilon(.01).scale(0));
  CHECK(r.statistic[0] == doctest::Approx((r.curvatures(0, 0) + r.curvatures(0, 1)) / 2));
  r = curvature_detector{.random = rng{1}, .classes = 2, .threshold = -10}.measure(m, x, {});
  CHECK(r.recovered[0] == 1);  // argmax
  CHECK(measure(curvature_detector{.random = rng{1}, .classes = 100}, m, grey_images(m.shape, 1)).candidates.shape()[1] == 2);
}

TEST_CASE("an image without a boundary is natural") {
  plane_model const flat{.shape = {1, 2, 2}, .w = {std::vector<double>(4), std::vector<double>(4)}, .b = {1, 0}};
  for (auto at : {curvature_at::boundary, curvature_at::image}) {
    auto const r = measure(curvature_detector{.random = rng{1}, .at = at, .threshold = -1e9}, flat, grey_images({1, 2, 2}, 2));
    CHECK(r.statistic == std::vector<double>{none, none});
    CHECK(r.perturbed == std::vector<std::uint8_t>{0, 0});
    CHECK(r.recovered == r.seen);
  }
  auto const m = ball(.5);  // from afar, one step of DeepFool does not reach it
  auto const images = random_images(m, 3, 4, 0, 1);
  auto const r = measure(curvature_detector{.random = rng{1}, .threshold = -1e9, .search = {.steps = 1}}, m, images);
  CHECK(r.statistic == std::vector<double>(3, none));
  CHECK(r.recovered == images.labels);
}

TEST_CASE("the curvature at an image costs what it says") {
  auto const m = random_planes(5, {1, 4, 4}, 1);
  auto const images = random_images(m, 7, 2);
  auto const r = measure(curvature_detector{.random = rng{1}, .at = curvature_at::image, .directions = 6, .classes = 3}, m, images);
  CHECK(r.spent.forwards == 7 * (1 + 2 * 6 + 2 * 3));
  CHECK(r.spent.backwards == 7 * 3);
  auto const near = measure(nearest_boundary{}, m, images).spent;
  auto const crossed = measure(curvature_detector{.random = rng{1}, .directions = 6, .classes = 3}, m, images).spent;
  CHECK(crossed.forwards == near.forwards + r.spent.forwards);
  CHECK(crossed.backwards == near.backwards + r.spent.backwards);
}

TEST_CASE("the detector does not depend on batches or threads") {
  image_shape const shape{3, 4, 4};
  auto const m = quadric_around_grey(shape, .4, {2, 1, -3}, 3);
  auto const images = grey_images(shape, 9, .02f);
  for (auto at : {curvature_at::boundary, curvature_at::image}) {
    curvature_detector detector{.random = rng{1}, .at = at};
    auto const reference = measure(detector, m, images);
    for (std::size_t batch : {1u, 7u, 64u}) {
      detector.batch = batch;
      auto const [one, three] = with_threads([&] { return measure(detector, m, images); });
      CHECK(one.statistic == reference.statistic);
      CHECK(three.statistic == reference.statistic);
      CHECK(three.recovered == reference.recovered);
      CHECK(three.spent.forwards == reference.spent.forwards);
    }
  }
  auto const some = measure(curvature_detector{.random = rng{1}}, m, selected(images, std::vector<std::size_t>{4}));
  CHECK(some.statistic[0] == measure(curvature_detector{.random = rng{1}}, m, images).statistic[4]);
}

TEST_CASE("a calibrated detector has the rate of false alarms that is wanted") {
  auto const m = ball(.01);
  curvature_detector const raw{.random = rng{1}, .at = curvature_at::image};
  auto const clean = random_images(m, 200, 3, 0, 1);
  for (double rate : {0., .1, .25, .999}) {
    auto const detector = calibrate(raw, m, clean, rate);
    CHECK(measure(detector, m, clean).share_perturbed() == doctest::Approx(std::floor(200 * rate) / 200));
  }
  auto const fresh = measure(calibrate(raw, m, clean, .2), m, random_images(m, 1000, 4, 0, 1)).share_perturbed();
  CHECK(fresh > .1);
  CHECK(fresh < .3);
  CHECK(calibrate(raw, m, clean, .2).directions == raw.directions);
}

TEST_CASE("results are shown and stored") {
  auto const m = ball(.8);
  auto const images = random_images(m, 4, 3, 0, 1);
  auto const r = measure(plain, m, images);
  auto const figures = r.figures();
  CHECK(figures[0].first == "share perturbed");
  CHECK(figures[0].second == r.share_perturbed());
  auto const arrays = r.arrays("detector_");
  REQUIRE(arrays.size() == 7);
  CHECK(arrays[0].name == "detector_statistic");
  CHECK(arrays[0].values[2] == static_cast<float>(r.statistic[2]));
  CHECK(arrays[1].shape == std::vector<std::size_t>{4, 1});
  CHECK(r.distances == measure(nearest_boundary{}, m, images).points.distances);
  auto beside = plain;
  beside.at = curvature_at::image;
  CHECK(measure(beside, m, images).distances.empty());
}

TEST_CASE("the detector says what is wrong with its settings") {
  auto const m = ball(.8);
  auto const images = random_images(m, 2, 3, 0, 1);
  auto const with = [&](auto change) {
    auto detector = plain;
    change(detector);
    return [=] { return measure(detector, m, images); };
  };
  CHECK_THROWS_WITH(with([](auto& p) { p.directions = 0; })(), "curvature_detector: directions is 0; give at least 1");
  CHECK_THROWS_WITH(with([](auto& p) { p.classes = 0; })(), "curvature_detector: classes is 0; give at least 1");
  CHECK_THROWS_WITH(with([](auto& p) { p.step = 0; })(), "curvature_detector: step is 0; give one between 0 and 1, such as .005");
  CHECK_THROWS_WITH(with([](auto& p) { p.threshold = -none; })(), "curvature_detector: threshold is inf; give a finite number");
  CHECK_THROWS_WITH(with([](auto& p) { p.search.steps = 0; })(), "curvature_detector: steps is 0; give at least 1");
  CHECK_THROWS_WITH(with([](auto& p) { p.batch = 0; })(), "curvature_detector: batch is 0; give at least 1");
  CHECK_THROWS_WITH(static_cast<void>(measure(plain, m, images).share_recovered(std::vector<int>(3))),
                    "curvature_detector: 3 labels for 2 images; give one for each");
  CHECK_THROWS_WITH(static_cast<void>(calibrate(plain, m, images, 1)),
                    "calibrate: a rate of 1 of 2 images; give a rate from 0 to below 1, and images");
  plane_model const dot{.shape = {1, 1, 1}, .w = {{1}, {0}}, .b = {0, 0}};
  CHECK_THROWS_WITH(measure(plain, dot, grey_images({1, 1, 1}, 1)),
                    "curvature_detector: the model has 1 values and 2 classes; boundaries that bend need at least 2 of each");
}

TEST_CASE("data: the boundaries of LeNet bend towards digits that DeepFool perturbed, away from others") {
  auto const lenet = trained_lenet();
  auto const digits = known_digits(lenet, 100);
  attack const nearest{perturbation{l2{}}, misclassification{}, deepfool{}};
  auto const fooled = run(nearest, lenet, digits, rng{1});
  auto const clean = measure(plain, lenet, digits);
  auto const once = measure(plain, lenet, moved(digits, fooled, 1));
  CHECK(clean.share_perturbed() < .1);
  CHECK(once.share_perturbed() > .9);
  CHECK(once.share_recovered(digits.labels) > .9);
  CHECK(roc_curve(clean.statistic, once.statistic).area > .98);
  auto const detector = calibrate(plain, lenet, digits, .05);
  CHECK(measure(detector, lenet, moved(digits, fooled, 1)).share_perturbed() > .9);
}

TEST_CASE("data: those of CIFAR-10 quick do, less so beside longer perturbations, and not beside noise") {
  graph g = zoo::cifar10_quick();
  g.prepare.mean = read_binaryproto(data_path("models/cifar10_quick/mean.binaryproto")).values;
  network const quick{cpu_engine{}, g, read_weights(data_path("models/cifar10_quick/cifar10_quick_iter_5000.caffemodel"))};
  auto const animals = correctly_classified(quick, read_cifar10(data_path("cifar10/cifar10_test_first1000.bin")), 50);
  auto const fooled = run(attack{perturbation{l2{}}, misclassification{}, deepfool{}}, quick, animals, rng{1});
  auto noisy = fooled;
  for (std::size_t i = 0; i < 50; ++i) {
    std::vector<float> v(3072);
    detail::draw_direction(rng{2}.stream(i), v);
    detail::along(as_view(animals.images).row(i), double{fooled.distances(i, 2)}, v, as_view(noisy.images).row(i));
  }
  curvature_detector const quicker{.random = rng{1}, .directions = 10};
  auto const clean = measure(quicker, quick, animals).statistic;
  auto const area = [&](outcome const& to, float scale) {
    return roc_curve(clean, measure(quicker, quick, moved(animals, to, scale)).statistic).area;
  };
  CHECK(area(fooled, 1) > .95);
  CHECK(area(fooled, 2) > .7);
  CHECK(std::abs(area(noisy, 1) - .5) < .1);
}
