// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/gradient_ascent.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/mean_image.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/objectives/logit.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/data.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
using origin = gradient_ascent::origin;

outcome climb(gradient_ascent const& how, plane_model const& model, labelled_images const& canvas, std::uint64_t seed = 1,
              std::size_t batch = 64) {
  return run(attack{perturbation{l2{}}, class_probability{}, how}, model, canvas, rng{seed}, batch_size{batch});
}

/// The published program on one image: X and its mean M in [0, 255], the gradient that of p with respect to X.
struct original {
  plane_model model;
  std::size_t target;
  std::vector<double> mean, x;  // x less the mean

  double probability(std::vector<double>& gradient) const {
    std::vector<double> image, p;
    for (std::size_t j = 0; j < x.size(); ++j) image.push_back((x[j] + mean[j]) / 255);
    double sum = 0;
    for (std::size_t k = 0; k < model.classes(); ++k) sum += p.emplace_back(std::exp(model.score(k, image)));
    for (double& v : p) v /= sum;
    gradient.assign(x.size(), 0);
    for (std::size_t j = 0; j < x.size(); ++j)
      for (std::size_t k = 0; k < p.size(); ++k) gradient[j] += p[target] * ((k == target) - p[k]) * model.w[k][j] / 255;
    return p[target];
  }
  static double percentile(std::vector<double> v, double q) {
    std::sort(v.begin(), v.end());
    double const place = q / 100 * static_cast<double>(v.size() - 1);
    auto const low = static_cast<std::size_t>(place);
    return low + 1 == v.size() ? v[low] : v[low] + (place - static_cast<double>(low)) * (v[low + 1] - v[low]);
  }
  void zero_below(std::vector<double> const& size, double q) {
    double const limit = percentile(size, q);
    for (std::size_t j = 0; j < x.size(); ++j)
      if (size[j % size.size()] < limit) x[j] = 0;
  }
  void clip() {
    for (std::size_t j = 0; j < x.size(); ++j) x[j] = std::min(255., std::max(0., x[j] + mean[j])) - mean[j];
  }
  /// Leaves in x the most probable of `looks` images.
  double climb(gradient_ascent const& how, double lr_max, std::size_t looks) {
    double best = 0;
    std::vector<double> g, best_x;
    for (std::size_t i = 0; i < looks; ++i) {
      clip();
      double const p = probability(g);
      if (p > best) best = p, best_x = x;
      double square = 0;
      for (double v : g) square += v * v;
      double const lr = std::min(lr_max, std::min(double{how.early}, double{how.late} * (1 - p)) / square);
      for (std::size_t j = 0; j < x.size(); ++j) x[j] = (x[j] + lr * g[j]) * (1 - double{how.decay});
      if (how.blur > 0 && i % how.blur_every == 0) {
        std::vector<float> row(x.begin(), x.end());
        blur_rows(std::vector{how.blur}, model.shape, view<float, 2>{row.data(), {1, row.size()}});
        x.assign(row.begin(), row.end());
      }
      std::size_t const area = model.shape[1] * model.shape[2];
      std::vector<double> norm(area), benefit(area);
      for (std::size_t j = 0; j < x.size(); ++j) norm[j % area] += x[j] * x[j];
      if (how.small_norm > 0) zero_below(norm, double{how.small_norm});
      for (std::size_t j = 0; j < x.size(); ++j) benefit[j % area] -= g[j] * x[j];
      for (double& v : benefit) v = std::abs(v);
      if (how.small_contribution > 0) zero_below(benefit, double{how.small_contribution});
    }
    x = best_x;
    return best;
  }
};

}  // namespace

TEST_CASE("with the mean as canvas it is the published program, whose pixels are from 0 to 255") {
  auto const planes = random_planes(4, {3, 4, 4}, 1);
  auto canvas = random_images(planes, 3, 2, .05f, .95f);
  canvas.labels = {0, 1, 3};
  std::vector<gradient_ascent> settings{gradient_ascent::unregularised(), gradient_ascent::decayed(), gradient_ascent::blurred(),
                                        gradient_ascent::clipped()};
  settings.push_back({.early = .5f, .late = .5f, .rate = 3e4f / (255 * 255)});  // which limits each step
  settings.push_back({.early = .4f, .late = 1, .rate = 1e7f / (255 * 255)});    // which meets the box
  // A percentile between two pixels is no matter of rounding; the square of a norm has its order, and here its value there is its own.
  for (auto& how : settings) {
    if (how.small_norm > 0) how.small_norm = how.small_contribution = 100 / 15.f * 3;
    how.from = origin::canvas;
    how.confidence = 2;
    how.steps = 6;
    auto const found = climb(how, planes, canvas);
    for (std::size_t i = 0; i < 3; ++i) {
      original reference{planes, static_cast<std::size_t>(canvas.labels[i]), {}, std::vector<double>(48)};
      for (float v : as_view(canvas.images).row(i)) reference.mean.push_back(255 * double{v});
      double const p = reference.climb(how, double{how.rate} * 255 * 255, 6);
      CHECK(double{found.values[i]} == doctest::Approx(p).epsilon(1e-4));
      for (std::size_t j = 0; j < 48; ++j)
        CHECK(255 * double{as_view(found.images).row(i)[j]} == doctest::Approx(reference.x[j] + reference.mean[j]).epsilon(1e-3));
    }
  }
}

TEST_CASE("one step raises the probability by what was asked for, to first order") {
  auto const planes = random_planes(3, {1, 3, 4}, 3);
  auto canvas = random_images(planes, 4, 4);
  canvas.labels = {0, 1, 2, 0};
  auto const first = climb({.steps = 1, .from = origin::canvas}, planes, canvas);
  auto const second = climb({.steps = 2, .early = 1e-3f, .late = 1, .from = origin::canvas}, planes, canvas);
  for (std::size_t i = 0; i < 4; ++i) {
    double const missing = 1 - double{first.values[i]};
    CHECK(double{second.values[i] - first.values[i]} == doctest::Approx(std::min(1e-3, missing)).epsilon(.02));
    CHECK(first.backwards_spent[i] == 0);
    CHECK(second.forwards_spent[i] == 2);
    CHECK(second.backwards_spent[i] == 1);
  }
}

TEST_CASE("an image ends at the confidence wanted, with the best it was") {
  auto const planes = random_planes(3, {1, 3, 4}, 5);
  auto const canvas = repeated(random_images(planes, 1, 6), {0, 1, 2});
  auto const found = climb({.confidence = .9f}, planes, canvas);
  auto const longer = climb({.confidence = 2}, planes, canvas);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(found.values[i] >= .9f);
    CHECK(found.values[i] < .95f);
    CHECK(found.success[i] == 1);
    CHECK(found.forwards_spent[i] < 500);
    CHECK(longer.forwards_spent[i] == 500);
    CHECK(longer.values[i] > found.values[i]);
    CHECK(climb({.steps = found.forwards_spent[i] - 1}, planes, canvas).values[i] < .9f);
  }
  // It starts at the best it will be: the decay of all of X leaves nothing but the canvas.
  auto const start = climb({.steps = 1, .from = origin::uniform}, planes, canvas);
  auto const gone = climb({.steps = 9, .confidence = 2, .decay = 1, .from = origin::uniform}, planes, canvas);
  for (std::size_t i = 0; i < 3; ++i) CHECK(gone.values[i] >= start.values[i]);
}

TEST_CASE("it starts from noise of one level in 255, a uniform image, or the canvas") {
  plane_model const planes{.shape = {3, 30, 30}, .w = std::vector(2, std::vector<double>(2700, 0.)), .b = {0, 0}};
  labelled_images canvas{filled<float, 4>({4, 3, 30, 30}, .4f), {0, 1, 0, 1}};
  auto const begun = [&](origin from) { return climb({.steps = 5, .from = from}, planes, canvas); };
  CHECK(begun(origin::canvas).images == canvas.images);
  double square = 0;
  auto const noise = begun(origin::noise), uniform = begun(origin::uniform);
  for (float v : noise.images) square += (double{v} - .4) * (double{v} - .4);
  CHECK(std::sqrt(square / 10800) * 255 == doctest::Approx(1).epsilon(.05));
  double sum = 0;
  for (float v : uniform.images) sum += double{v};
  CHECK(sum / 10800 == doctest::Approx(.5).epsilon(.03));
  CHECK(noise.images(0, 0, 0, 0) != noise.images(1, 0, 0, 0));
  // A model without a gradient ends it at once.
  CHECK(noise.forwards_spent == std::vector<std::uint32_t>{1, 1, 1, 1});
}

TEST_CASE("the answer is the same in batches of any size") {
  auto const planes = random_planes(5, {3, 4, 4}, 7);
  auto canvas = repeated(random_images(planes, 1, 8), {0, 1, 2, 3, 4, 0, 1});
  for (origin from : {origin::noise, origin::uniform}) {
    gradient_ascent how = gradient_ascent::clipped();
    how.steps = 40;
    how.confidence = .6f;
    how.blur_every = 3;
    how.from = from;
    auto const all = climb(how, planes, canvas, 3);
    CHECK(std::ranges::count(all.forwards_spent, all.forwards_spent[0]) < 7);
    for (std::size_t batch : {1u, 3u}) {
      auto const some = climb(how, planes, canvas, 3, batch);
      CHECK(some.images == all.images);
      CHECK(some.forwards_spent == all.forwards_spent);
    }
    CHECK(climb(how, planes, canvas, 4).images != all.images);
  }
}

TEST_CASE("gradient_ascent refuses settings that mean nothing") {
  auto const planes = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 1, 2);
  auto const refused = [&](gradient_ascent const& how, char const* why) {
    CHECK_THROWS_WITH_AS(climb(how, planes, canvas), doctest::Contains(why), error);
  };
  refused({.steps = 0}, "steps is 0");
  refused({.early = 0}, "early is 0");
  refused({.decay = 1.5f}, "decay is 1.5");
  refused({.blur = .2f}, "blur is 0.2");
  refused({.blur_every = 0}, "blur_every is 0");
  refused({.small_norm = 101}, "percentile is 101");
  plane_model high = planes;
  high.b = {40, 40};
  CHECK_THROWS_WITH_AS(run(attack{perturbation{l2{}}, logit{}, gradient_ascent{}}, high, canvas, rng{1}),
                       doctest::Contains("class_probability"), error);
}

TEST_CASE("data: LeNet is sure of every digit in noise on black; decay as published leaves it in doubt, less decay does not") {
  network const lenet{cpu_engine{}, zoo::lenet5(), read_weights(data_path("models/lenet/lenet_iter_10000"))};
  auto const canvas = repeated(mean_image(zoo::lenet5()), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  auto const least = [&](gradient_ascent const& how) {
    auto const found = run(attack{perturbation{l2{}}, class_probability{}, how}, lenet, canvas, rng{1});
    return std::ranges::min(found.values);
  };
  CHECK(least(gradient_ascent::unregularised()) >= .9999f);
  gradient_ascent decayed = gradient_ascent::decayed();
  decayed.steps = 300;
  CHECK(least(decayed) < .9f);
  CHECK(least(gradient_ascent::lightly_decayed()) >= .9999f);
}
