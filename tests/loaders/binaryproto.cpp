// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/binaryproto.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "support/caffemodels.hpp"
#include "support/data.hpp"
#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
using namespace pareidolia_test::caffe;

using shape = std::vector<std::size_t>;

parameter read(blob const& image) {
  temporary_folder const folder;
  return read_binaryproto(put(folder / "mean.binaryproto", encode(image)));
}
std::string refusal(blob const& image) {
  return error_of([&] { (void)read(image); });
}

std::vector<float> count(std::size_t n) {
  std::vector<float> values(n);
  std::iota(values.begin(), values.end(), 0.f);
  return values;
}

TEST_CASE("a mean image is read, whatever way its shape and values are written") {
  for (bool const legacy : {false, true})
    for (bool const packed : {false, true})
      for (bool const doubles : {false, true}) {
        parameter const image = read({{1, 2, 3, 4}, count(24), legacy, packed, doubles});
        CHECK(image.shape == shape{2, 3, 4});
        CHECK(image.values == count(24));
      }
  CHECK(read({{2, 3, 4}, count(24)}).shape == shape{2, 3, 4});
  CHECK(read({{1, 1, 2, 3}, count(6), true}).shape == shape{1, 2, 3});
}

TEST_CASE("what is no mean image is refused by name") {
  CHECK(contains(refusal({{2, 2, 3, 4}, count(48)}), "mean.binaryproto: its shape (2, 2, 3, 4) is not that of one image"));
  CHECK(contains(refusal({{3, 4}, count(12)}), "is not that of one image"));
  CHECK(contains(refusal({{1, 2, 3}, count(5)}), "shape 1x2x3 disagrees with its 5 values"));
  CHECK(contains(refusal({{1, 1, 1}, {std::numeric_limits<float>::infinity()}}), "value 0 is inf"));
  temporary_folder const folder;
  auto const message = [&](std::string_view bytes) { return error_of([&] { (void)read_binaryproto(put(folder / "m", bytes)); }); };
  CHECK(contains(message(""), "m: the file is empty"));
  CHECK(contains(message("some text"), "m: this is no binaryproto"));
  CHECK(contains(error_of([&] { (void)read_binaryproto(folder / "none"); }), "none: there is no such file"));
}

TEST_CASE("every damaged binaryproto is read or refused, every cut one refused") {
  temporary_folder const folder;
  std::string const good = encode({{1, 2, 1, 2}, count(4), true});
  auto const result = read_damaged(folder / "m", good, read_binaryproto);
  CHECK(result.refused_when_cut == good.size());
}

TEST_CASE("a crop is the window in the centre, above and left of it if the margin is odd") {
  parameter const image{{2, 3, 4}, count(24)};
  parameter const window = cropped(image, 2, 2);
  CHECK(window.shape == shape{2, 2, 2});
  CHECK(window.values == std::vector<float>{1, 2, 5, 6, 13, 14, 17, 18});
  CHECK(cropped(image, 3, 4).values == image.values);
  CHECK(cropped(image, 1, 3).values == std::vector<float>{4, 5, 6, 16, 17, 18});
  CHECK(contains(error_of([&] { (void)cropped(image, 4, 4); }), "a window of 4x4 does not fit into an image of 3x4"));
  CHECK(contains(error_of([&] { (void)cropped({{2, 2}, count(4)}, 1, 1); }), "4 values of shape (2, 2) are no image"));
}

TEST_CASE("data: the mean images of ILSVRC and CIFAR-10") {
  auto const mean_of = [](parameter const& image, std::size_t channel) {
    auto const plane = static_cast<std::ptrdiff_t>(image.shape[1] * image.shape[2]), first = static_cast<std::ptrdiff_t>(channel) * plane;
    return std::accumulate(image.values.begin() + first, image.values.begin() + first + plane, 0.) / static_cast<double>(plane);
  };
  parameter const imagenet = read_binaryproto(data_path("imagenet/imagenet_mean.binaryproto"));
  CHECK(imagenet.shape == shape{3, 256, 256});
  double const published[] = {104.00698793, 116.66876762, 122.67891434};  // blue, green, red, as Caffe's examples print them
  for (std::size_t c = 0; c < 3; ++c) CHECK(mean_of(imagenet, c) == doctest::Approx(published[c]).epsilon(1e-9));
  CHECK(cropped(imagenet, 227, 227).values.size() == 3 * 227 * 227);

  parameter const cifar = read_binaryproto(data_path("models/cifar10_quick/mean.binaryproto"));
  CHECK(cifar.shape == shape{3, 32, 32});
  CHECK(mean_of(cifar, 0) == doctest::Approx(125.3).epsilon(.01));
}

}  // namespace
