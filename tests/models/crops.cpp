// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/crops.hpp>

#include <pareidolia/core/resize.hpp>
#include <pareidolia/models/adaptors.hpp>

#include <doctest/doctest.h>
#include <support/small_models.hpp>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

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

TEST_CASE("crops larger than the image are refused") {
  toy const net;
  CHECK(message_of([&] { center_crop(net, 2, 9); }) ==
        "center_crop: images of 2x9 (height x width) are smaller than the 3x2 crops that the model wants; give larger images");
  CHECK(message_of([&] { ten_crop(net, 9, 1); }) ==
        "ten_crop: images of 9x1 (height x width) are smaller than the 3x2 crops that the model wants; give larger images");
}

TEST_CASE("resized shows what resize() gives, larger and smaller") {
  pixels_model const net{{2, 4, 3}};
  for (auto const& [height, width] : {std::pair{9u, 7u}, {4u, 3u}, {2u, 2u}, {1u, 8u}}) {
    CAPTURE(height);
    resized const model{net, height, width};
    CHECK(model.input() == image_shape{2, height, width});
    auto const images = noise(3, model.input(), 1);
    auto y = filled<float, 2>({3, 24});
    auto w = model.prepare(3);
    model.forward(as_view(images), as_view(y), w);
    for (std::size_t i = 0; i < 3; ++i) {
      auto const expected = resize({as_view(images).row(i).data(), {2, height, width}}, 4, 3);
      for (std::size_t j = 0; j < 24; ++j) CHECK(y(i, j) == doctest::Approx(expected.data()[j]).epsilon(1e-6));
    }
  }
}

TEST_CASE("resized has the scores and gradients of the resized image") {
  toy const net;
  for (auto const& [height, width] : {std::pair{5u, 3u}, {2u, 5u}, {3u, 2u}}) {
    resized const model{net, height, width};
    check_against(model, [&, shape = image_shape{2, height, width}](doubles const& x) {
      auto const down = detail::resize_taps(shape[1], net.shape[1]), across = detail::resize_taps(shape[2], net.shape[2]);
      doubles seen;
      for (std::size_t c = 0; c < 2; ++c)
        for (auto const& v : down)
          for (auto const& h : across) {
            double sum = 0;
            for (std::size_t a = 0; a < v.weights.size(); ++a)
              for (std::size_t b = 0; b < h.weights.size(); ++b)
                sum += v.weights[a] * h.weights[b] * x[(c * shape[1] + v.first + a) * shape[2] + h.first + b];
            seen.push_back(sum);
          }
      return net.scores(seen);
    });
  }
  resized const model{net, 5, 3};
  outcome const found = climbed(model);
  CHECK(found.values[0] > 0);
  CHECK(found.model == model.fingerprint());
  CHECK(model.fingerprint() != net.fingerprint());
  CHECK(message_of([&] { resized(net, 0, 3); }) == "resized: images of 0x3 (height x width) have no pixels");
}
