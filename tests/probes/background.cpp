// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/background.hpp>

#include <doctest/doctest.h>

#include <support/small_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

constexpr image_shape shape{2, 5, 8};

std::vector<float> filled_with(background const& b, std::span<float const> image, std::uint64_t id = 0) {
  std::vector<float> out(image.size(), -1);
  b.fill(image, out, shape, id);
  return out;
}

}  // namespace

TEST_CASE("grey and black backgrounds are one colour, and one canvas for all images") {
  auto const images = noise(3, shape, 1);
  for (auto const& [kind, value] : {std::pair{background_kind::grey, .5f}, std::pair{background_kind::black, 0.f}}) {
    auto const out = background{.kind = kind}.canvases(as_view(images));
    CHECK(out.shape()[0] == 1);
    CHECK(out.size() == 80);
    CHECK(std::ranges::count(out, value) == 80);
  }
}

TEST_CASE("the mean colour is that of each channel of each image") {
  auto images = noise(2, shape, 1);
  for (std::size_t j = 0; j < 40; ++j) as_view(images).row(1)[j] = j < 10 ? 1.f : 0.f, as_view(images).row(1)[40 + j] = .75f;
  auto const out = background{}.canvases(as_view(images));
  CHECK(out.shape()[0] == 2);
  auto const second = as_view(out).row(1);
  CHECK(std::ranges::count(second.first(40), .25f) == 40);
  CHECK(std::ranges::count(second.last(40), .75f) == 40);
  double sum = 0;
  for (float v : as_view(images).row(0).first(40)) sum += double{v};
  CHECK(double{as_view(out).row(0)[7]} == doctest::Approx(sum / 40));
}

TEST_CASE("a blurred background is the image under a Gaussian whose sigma is a share of the shorter side") {
  std::vector<float> image(80);
  image[2 * 8 + 4] = 1;  // a point on the first channel
  auto const out = filled_with({.kind = background_kind::blurred, .sigma = .2f}, image);
  std::vector<double> w;  // sigma is 0.2 * 5 pixels = 1; the mirror images of the point are too far away to be seen from it
  for (int k = 0; k <= 4; ++k) w.push_back(std::exp(-.5 * k * k));
  double const sum = w[0] + 2 * (w[1] + w[2] + w[3] + w[4]);
  CHECK(double{out[2 * 8 + 4]} == doctest::Approx(w[0] * w[0] / sum / sum));
  CHECK(double{out[1 * 8 + 6]} == doctest::Approx(w[1] * w[2] / sum / sum));
  CHECK(double{std::accumulate(out.begin(), out.begin() + 40, 0.f)} == doctest::Approx(1));
  CHECK(std::ranges::count(std::span(out).last(40), 0.f) == 40);
  for (float v : filled_with({.kind = background_kind::blurred, .sigma = 3}, std::vector<float>(80, 1.f))) {
    CHECK(v > .999999f);
    CHECK(v <= 1);
  }
}

TEST_CASE("noise depends on the seed and the number of the image alone") {
  auto const images = noise(3, shape, 1), others = noise(3, shape, 2);
  background const b{.kind = background_kind::noise, .random = rng{5}};
  auto const out = b.canvases(as_view(images));
  CHECK(out == b.canvases(as_view(others)));
  CHECK(out != background{.kind = background_kind::noise, .random = rng{6}}.canvases(as_view(images)));
  CHECK(std::ranges::equal(as_view(out).row(2), filled_with(b, as_view(images).row(0), 2)));
  CHECK(!std::ranges::equal(as_view(out).row(2), as_view(out).row(1)));
  CHECK(std::ranges::all_of(out, [](float v) { return v >= 0 && v < 1; }));
  CHECK(*std::ranges::max_element(out) > .95f);
  CHECK(*std::ranges::min_element(out) < .05f);
}

TEST_CASE("backgrounds that cannot be made are refused") {
  auto const images = noise(1, shape, 1);
  CHECK_THROWS_WITH_AS(static_cast<void>(background{.kind = background_kind::noise}.canvases(as_view(images))),
                       "background: noise is drawn at random; give it an rng", error);
  CHECK_THROWS_WITH_AS(static_cast<void>(background{.kind = background_kind::blurred, .sigma = 0}.canvases(as_view(images))),
                       "background: sigma is 0; give a share of the image's side, in (0, 10]", error);
}
