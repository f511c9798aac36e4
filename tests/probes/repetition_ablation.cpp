// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/repetition_ablation.hpp>

#include <pareidolia/attack.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/files.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

using namespace pareidolia;
using pareidolia_test::contains;
using pareidolia_test::error_of;

namespace {

constexpr std::size_t side = 96;

// y_1 = sum of the pixels above 1/2 in the red channel / 100 - 3, y_0 = 0.
struct counts_light {
  static constexpr space memory = space::host;
  struct workspace {};
  [[nodiscard]] image_shape input() const { return {3, side, side}; }
  [[nodiscard]] std::size_t classes() const { return 2; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace&) const {
    for (std::size_t i = 0; i < x.shape[0]; ++i) {
      auto const red = x.row(i).first(side * side);
      y.row(i)[0] = 0;
      y.row(i)[1] = static_cast<float>(std::ranges::count_if(red, [](float v) { return v > .5f; })) / 100 - 3;
    }
  }
};

// Red discs of radius 6 at six places on blue; a plain image; a ramp.
std::size_t const discs[][2] = {{12, 14}, {12, 50}, {16, 82}, {50, 30}, {70, 60}, {80, 14}};
labelled_images images() {
  labelled_images result{filled<float, 4>({3, 3, side, side}), {}};
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) {
      result.images(0, 2, y, x) = .75f;
      for (auto const& [cy, cx] : discs) {
        auto const dy = static_cast<double>(y) - static_cast<double>(cy), dx = static_cast<double>(x) - static_cast<double>(cx);
        if (dy * dy + dx * dx < 36) result.images(0, 0, y, x) = 1;
      }
      result.images(1, 1, y, x) = .3f;
      result.images(2, 0, y, x) = static_cast<float>(x * y) / (side * side);
    }
  return result;
}

}  // namespace

TEST_CASE("elements that are alike are found, each once and whole, and are painted in the colour around them") {
  auto const found = measure(repetition_ablation{}, counts_light{}, images());
  REQUIRE(found.images.size() == 3);
  auto const& a = found.images[0];
  REQUIRE(a.elements.size() == 6);
  for (auto const& [cy, cx] : discs) {
    auto const holds = [&, y = cy, x = cx](patch_window const& w) {
      return w.top <= y - 4 && y + 4 < w.top + w.height && w.left <= x - 4 && x + 4 < w.left + w.width;
    };
    CHECK(std::ranges::count_if(a.elements, holds) == 1);
  }
  for (std::size_t k = 0; k < 6; ++k) {
    CHECK(a.colours(k, 0) == 0);
    CHECK(a.colours(k, 1) == 0);
    CHECK(a.colours(k, 2) == .75f);
  }
  CHECK(found.images[1].elements.empty());
  CHECK(found.repetitive() == std::vector<std::size_t>{0});
}

TEST_CASE("confidence is what the model says after each removal") {
  auto const all = images();
  auto const found = measure(repetition_ablation{.batch = 3}, counts_light{}, labelled_images{all.images, {1, 1, 0}});
  auto const& a = found.images[0];
  REQUIRE(a.confidence.size() == 7);
  std::vector<float> picture(as_view(all.images).row(0).begin(), as_view(all.images).row(0).end());
  for (std::size_t k = 0; k <= 6; ++k) {
    auto left = picture;
    a.remove(k, {3, side, side}, left);
    auto const light = std::count_if(left.begin(), left.begin() + side * side, [](float v) { return v > .5f; });
    CHECK(a.confidence[k] == doctest::Approx(1 / (1 + std::exp(3 - static_cast<double>(light) / 100))).epsilon(1e-5));
    CHECK(a.labels[k] == (light > 300));
    if (k > 0) CHECK(a.confidence[k] < a.confidence[k - 1]);
  }
  CHECK(a.after(0) == double{a.confidence[0]});
  CHECK(a.after(.5) == double{a.confidence[3]});
  CHECK(a.after(.99) == double{a.confidence[5]});
  CHECK(a.after(1) == double{a.confidence[6]});
  CHECK(found.classes == std::vector<int>{1, 1, 0});
  std::size_t elements = 0;
  for (auto const& one : found.images) elements += one.elements.size();
  CHECK(found.forwards == 3 + elements);
}

TEST_CASE("without labels the class is what the model sees, and the batch changes nothing") {
  auto const one = measure(repetition_ablation{.batch = 1}, counts_light{}, images());
  auto const many = measure(repetition_ablation{}, counts_light{}, images());
  CHECK(one.classes == std::vector<int>{1, 0, 1});
  CHECK(one.images[0].elements == many.images[0].elements);
  CHECK(one.images[0].confidence == many.images[0].confidence);
}

TEST_CASE("stripes are taken apart into pieces that cover them and do not meet") {
  labelled_images stripes{filled<float, 4>({1, 3, side, side}), {}};
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) stripes.images(0, 0, y, x) = (x / 8) % 2 == 0 ? .9f : .1f;
  auto const found = measure(repetition_ablation{}, counts_light{}, stripes);
  auto const& elements = found.images[0].elements;
  REQUIRE(elements.size() > 8);
  std::size_t covered = 0;
  for (std::size_t a = 0; a < elements.size(); ++a) {
    covered += elements[a].height * elements[a].width;
    for (std::size_t b = 0; b < a; ++b) {
      auto const &p = elements[a], &q = elements[b];
      bool const meet = p.top < q.top + q.height && q.top < p.top + p.height && p.left < q.left + q.width && q.left < p.left + p.width;
      CHECK_FALSE(meet);
    }
  }
  CHECK(static_cast<double>(covered) > .75 * side * side);
}

TEST_CASE("of an outcome the class is the one that was to be reached, or what an untargeted attack made of it") {
  outcome found;
  found.images = images().images;
  found.values = {0, 0, 0};
  found.targets = {1, 1, 0};
  found.labels = {1, 0, 1};
  found.success = {1, 0, 1};  // reached, not reached, left
  CHECK(measure(repetition_ablation{}, counts_light{}, found).classes == std::vector<int>{1, 1, 1});
}

TEST_CASE("figures and arrays count the images with repeated elements") {
  auto const found = measure(repetition_ablation{}, counts_light{}, labelled_images{images().images, {1, 1, 1}});
  auto const f = found.figures();
  CHECK(f[0] == named_figure{"images", 3});
  CHECK(f[1] == named_figure{"with repeated elements", 1});
  CHECK(f[2] == named_figure{"median elements", 6});
  CHECK(f[3].second == double{found.images[0].confidence[0]});
  CHECK(f[5].second == double{found.images[0].confidence[5]});
  auto const arrays = found.arrays("ablation.");
  CHECK(arrays[0].name == "ablation.confidence");
  CHECK(arrays[0].shape == std::vector<std::size_t>{3, 7});
  CHECK(arrays[0].values[6] == found.images[0].confidence[6]);
  CHECK(std::isnan(arrays[0].values[8]));
  CHECK(arrays[1].shape == std::vector<std::size_t>{6, 5});
}

TEST_CASE("options out of range and images that are too small are one sentence each") {
  auto const fails = [](repetition_ablation const& probe) { return error_of([&] { (void)measure(probe, counts_light{}, images()); }); };
  CHECK(contains(fails({.similarity = 0}), "similarity is 0; give a value in (0, 1]"));
  CHECK(contains(fails({.contrast = 0}), "contrast is 0"));
  CHECK(contains(fails({.smallest = .4f}), "elements from 0.4 to 0.333"));
  CHECK(contains(fails({.batch = 0}), "batch is 0"));
  auto const tiny = pareidolia_test::random_planes(2, {1, 7, 9}, 1);
  CHECK(contains(error_of([&] { (void)measure(repetition_ablation{}, tiny, pareidolia_test::random_images(tiny, 1, 1)); }),
                 "images of 7x9 have no room for elements"));
}
