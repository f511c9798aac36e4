// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/transfer_matrix.hpp>

#include <pareidolia/models/adaptors.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/files.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

using namespace pareidolia;
using pareidolia_test::contains;
using pareidolia_test::error_of;
using pareidolia_test::plane_model;

namespace {

// Two classes by the first pixel: y_1 - y_0 = slope (x - 1/2).
plane_model by_first_pixel(double slope) { return {.shape = {1, 1, 2}, .w = {{0, 0}, {slope, 0}}, .b = {0, -slope / 2}}; }

// Images of class 1 with these first pixels.
outcome found(std::vector<float> const& pixels) {
  outcome o;
  o.images = filled<float, 4>({pixels.size(), 1, 1, 2});
  for (std::size_t i = 0; i < pixels.size(); ++i) o.images(i, 0, 0, 0) = pixels[i];
  o.scores = filled<float, 2>({pixels.size(), 2});
  o.values.resize(pixels.size());
  o.targets.assign(pixels.size(), 1);
  for (float const p : pixels) o.labels.push_back(p > .5f), o.success.push_back(p > .5f);
  return o;
}

double logistic(double v) { return 1 / (1 + std::exp(-v)); }

}  // namespace

TEST_CASE("images of each model are scored on each") {
  auto const steep = by_first_pixel(20), flat = by_first_pixel(2), turned = by_first_pixel(-20);
  auto const a = found({1, .9f, .5f}), b = found({.75f}), c = found({1, 0});
  auto const r = transfer_matrix{.threshold = .7f, .batch = 2}.measure(evolved{"steep", steep, a}, evolved{"flat", flat, b},
                                                                       evolved{"turned", turned, c});
  CHECK(r.names == std::vector<std::string>{"steep", "flat", "turned"});
  CHECK(r.confidence[0][0][1] == doctest::Approx(logistic(8)).epsilon(1e-5));
  CHECK(r.confidence[0][1][1] == doctest::Approx(logistic(.8)).epsilon(1e-5));
  CHECK(r.confidence[1][0][0] == doctest::Approx(logistic(5)).epsilon(1e-5));
  CHECK(r.mean(0, 1) == doctest::Approx((logistic(1) + logistic(.8) + .5) / 3).epsilon(1e-5));
  CHECK(r.median(0, 1) == doctest::Approx(logistic(.8)).epsilon(1e-5));
  CHECK(r.both(0, 0) == doctest::Approx(2 / 3.));
  CHECK(r.own_only(0, 0) == 0);
  CHECK(r.both(0, 1) == doctest::Approx(1 / 3.));  // logistic(1) is .73, logistic(.8) .69
  CHECK(r.own_only(0, 1) == doctest::Approx(1 / 3.));
  CHECK(r.own_only(0, 2) == doctest::Approx(2 / 3.));
  CHECK(r.both(1, 0) == 0);  // it does not convince its own
  CHECK(r.seen[0][1] == doctest::Approx(2 / 3.));
  CHECK(r.seen[2][0] == doctest::Approx(1 / 2.));
}

TEST_CASE("models may have different types, and as many as there are of one") {
  auto const steep = by_first_pixel(20), flat = by_first_pixel(2);
  counted const watched{flat};
  auto const a = found({1, .9f, .5f}), b = found({.75f});
  auto const mixed = transfer_matrix{}.measure(evolved{"steep", steep, a}, evolved{"flat", watched, b});
  std::vector<evolved<plane_model>> const all{{"steep", steep, a}, {"flat", flat, b}};
  auto const same = transfer_matrix{}.measure(std::span<evolved<plane_model> const>(all));
  CHECK(mixed.confidence == same.confidence);
  CHECK(mixed.seen == same.seen);
}

TEST_CASE("a model of other sizes is shown images resized") {
  auto const small = by_first_pixel(20);
  auto large = by_first_pixel(20);
  large.shape = {1, 2, 4};
  for (auto& w : large.w) w.resize(8);
  auto const a = found({.9f});
  outcome b = found({.9f});
  b.images = filled<float, 4>({1, 1, 2, 4}, .75f);
  auto const r = transfer_matrix{}.measure(evolved{"small", small, a}, evolved{"large", large, b});
  CHECK(r.confidence[0][1][0] == doctest::Approx(logistic(8)).epsilon(1e-5));
  CHECK(r.confidence[1][0][0] == doctest::Approx(logistic(5)).epsilon(1e-5));
}

TEST_CASE("figures and arrays name pairs of models") {
  auto const steep = by_first_pixel(20), flat = by_first_pixel(2);
  auto const a = found({1, .9f, .5f}), b = found({.75f});
  auto const r = transfer_matrix{}.measure(evolved{"steep", steep, a}, evolved{"flat", flat, b});
  auto const f = r.figures();
  REQUIRE(f.size() == 12);
  CHECK(f[3].first == "steep on flat, mean");
  CHECK(f[3].second == r.mean(0, 1));
  CHECK(f[5].first == "steep on flat, own only");
  auto const arrays = r.arrays("transfer.");
  REQUIRE(arrays.size() == 4);
  CHECK(arrays[1].name == "transfer.0_on_1");
  CHECK(arrays[1].values == r.confidence[0][1]);
}

TEST_CASE("models of other images or classes, and outcomes without images, are one sentence each") {
  auto const steep = by_first_pixel(20);
  auto const coloured = pareidolia_test::random_planes(2, {2, 1, 2}, 1), more = pareidolia_test::random_planes(3, {1, 1, 2}, 1);
  auto const a = found({1}), none = found({});
  auto const fails = [&](auto const& model, outcome const& o, transfer_matrix const& probe = {}) {
    return error_of([&] { (void)probe.measure(evolved{"steep", steep, a}, evolved{"other", model, o}); });
  };
  CHECK(contains(fails(coloured, a), "images of steep have 1 channels, other takes 2"));
  CHECK(contains(fails(more, a), "images of steep were found for 2 classes, other has 3"));
  CHECK(contains(fails(steep, none), "nothing was found for other"));
  CHECK(contains(fails(steep, a, {.batch = 0}), "batch is 0"));
}
