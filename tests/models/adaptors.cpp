// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/adaptors.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/objectives/class_probability.hpp>

#include <doctest/doctest.h>
#include <support/archetypes.hpp>

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
constexpr auto host = space::host;
using doubles = std::vector<double>;

// y_k = sum_j a_kj x_j + x_j^2 / 2 b_kj, in double: what the adaptors must give can be computed without them.
struct toy {
  static constexpr space memory = host;
  struct workspace {
    std::size_t room = 0;
    std::vector<float> x;
  };
  image_shape shape{2, 3, 2};
  std::size_t count = 3;
  double phase = 0;

  double a(std::size_t k, std::size_t j) const { return std::sin(static_cast<double>((k + 1) * (j + 2)) + phase); }
  double b(std::size_t k, std::size_t j) const { return 2 * std::cos(static_cast<double>((k + 2) * (j + 1)) - phase); }
  doubles scores(doubles const& x) const {
    doubles y(count, 0.0);
    for (std::size_t k = 0; k < count; ++k)
      for (std::size_t j = 0; j < x.size(); ++j) y[k] += a(k, j) * x[j] + x[j] * x[j] / 2 * b(k, j);
    return y;
  }

  image_shape input() const { return shape; }
  std::size_t classes() const { return count; }
  workspace prepare(std::size_t n) const { return {n, {}}; }
  void forward(const_image_view<host> x, score_view<host> y, workspace& w) const {
    REQUIRE(x.shape == std::array<std::size_t, 4>{x.shape[0], shape[0], shape[1], shape[2]});
    REQUIRE(x.shape[0] <= w.room);
    w.x.assign(x.data, x.data + x.size());
    for (std::size_t i = 0; i < x.shape[0]; ++i)
      std::ranges::transform(scores({x.row(i).begin(), x.row(i).end()}), y.row(i).begin(), [](double v) { return static_cast<float>(v); });
  }
  void backward(const_score_view<host> dy, image_view<host> dx, workspace& w) const {
    for (std::size_t i = 0; i < dx.shape[0]; ++i)
      for (std::size_t j = 0; j < dx.stride(); ++j) {
        double sum = 0;
        for (std::size_t k = 0; k < count; ++k) sum += (a(k, j) + b(k, j) * double{w.x[i * dx.stride() + j]}) * double{dy.row(i)[k]};
        dx.row(i)[j] = static_cast<float>(sum);
      }
  }
  std::uint64_t fingerprint() const { return 100 + static_cast<std::uint64_t>(phase); }
};

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

// Scores are the pixels.
struct pixels_model {
  static constexpr space memory = host;
  struct workspace {};
  image_shape shape;
  image_shape input() const { return shape; }
  std::size_t classes() const { return shape[0] * shape[1] * shape[2]; }
  workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<host> x, score_view<host> y, workspace&) const { std::copy_n(x.data, x.size(), y.data); }
  void backward(const_score_view<host> dy, image_view<host> dx, workspace&) const { std::copy_n(dy.data, dy.size(), dx.data); }
};

doubles log_mean_of_softmaxes(std::vector<doubles> const& opinions) {
  doubles mean(opinions[0].size(), 0.0);
  for (doubles const& s : opinions) {
    double sum = 0;
    for (double v : s) sum += std::exp(v);
    for (std::size_t k = 0; k < s.size(); ++k) mean[k] += std::exp(s[k]) / sum / static_cast<double>(opinions.size());
  }
  for (double& v : mean) v = std::log(v);
  return mean;
}

doubles crop_of(doubles const& x, image_shape const& image, image_shape const& cropped, std::size_t top, std::size_t left, bool mirrored) {
  doubles y;
  for (std::size_t c = 0; c < cropped[0]; ++c)
    for (std::size_t h = 0; h < cropped[1]; ++h)
      for (std::size_t w = 0; w < cropped[2]; ++w)
        y.push_back(x[(c * image[1] + top + h) * image[2] + left + (mirrored ? cropped[2] - 1 - w : w)]);
  return y;
}

tensor<float, 4> noise(std::size_t n, image_shape const& s, std::uint64_t seed) {
  auto x = filled<float, 4>({n, s[0], s[1], s[2]});
  auto stream = rng(seed).stream(0);
  for (float& v : x) v = stream.uniform();
  return x;
}

// Scores of a model and its gradients of sum_k (k + 1) y_k are those of `scores`, a function of one image in double, for batches of 3, 1
// and 4 through one workspace. Gradients by central differences.
template <class M, class Scores>
void check_against(M const& model, Scores const& scores) {
  static_assert(DifferentiableModel<M>);
  auto w = model.prepare(4);
  for (std::size_t n : {3u, 1u, 4u}) {
    CAPTURE(n);
    auto const images = noise(n, model.input(), n);
    auto const x = as_view(images);
    auto y = filled<float, 2>({n, model.classes()}), dy = y;
    auto dx = filled<float, 4>(x.shape, 77.f);
    model.forward(x, as_view(y), w);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < model.classes(); ++k) dy(i, k) = static_cast<float>(k + 1);
    for (int time = 0; time < 2; ++time) {  // a second backward gives the same
      model.backward(as_view(dy), as_view(dx), w);
      for (std::size_t i = 0; i < n; ++i) {
        doubles image(x.row(i).begin(), x.row(i).end());
        auto const loss = [&] {
          auto const s = scores(image);
          double sum = 0;
          for (std::size_t k = 0; k < s.size(); ++k) sum += static_cast<double>(k + 1) * s[k];
          return sum;
        };
        doubles const expected = scores(image);
        for (std::size_t k = 0; k < expected.size(); ++k) CHECK(std::abs(double{y(i, k)} - expected[k]) < 2e-6);
        for (std::size_t j = 0; j < image.size(); ++j) {
          CAPTURE(j);
          double const at = image[j], step = 1e-5;
          image[j] = at + step;
          double const above = loss();
          image[j] = at - step;
          double const below = loss();
          image[j] = at;
          CHECK(std::abs(double{as_view(dx).row(i)[j]} - (above - below) / (2 * step)) < 5e-6);
        }
      }
    }
  }
}

// Follows the gradient for 3 steps.
struct ascent {
  struct search {
    pixel_genes<host> p;
    std::size_t taken = 0;
    pixel_genes<host> const& ask() const { return p; }
    bool done() const { return taken == 3; }
    pixel_genes<host> const& best() const { return p; }
    standing where() const { return {taken, 3, {}}; }
    void tell(evaluation<host> const&, pixel_genes<host> const& dp) {
      for (std::size_t j = 0; j < p.genes.size(); ++j) p.genes[j] = std::clamp(p.genes[j] + dp.genes[j], 0.f, 1.f);
      ++taken;
    }
  };
  search start(pixels const& e, const_image_view<host> canvas, rng const&) const { return {e.buffer(canvas.shape[0], canvas)}; }
};

attack const climb{pixels{.levels = 0}, class_probability{}, ascent{}};

template <class M>
outcome climbed(M const& model, std::size_t n = 2) {
  return run(climb, model, {noise(n, model.input(), 5), std::vector<int>(n, 1)}, rng(1));
}

template <class M>
std::string message_of(M const& make) {
  try {
    make();
  } catch (error const& e) {
    return e.what();
  }
  return "nothing was thrown";
}

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

TEST_CASE("center_crop shows the centre, nearer to the top left where it cannot be in the middle") {
  pixels_model const net{{1, 2, 2}};
  center_crop const model{net, 5, 4};
  CHECK(model.input() == image_shape{1, 5, 4});
  CHECK(model.classes() == 4);
  auto images = filled<float, 4>({1, 1, 5, 4});
  for (std::size_t j = 0; j < 20; ++j) images.data()[j] = static_cast<float>(j);
  auto y = filled<float, 2>({1, 4});
  auto w = model.prepare(1);
  model.forward(as_view(std::as_const(images)), as_view(y), w);
  CHECK(y == tensor<float, 2>{{5, 6, 9, 10}});  // rows 1 and 2, columns 1 and 2

  model.backward(as_view(std::as_const(y)), as_view(images), w);
  CHECK(images == tensor<float, 4>{{{{0, 0, 0, 0}, {0, 5, 6, 0}, {0, 9, 10, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}}});
}

TEST_CASE("center_crop has the scores and gradients of the crop") {
  toy const net;
  center_crop const model{net, 6, 5};
  check_against(model, [&](doubles const& x) { return net.scores(crop_of(x, {2, 6, 5}, net.shape, 1, 1, false)); });
  center_crop const whole{net, 3, 2};
  check_against(whole, [&](doubles const& x) { return net.scores(x); });
  outcome const found = climbed(model);
  CHECK(found.values[0] > 0);
  CHECK(found.images.shape()[2] == 6);
  CHECK(found.model == model.fingerprint());
}

TEST_CASE("ten_crop shows four corners and the centre, each also mirrored, in one batch") {
  struct recording : pixels_model {
    std::vector<float>* seen;
    void forward(const_image_view<host> x, score_view<host> y, workspace& w) const {
      REQUIRE(x.shape[0] == 10);
      seen->assign(x.data, x.data + x.size());
      pixels_model::forward(x, y, w);
    }
  };
  std::vector<float> seen;
  recording const net{{{1, 1, 2}}, &seen};
  ten_crop const model{net, 3, 5};
  auto images = filled<float, 4>({1, 1, 3, 5});
  for (std::size_t j = 0; j < 15; ++j) images.data()[j] = static_cast<float>(j);
  auto y = filled<float, 2>({1, 2});
  auto w = model.prepare(1);
  model.forward(as_view(std::as_const(images)), as_view(y), w);
  CHECK(seen == std::vector<float>{0, 1, 3, 4, 10, 11, 13, 14, 6, 7, 1, 0, 4, 3, 11, 10, 14, 13, 7, 6});
  // Each crop and its mirror image together have a mean probability of 1/2.
  CHECK(y(0, 0) == doctest::Approx(std::log(0.5)));
  CHECK(y(0, 1) == doctest::Approx(std::log(0.5)));
}

TEST_CASE("ten_crop has the scores and gradients of the logarithm of the mean of ten softmax vectors") {
  toy const net;
  counted const inner{net};
  ten_crop const model{inner, 6, 5};
  image_shape const image{2, 6, 5};
  CHECK(model.input() == image);
  check_against(model, [&](doubles const& x) {
    std::vector<doubles> opinions;
    for (bool mirrored : {false, true})
      for (auto const& [top, left] : {std::pair{0u, 0u}, {0u, 3u}, {3u, 0u}, {3u, 3u}, {1u, 1u}})
        opinions.push_back(net.scores(crop_of(x, image, net.shape, top, left, mirrored)));
    return log_mean_of_softmaxes(opinions);
  });
  CHECK(inner.forwards() == 10 * (3 + 1 + 4));
  CHECK(inner.backwards() == 10 * 2 * (3 + 1 + 4));

  counted const spent{net};
  ten_crop const judge{spent, 4, 4};
  outcome const found = climbed(judge);
  CHECK(spent.forwards() == 10 * found.forwards);
  CHECK(found.values[0] > 0);
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

TEST_CASE("crops larger than the image are refused") {
  toy const net;
  CHECK(message_of([&] { center_crop(net, 2, 9); }) ==
        "center_crop: images of 2x9 (height x width) are smaller than the 3x2 crops that the model wants; give larger images");
  CHECK(message_of([&] { ten_crop(net, 9, 1); }) ==
        "ten_crop: images of 9x1 (height x width) are smaller than the 3x2 crops that the model wants; give larger images");
}

TEST_CASE("ensembles that disagree about images or classes are refused") {
  toy const net, larger{.shape = {2, 4, 2}}, more{.count = 4};
  CHECK(
      message_of([&] { ensemble(net, net, larger); }) ==
      "ensemble: model 2 takes images of 2x4x2 (channels x height x width), model 0 of 2x3x2; put a center_crop in front or leave it out");
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
