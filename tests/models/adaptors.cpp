// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/adaptors.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/models/crops.hpp>
#include <pareidolia/objectives/class_probability.hpp>

#include <doctest/doctest.h>
#include <support/archetypes.hpp>
#include <support/small_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

// Scores that were given, whatever the image.
struct fixed {
  static constexpr space memory = host;
  struct workspace {};
  std::vector<float> scores;
  image_shape input() const { return {1, 1, 1}; }
  std::size_t classes() const { return scores.size(); }
  workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<host> x, score_view<host> y, workspace&) const {
    for (std::size_t i = 0; i < x.shape[0]; ++i) std::ranges::copy(scores, y.row(i).begin());
  }
};

}  // namespace

TEST_CASE("counted changes nothing and counts the images of each direction") {
  toy const net;
  counted const model{net};
  check_against(model, [&](doubles const& x) { return net.scores(x); });
  CHECK(model.forwards() == 3 + 1 + 4);
  CHECK(model.backwards() == 2 * (3 + 1 + 4));

  counted const again{net};
  outcome const found = climbed(again);
  CHECK(again.forwards() == found.forwards);
  CHECK(again.backwards() == found.backwards);
  CHECK(found.forwards == 2 * (1 + 3 + 1));
  CHECK(found.backwards == 2 * 3);
  CHECK(found.model == net.fingerprint());
  CHECK(found.scores == climbed(net).scores);
}

TEST_CASE("counted counts the images of all threads and none of a call that throws") {
  toy const net;
  counted const model{net};
  auto const images = noise(2, net.input(), 1);
  parallel_for(4, [&](std::size_t, std::size_t) {
    auto w = model.prepare(2);
    auto y = filled<float, 2>({2, 3});
    for (int k = 0; k < 500; ++k) model.forward(as_view(images), as_view(y), w);
  });
  CHECK(model.forwards() == 4 * 500 * 2);

  budgeted const nothing_left{net, 0};
  counted const refused{nothing_left};
  CHECK_THROWS_AS(climbed(refused), budget_spent);
  CHECK(refused.forwards() == 0);
}

TEST_CASE("budgeted passes a batch that spends the budget exactly and refuses the next image") {
  toy const net;
  counted const inner{net};
  budgeted const model{inner, 5};
  auto w = model.prepare(3);
  auto const images = noise(3, net.input(), 1);
  auto y = filled<float, 2>({3, 3});
  auto const pass = [&](std::size_t n) { model.forward(as_view(images).rows(0, n), as_view(y).rows(0, n), w); };
  pass(3);
  CHECK(model.left() == 2);
  CHECK_THROWS_AS(pass(3), budget_spent);
  CHECK(inner.forwards() == 3);
  CHECK(model.left() == 2);
  pass(2);
  CHECK(model.left() == 0);
  CHECK(inner.forwards() == 5);
  CHECK(message_of([&] { pass(1); }) ==
        "budgeted: a batch of 1 images, and the budget has 0 left; stop the search earlier or give a larger budget");
  CHECK(inner.forwards() == 5);

  auto dx = filled<float, 4>({2, 2, 3, 2});
  model.backward(as_view(y).rows(0, 2), as_view(dx), w);
  CHECK(inner.backwards() == 2);
}

TEST_CASE("budgeted lets a run through that needs exactly its budget and none that needs one image more") {
  toy const net;
  outcome const free = climbed(net);
  budgeted const enough{net, free.forwards};
  outcome const found = climbed(enough);
  CHECK(enough.left() == 0);
  CHECK(found.images == free.images);
  CHECK(found.model == net.fingerprint());
  budgeted const short_of_one{net, free.forwards - 1};
  CHECK_THROWS_AS(climbed(short_of_one), budget_spent);
  CHECK(short_of_one.left() == 1);
}

TEST_CASE("budgeted never spends more than its budget, whatever the threads") {
  fixed const net{{0, 1}};  // so quick that threads meet in the budget
  counted const inner{net};
  budgeted const model{inner, 5'000'001};
  auto const images = noise(2, net.input(), 1);
  parallel_for(4, [&](std::size_t, std::size_t) {
    auto w = model.prepare(2);
    auto y = filled<float, 2>({2, 2});
    try {
      while (true) model.forward(as_view(images), as_view(y), w);
    } catch (budget_spent const&) {
    }
  });
  CHECK(inner.forwards() == 5'000'000);
  CHECK(model.left() == 1);
}

TEST_CASE("ensemble has the mean of the probabilities") {
  // Probabilities (1/2, 1/2) and (1/4, 3/4) by hand.
  fixed const even{{2, 2}}, odd{{0, std::log(3.f)}};
  ensemble const model{even, odd};
  static_assert(!DifferentiableModel<std::remove_const_t<decltype(model)>>);
  tensor<float, 4> const images = filled<float, 4>({2, 1, 1, 1});
  auto y = filled<float, 2>({2, 2});
  auto w = model.prepare(2);
  model.forward(as_view(images), as_view(y), w);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(y(i, 0) == doctest::Approx(std::log(0.375)));
    CHECK(y(i, 1) == doctest::Approx(std::log(0.625)));
  }
}

TEST_CASE("ensemble has the scores and gradients of the logarithm of the mean of softmax vectors") {
  toy const a, b{.phase = 1}, c{.phase = 2};
  center_crop const crop_of_whole{c, 3, 2};
  ensemble const model{a, b, crop_of_whole};
  check_against(model, [&](doubles const& x) { return log_mean_of_softmaxes({a.scores(x), b.scores(x), c.scores(x)}); });
  ensemble const alone{a};
  check_against(alone, [&](doubles const& x) { return log_mean_of_softmaxes({a.scores(x)}); });

  outcome const found = climbed(model);
  CHECK(found.values[0] > 0);
  CHECK(found.model == model.fingerprint());
}

TEST_CASE("averaged has the scores and gradients of the mean probability of its noisy copies") {
  toy const net;
  counted const inner{net};
  constexpr std::size_t samples = 3;
  averaged const model{inner, .25f, samples, rng(4)};
  check_against(model, [&](doubles const& x) {
    std::vector<doubles> opinions;
    for (std::size_t r = 0; r < samples; ++r) {
      auto stream = rng(4).stream(r);
      doubles copy = x;
      for (double& v : copy) v += double{.25f * stream.normal()};
      opinions.push_back(net.scores(copy));
    }
    return log_mean_of_softmaxes(opinions);
  });
  CHECK(inner.forwards() == samples * (3 + 1 + 4));
  CHECK(inner.backwards() == samples * 2 * (3 + 1 + 4));

  averaged const still{net, 0, 2, rng(1)};
  check_against(still, [&](doubles const& x) { return log_mean_of_softmaxes({net.scores(x)}); });
  averaged const again{net, .25f, samples, rng(4)}, other{net, .25f, samples, rng(5)};
  CHECK(again.fingerprint() == model.fingerprint());
  CHECK(other.fingerprint() != model.fingerprint());
  CHECK(climbed(other).values[0] > 0);
}

TEST_CASE("averaged refuses no samples and a deviation that is none") {
  toy const net;
  CHECK(message_of([&] { averaged(net, 1, 0, rng(1)); }) == "averaged: 0 samples have no mean; give at least 1");
  CHECK(message_of([&] { averaged(net, -1, 1, rng(1)); }) == "averaged: the deviation is -1; it must be a number from 0");
  CHECK(message_of([&] { averaged(net, std::nanf(""), 1, rng(1)); }) == "averaged: the deviation is nan; it must be a number from 0");
}

TEST_CASE("adaptors that see an image differently have another fingerprint than their model") {
  toy const a, b{.phase = 1};
  center_crop const centre{a, 6, 5}, wider{a, 6, 6}, centre_of_b{b, 6, 5};
  ten_crop const ten{a, 6, 5};
  ensemble const both{a, b}, exchanged{b, a};
  std::vector<std::uint64_t> all{a.fingerprint(),           b.fingerprint(),   centre.fingerprint(), wider.fingerprint(),
                                 centre_of_b.fingerprint(), ten.fingerprint(), both.fingerprint(),   exchanged.fingerprint()};
  std::ranges::sort(all);
  CHECK(std::ranges::adjacent_find(all) == all.end());
}

TEST_CASE("ensembles that disagree about images or classes are refused") {
  toy const net, larger{.shape = {2, 4, 2}}, more{.count = 4};
  CHECK(message_of([&] { ensemble(net, net, larger); }) ==
        "ensemble: model 2 takes images of 2x4x2 (channels x height x width), model 0 of 2x3x2; put a center_crop or resized in front or "
        "leave it out");
  CHECK(message_of([&] { ensemble(net, more); }) == "ensemble: model 1 has 4 classes, model 0 has 3; give models of the same classes");
}

TEST_CASE("adaptors ask no more of a model than the contract and hold no temporaries") {
  using pareidolia_test::model, pareidolia_test::smooth_model, pareidolia_test::fingerprinted_model;
  static_assert(Model<counted<model<space::device>>> && Model<budgeted<model<space::device>>>);
  static_assert(DifferentiableModel<counted<smooth_model<space::device>>> && DifferentiableModel<budgeted<smooth_model<space::device>>>);
  static_assert(!DifferentiableModel<counted<model<host>>> && !DifferentiableModel<ensemble<smooth_model<host>, model<host>>>);
  static_assert(!FingerprintedModel<ten_crop<model<host>>> && FingerprintedModel<ten_crop<fingerprinted_model<host>>>);

  static_assert(!std::is_copy_constructible_v<counted<toy>> && !std::is_copy_constructible_v<budgeted<toy>>);
  static_assert(std::is_constructible_v<counted<toy>, toy&> && !std::is_constructible_v<counted<toy>, toy>);
  static_assert(!std::is_constructible_v<budgeted<toy>, toy, std::size_t> && !std::is_constructible_v<ensemble<toy, toy>, toy&, toy>);
  static_assert(!std::is_constructible_v<center_crop<toy>, toy const, std::size_t, std::size_t>);

  smooth_model<host> const net;
  fingerprinted_model<host> const named;
  counted const a{net};
  budgeted const b{a, 1000};
  center_crop const c{b, 4, 4};
  ten_crop const d{c, 5, 6};
  ensemble const e{d, d};
  CHECK(climbed(e).scores.shape()[1] == 3);
  ensemble const f{named, net};
  auto w = f.prepare(1);
  auto y = filled<float, 2>({1, 3});
  tensor<float, 4> const images = filled<float, 4>({1, 1, 2, 2});
  f.forward(as_view(images), as_view(y), w);
  CHECK(y(0, 2) == doctest::Approx(std::log(1 / 3.)));
}
