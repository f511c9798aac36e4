// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/cumulative_response.hpp>

#include <pareidolia/attack.hpp>

#include <doctest/doctest.h>

#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>
#include <support/small_models.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <set>
#include <string>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

constexpr auto best = pasting_order::best_first, worst = pasting_order::worst_first, blind = pasting_order::random;

/// White images on which a copy in one of four places adds 1, -2, 3 or -.5.
plane_model const quarters = [] {
  plane_model m{.shape = {1, 4, 4}, .w = {std::vector<double>(16), std::vector<double>(16)}, .b = {0, 0}};
  m.w[1][0] = 1;
  m.w[1][3] = -2;
  m.w[1][12] = 3;
  m.w[1][15] = -.5;
  return m;
}();
labelled_images const white{filled<float, 4>({2, 1, 4, 4}, 1.f), {1, 1}};

std::vector<std::size_t> places(cumulative_response::result const& found, std::size_t i, pasting_order order) {
  auto const* const first = &found.places(i, static_cast<std::size_t>(order), 0);
  return {first, first + found.pasted(i, static_cast<std::size_t>(order))};
}

}  // namespace

TEST_CASE("copies are pasted by falling gain, by rising gain and blindly") {
  cumulative_response const probe{.random = rng{1}, .size = 2, .stride = 2, .local_stride = 2, .where = on_black, .copies = 4};
  auto const found = measure(probe, quarters, white);
  CHECK(places(found, 0, best) == std::vector<std::size_t>{2, 0, 3, 1});
  CHECK(places(found, 0, worst) == std::vector<std::size_t>{1, 3, 0, 2});
  std::vector<double> const score{1, -2, 3, -.5};
  for (std::size_t i = 0; i < 2; ++i)
    for (auto const order : {best, worst, blind}) {
      auto const where = places(found, i, order);
      CHECK(std::set(where.begin(), where.end()).size() == 4);
      double sum = 0;
      auto const curve = found.curve(i, order);
      REQUIRE(curve.size() == 5);
      CHECK(double{curve[0]} == doctest::Approx(-std::log10(2)));
      for (std::size_t s = 0; s < 4; ++s) {
        sum += score[where[s]];
        CHECK(double{curve[s + 1]} == doctest::Approx(log10_sigmoid(sum)).epsilon(1e-6));
      }
      CHECK(found.decades(i, order) == doctest::Approx(log10_sigmoid(1.5) + std::log10(2)).epsilon(1e-6));
    }
  CHECK(found.forwards == 2 * (1 + 4 + 1 + 4 + 1 + 3 * 3));
}

TEST_CASE("of equal gains the first place comes first, and the random order is the image's own") {
  plane_model flat{.shape = {1, 16, 16}, .w = {std::vector<double>(256), std::vector<double>(256, .1)}, .b = {0, 0}};
  labelled_images const images{filled<float, 4>({3, 1, 16, 16}, 1.f), {1, 1, 1}};
  cumulative_response probe{.random = rng{1}, .size = 4, .stride = 4, .local_stride = 4, .where = on_black, .copies = 16};
  auto const found = measure(probe, flat, images);
  std::vector<std::size_t> in_order(16);
  std::iota(in_order.begin(), in_order.end(), std::size_t{0});
  CHECK(places(found, 0, best) == in_order);
  CHECK(places(found, 2, worst) == in_order);
  CHECK(places(found, 0, blind) != in_order);
  CHECK(places(found, 0, blind) != places(found, 1, blind));
  CHECK(places(measure(probe, flat, images), 1, blind) == places(found, 1, blind));
  probe.random = rng{2};
  CHECK(places(measure(probe, flat, images), 1, blind) != places(found, 1, blind));
}

TEST_CASE("copies keep clear of each other unless they may overlap, and where no room is left the curve stays") {
  auto const m = two_classes(7, .8, 1);
  auto const images = of_class_1(m, 4, 2);
  cumulative_response probe{.random = rng{3}, .size = 3, .stride = 1, .local_stride = 1, .where = on_black, .copies = 6};
  auto const apart = measure(probe, m, images);
  for (std::size_t i = 0; i < 4; ++i)
    for (auto const order : {best, worst, blind}) {
      auto const where = places(apart, i, order);
      CHECK(where.size() >= 1);
      CHECK(where.size() <= 4);  // 7 x 7 pixels have room for four
      double sum = 0;
      auto const curve = apart.curve(i, order);
      for (std::size_t s = 0; s < 6; ++s) {
        if (s < where.size()) {
          auto const a = apart.grid(where[s]);
          sum += score_of(m, as_view(images.images).row(i), apart.chosen[i], a);
          for (std::size_t t = 0; t < s; ++t) {
            auto const b = apart.grid(where[t]);
            CHECK((a.top + 3 <= b.top || b.top + 3 <= a.top || a.left + 3 <= b.left || b.left + 3 <= a.left));
          }
        }
        CHECK(double{curve[s + 1]} == doctest::Approx(log10_sigmoid(sum)).epsilon(1e-5));
      }
    }
  probe.overlap = true;
  auto const piled = measure(probe, m, images);
  for (std::size_t i = 0; i < 4; ++i) {
    auto const where = places(piled, i, best);
    CHECK(where.size() == 6);
    CHECK(where[0] == places(apart, i, best)[0]);
    CHECK(piled.curve(i, best)[1] == apart.curve(i, best)[1]);
    for (std::size_t s = 1; s < 6; ++s) {  // by their gains alone
      auto const alone = [&](std::size_t k) { return score_of(m, as_view(images.images).row(i), piled.chosen[i], piled.grid(k)); };
      CHECK(alone(where[s]) <= alone(where[s - 1]) + 1e-6);
    }
  }
}

TEST_CASE("quantiles over images are taken after each copy") {
  cumulative_response::result found{.grid = window_grid({1, 4, 4}, 2, 2),
                                    .curves = filled<float, 3>({3, 3, 2}),
                                    .pasted = filled<std::size_t, 2>({3, 3}, 1),
                                    .places = filled<std::size_t, 3>({3, 3, 1}),
                                    .chosen = {},
                                    .classes = {0, 0, 0},
                                    .whole = {}};
  for (std::size_t i = 0; i < 3; ++i) {
    found.curves(i, 1, 0) = static_cast<float>(i) * static_cast<float>(i);
    found.curves(i, 1, 1) = -static_cast<float>(i);
  }
  CHECK(found.quantile(worst, .5) == std::vector<double>{1, -1});
  CHECK(found.quantile(worst, .25) == std::vector<double>{.5, -1.5});
  CHECK(found.quantile(worst, 1) == std::vector<double>{4, 0});
  CHECK(found.quantile(best, .5) == std::vector<double>{0, 0});
  auto const figures = found.figures();
  REQUIRE(figures.size() == 6);
  CHECK(figures[2] == named_figure{"median decades added, worst first", -2});
  CHECK(figures[3] == named_figure{"share raised, worst first", 0});
  CHECK(figures[4].first == "median decades added, random");
  auto const arrays = found.arrays("sum/");
  CHECK(arrays[0].name == "sum/curves");
  CHECK(arrays[1].name == "sum/pasted");
  CHECK(arrays[1].values == std::vector<float>(9, 1));
}

TEST_CASE("curves do not depend on batches or threads") {
  auto const m = two_classes(7, .8, 5);
  auto const images = of_class_1(m, 5, 6);
  cumulative_response probe{.random = rng{4}, .size = 2, .stride = 1, .local_stride = 1, .copies = 5};
  auto const reference = measure(probe, m, images);
  for (std::size_t batch : {1u, 7u, 64u}) {
    probe.batch = batch;
    auto const [one, three] = with_threads([&] { return measure(probe, m, images); });
    for (auto const& found : {one, three}) {
      CHECK(found.curves == reference.curves);
      CHECK(found.places == reference.places);
      CHECK(found.forwards == reference.forwards);
    }
  }
}

TEST_CASE("copies are needed") {
  CHECK(message_of([] { static_cast<void>(measure(cumulative_response{.random = rng{1}, .size = 2, .copies = 0}, quarters, white)); }) ==
        "cumulative_response: copies is 0; give at least 1");
}

TEST_CASE("data: copies of a part of a digit add up") {
  auto const lenet = trained_lenet();
  auto const digits = known_digits(lenet, 60);
  auto const found = measure(cumulative_response{.random = rng{1}, .size = 8, .stride = 2, .local_stride = 2, .copies = 4}, lenet, digits);
  for (auto const& [name, value] : found.figures()) MESSAGE(name << ": " << value);
  auto const up = found.quantile(best, .5), down = found.quantile(worst, .5), by_chance = found.quantile(blind, .5);
  CHECK(up.back() > up.front() + .5);
  CHECK(down.back() < down.front() - 1);
  CHECK(by_chance.back() < up.back());
  CHECK(by_chance.back() > down.back());
}
