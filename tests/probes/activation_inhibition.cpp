// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/activation_inhibition.hpp>

#include <pareidolia/attack.hpp>

#include <doctest/doctest.h>

#include <support/lenet_task.hpp>
#include <support/patch_probes.hpp>
#include <support/small_models.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

constexpr patch_window all_of(std::size_t side) { return {0, 0, 0, side, side}; }

}  // namespace

TEST_CASE("the gain of a place is what the patch adds to its base") {
  auto const m = two_classes(7, .8, 1);
  auto const images = of_class_1(m, 4, 2), others = of_class_1(m, 4, 3);
  labelled_images const other{noise(1, m.shape, 4), {}};
  for (auto const& probe :
       {activation_inhibition{.size = 3, .stride = 2, .local_stride = 2, .where = on_black},
        activation_inhibition{.size = 3, .stride = 2, .local_stride = 2, .where = on_black, .base = base_kind::image},
        activation_inhibition{
            .size = 3, .stride = 2, .local_stride = 2, .where = on_black, .base = base_kind::others, .others = others.images},
        activation_inhibition{
            .size = 3, .stride = 2, .local_stride = 2, .where = on_black, .base = base_kind::others, .others = other.images}}) {
    auto const found = measure(probe, m, images);
    for (std::size_t i = 0; i < 4; ++i) {
      auto const image = as_view(images.images).row(i);
      std::vector<float> base(49);
      if (probe.base == base_kind::image) base.assign(image.begin(), image.end());
      if (probe.base == base_kind::others) {
        auto const row = as_view(probe.others).row(i % probe.others.shape()[0]);
        base.assign(row.begin(), row.end());
      }
      double const alone = score_of(m, base, all_of(7), all_of(7));
      CHECK(found.base[i] == doctest::Approx(log_sigmoid(alone)).epsilon(1e-5));
      std::size_t activators = 0, inhibitors = 0;
      for (std::size_t k = 0; k < 9; ++k) {
        double const gain = log_sigmoid(alone + score_of(m, image, found.chosen[i], found.gain.grid(k), base)) - log_sigmoid(alone);
        CHECK(std::abs(double{found.gain.of(i)[k]} - gain) < 1e-6);
        activators += gain > .1;
        inhibitors += gain < -.1;
      }
      CHECK(found.activators(i) == activators);
      CHECK(found.inhibitors(i) == inhibitors);
    }
    CHECK(found.share_of_activators() > 0);
    CHECK(found.share_of_inhibitors() > 0);
    CHECK(found.forwards == 4 * (1 + 9 + 1 + 9 + 1));
  }
}

TEST_CASE("activators and inhibitors are beyond the threshold, whichever it is") {
  // One place adds 2, one takes 2, the others do nothing.
  plane_model m{.shape = {1, 4, 4}, .w = {std::vector<double>(16), std::vector<double>(16)}, .b = {0, 0}};
  m.w[1][0] = 2;
  m.w[1][15] = -2;
  labelled_images const images{filled<float, 4>({2, 1, 4, 4}, 1.f), {1, 0}};
  activation_inhibition probe{.size = 2, .stride = 2, .local_stride = 2, .where = on_black};
  auto const found = measure(probe, m, images);
  double const up = log_sigmoid(2) + std::log(2), down = log_sigmoid(-2) + std::log(2);
  CHECK(double{found.gain.values(0, 0, 0)} == doctest::Approx(up));
  CHECK(double{found.gain.values(0, 1, 1)} == doctest::Approx(down));
  CHECK(found.gain.values(0, 0, 1) == 0);
  CHECK(double{found.gain.values(1, 0, 0)} == doctest::Approx(down));  // which lowers the other class
  CHECK(found.activators(1) == 1);
  CHECK(found.share_of_activators() == .25);
  CHECK(found.share_of_inhibitors() == .25);
  CHECK(found.share_with_both() == 1);
  auto const figures = found.figures();
  REQUIRE(figures.size() == 3);
  CHECK(figures[0] == named_figure{"share of activators", .25});
  CHECK(figures[1] == named_figure{"share of inhibitors", .25});
  CHECK(figures[2] == named_figure{"share of images with both", 1});
  probe.threshold = (up - down) / 2;  // between the two
  auto const fewer = measure(probe, m, images);
  CHECK(fewer.activators(0) == 0);
  CHECK(fewer.inhibitors(0) == 1);
  CHECK(fewer.share_with_both() == 0);
  auto const arrays = found.arrays("gain/");
  CHECK(arrays[0].name == "gain/gain");
  CHECK(arrays[0].shape == std::vector<std::size_t>{2, 2, 2});
  CHECK(arrays[4].name == "gain/base");
}

TEST_CASE("gains do not depend on batches or threads") {
  auto const m = two_classes(7, .8, 5);
  auto const images = of_class_1(m, 5, 6);
  activation_inhibition probe{.size = 3, .stride = 2, .local_stride = 1, .base = base_kind::image};
  auto const reference = measure(probe, m, images);
  for (std::size_t batch : {1u, 7u, 64u}) {
    probe.batch = batch;
    auto const [one, three] = with_threads([&] { return measure(probe, m, images); });
    for (auto const& found : {one, three}) {
      CHECK(found.gain.values == reference.gain.values);
      CHECK(found.base == reference.base);
    }
  }
}

TEST_CASE("bases and thresholds without meaning are refused") {
  auto const m = two_classes(6, .5, 1);
  auto const images = of_class_1(m, 3, 2);
  auto const sentence = [&](activation_inhibition const& probe) {
    return message_of([&] { static_cast<void>(measure(probe, m, images)); });
  };
  CHECK(sentence({.size = 2, .threshold = -1}) == "activation_inhibition: threshold is -1; give natural logarithms, at least 0");
  CHECK(sentence({.size = 2, .base = base_kind::others}) ==
        "activation_inhibition: others are 0 images of 0x0x0; give one, or as many as there are images, of their shape 1x6x6");
  CHECK(sentence({.size = 2, .base = base_kind::others, .others = filled<float, 4>({2, 1, 6, 6})}) ==
        "activation_inhibition: others are 2 images of 1x6x6; give one, or as many as there are images, of their shape 1x6x6");
  CHECK(sentence({.size = 2, .base = base_kind::others, .others = filled<float, 4>({1, 1, 6, 6}, 2.f)}) ==
        "activation_inhibition: a pixel of others is not in [0, 1]; scale them");
}

TEST_CASE("data: a part of a digit has places where it speaks for the digit and places where it speaks against it") {
  auto const lenet = trained_lenet();
  auto const digits = known_digits(lenet, 60);
  auto const found = measure(activation_inhibition{.size = 8, .stride = 2, .local_stride = 2}, lenet, digits);
  MESSAGE("activators " << found.share_of_activators() << ", inhibitors " << found.share_of_inhibitors() << ", both "
                        << found.share_with_both());
  CHECK(found.share_of_activators() > .2);
  CHECK(found.share_of_inhibitors() > .3);
  CHECK(found.share_with_both() > .9);
}
