// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/map_elites.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/encodings/device/cppn.hpp>
#include <pareidolia/encodings/device/pixels.hpp>
#include <pareidolia/encodings/staged.hpp>
#include <pareidolia/objectives/device/class_probability.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>
#include <support/gentle_ascent.hpp>
#include <support/small_models.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

// The same attack, seed and model in both memories. The model's scores are the host's to the bit, so what differs is the device's share.

namespace pareidolia_test {
namespace {

constexpr auto device_memory = space::device;

/// Class k likes a pattern of its own.
struct patterns_model {
  static constexpr space memory = space::host;
  struct workspace {};
  image_shape shape{3, 6, 7};
  std::size_t count = 5;
  float gain = 0.5f;
  float broken = std::numeric_limits<float>::infinity();  // scores above it are NaN

  image_shape input() const { return shape; }
  std::size_t classes() const { return count; }
  workspace prepare(std::size_t) const { return {}; }
  float weight(std::size_t k, std::size_t j) const { return gain * std::sin(static_cast<float>((k + 1) * (j + 3))); }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace&) const {
    for (std::size_t i = 0; i < x.shape[0]; ++i)
      for (std::size_t k = 0; k < count; ++k) {
        float sum = 0;
        for (std::size_t j = 0; j < x.stride(); ++j) sum += weight(k, j) * x.row(i)[j];
        y.row(i)[k] = sum > broken ? std::numeric_limits<float>::quiet_NaN() : sum;
      }
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace&) const {
    for (std::size_t i = 0; i < dx.shape[0]; ++i)
      for (std::size_t j = 0; j < dx.stride(); ++j) {
        dx.row(i)[j] = 0;
        for (std::size_t k = 0; k < count; ++k) dx.row(i)[j] += weight(k, j) * dy.row(i)[k];
      }
  }
  std::uint64_t fingerprint() const { return 3; }
};
using device_model = as_device_model<patterns_model>;
static_assert(DifferentiableModel<device_model>);

labelled_images noisy(std::vector<int> labels) { return {random_values<4>({labels.size(), 3, 6, 7}, 3, 0.2f, 0.8f), std::move(labels)}; }

template <class A, class... Images>
void check_same_outcome(A const& a, labelled_images const& canvas, float rounding) {
  patterns_model const model;
  auto const here = run(a, model, canvas, rng(5)), there = run(a, device_model{model}, canvas, rng(5));
  CHECK(here.labels == there.labels);
  CHECK(here.before == there.before);
  CHECK(here.targets == there.targets);
  CHECK(here.success == there.success);
  CHECK(here.steps == there.steps);
  CHECK(here.forwards == there.forwards);
  CHECK(here.backwards == there.backwards);
  CHECK(here.complete == there.complete);
  CHECK(there.model_seconds > 0);
  CHECK(there.model_seconds <= there.seconds);
  CHECK(largest_difference(here.images, there.images) <= rounding);
  CHECK(largest_difference(here.scores, there.scores) <= 100 * rounding);
  CHECK(largest_difference(here.values, there.values) <= 100 * rounding + 1e-6f);
  for (std::size_t j = 0; j < here.distances.size(); ++j)
    CHECK(there.distances.data()[j] == doctest::Approx(here.distances.data()[j]).epsilon(1e-5 + 100 * double{rounding}));
}

map_elites constexpr elites{.children = 21, .generations = 12};

}  // namespace

static_assert(ClasswiseOptimizer<map_elites, pixels, device_memory> && ClasswiseOptimizer<map_elites, cppn, device_memory>);
static_assert(RunsOn<attack<staged<pixels>, class_probability, map_elites>, device_model>);
static_assert(RunsOn<attack<pixels, cross_entropy, gentle_ascent>, device_model>);

TEST_CASE("MAP-Elites with pixels finds on a device what it finds on the host") {
  if (!has_device()) return;
  check_same_outcome(attack{pixels{.halve_every = 5}, class_probability{}, elites}, blank({3, 6, 7}), 0);
  check_same_outcome(attack{pixels{.crossover = 0.5f, .levels = 0}, class_probability{}, elites}, blank({3, 6, 7}), 1e-5f);
}

TEST_CASE("MAP-Elites with CPPNs finds on a device what it finds on the host") {
  if (!has_device()) return;
  check_same_outcome(attack{cppn{.levels = 0}, class_probability{}, elites}, blank({3, 6, 7}), 1e-5f);
}

TEST_CASE("an encoding without a device half is staged: the same images to the bit") {
  if (!has_device()) return;
  check_same_outcome(attack{staged{pixels{.crossover = 0.5f, .halve_every = 5}}, class_probability{}, elites}, blank({3, 6, 7}), 0);
  check_same_outcome(attack{staged{cppn{}}, class_probability{}, elites}, blank({3, 6, 7}), 0);
}

TEST_CASE("a gradient search climbs on a device as on the host") {
  if (!has_device()) return;
  check_same_outcome(attack{pixels{.levels = 0}, class_probability{}, gentle_ascent{}}, noisy({0, 1, 2, 3}), 2e-6f);
  check_same_outcome(attack{pixels{.levels = 0}, class_probability{}, gentle_ascent{.genotypes = 1}}, noisy({3, 3, 3}), 2e-6f);
  check_same_outcome(attack{pixels{.levels = 0}, cross_entropy{}, gentle_ascent{}}, noisy({4, 1, 0}), 2e-6f);
}

TEST_CASE("a staged gradient is pulled back on the host") {
  if (!has_device()) return;
  staged const e{pixels{}};
  auto const canvas = random_values<4>({6, 1, 2, 2}, 1);
  auto const start = on_device(canvas);
  auto const p = e.buffer(3, const_image_view<device_memory>(start.view()));
  auto dp = e.buffer(3, const_image_view<device_memory>(start.view()));
  e.pullback(p, const_image_view<device_memory>(start.view()), const_image_view<device_memory>(start.view()), dp);
  for (std::size_t j = 0; j < 12; ++j) CHECK(dp.genotypes.genes[j] == canvas.data()[j] + canvas.data()[12 + j]);
}

TEST_CASE("a sink stops a run on a device, and sees the time of the model") {
  if (!has_device()) return;
  attack const a{pixels{}, class_probability{}, elites};
  double seconds = 0;
  auto const stopped = run(a, device_model{}, blank({3, 6, 7}), rng(1), [&](step const& now) {
    CHECK(now.model_seconds > seconds);
    CHECK(now.model_seconds <= now.seconds);
    seconds = now.model_seconds;
    return now.where.step == 3 ? verdict::stop : verdict::go_on;
  });
  CHECK(stopped.steps == 4);
  CHECK_FALSE(stopped.complete);
}

TEST_CASE("a device model that answers with NaN is reported") {
  if (!has_device()) return;
  attack const a{pixels{}, class_probability{}, elites};
  CHECK_THROWS_WITH_AS(run(a, device_model{{.broken = 1}}, blank({3, 6, 7}), rng(1)),
                       doctest::Contains("the model gave a score that is not a finite number"), error);
}

namespace {
struct brightest {
  using result = float;
  float measure(device_model const&, const_image_view<device_memory> x, label_view labels) const {
    auto const images = on_host(x);
    return *std::max_element(images.begin(), images.end()) + static_cast<float>(labels[0]);
  }
};
}  // namespace

TEST_CASE("measure hands a probe the images in the memory of its model") {
  if (!has_device()) return;
  auto canvas = noisy({2});
  canvas.images(0, 0, 0, 0) = 1;
  CHECK(measure(brightest{}, device_model{}, canvas) == 3);
}

}  // namespace pareidolia_test
