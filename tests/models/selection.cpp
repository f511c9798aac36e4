// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/selection.hpp>

#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/training.hpp>
#include <pareidolia/models/zoo.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "support/archetypes.hpp"
#include "support/data.hpp"
#include "support/files.hpp"

using namespace pareidolia_test;

namespace {

/// Says which of three pixels is the brightest, and counts the images it has seen.
struct brightest : pinned {
  static constexpr space memory = space::host;
  struct workspace : pinned {};
  mutable std::size_t seen = 0;

  image_shape input() const { return {1, 1, 3}; }
  std::size_t classes() const { return 3; }
  workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<space::host> x, score_view<space::host> y, workspace&) const {
    std::copy_n(x.data, x.size(), y.data);
    seen += x.shape[0];
  }
};

labelled_images const seven{
    {{{{.1f, .2f, .3f}}}, {{{.4f, .3f, .2f}}}, {{{.5f, .6f, .5f}}}, {{{.7f, .7f, .1f}}}, {{{0, 0, .8f}}}, {{{.9f, 0, 0}}}, {{{0, 1, 0}}}},
    {2, 1, 1, 0, 1, 0, 1}};  // wrong: 1 and 4

}  // namespace

TEST_CASE("the first images that a model labels right are found whatever the batch, and no more are asked for") {
  for (std::size_t const batch : {1u, 2u, 3u, 100u}) {
    brightest const model;
    auto const found = correctly_classified(model, seven, 3, batch);
    CHECK(found.labels == std::vector<int>{2, 1, 0});
    CHECK(found.images == tensor<float, 4>{{{{.1f, .2f, .3f}}}, {{{.5f, .6f, .5f}}}, {{{.7f, .7f, .1f}}}});
    CHECK(model.seen == (batch == 1 ? 4 : batch == 2 ? 4 : batch == 3 ? 6 : 7));
    CHECK(correctly_classified(model, seven, 5, batch).labels == std::vector<int>{2, 1, 0, 0, 1});
    CHECK(accuracy(model, seven, batch) == 5. / 7);
    CHECK(classified(model, seven.images, batch) == std::vector<int>{2, 0, 1, 0, 2, 0, 1});
  }
}

TEST_CASE("images are chosen by their numbers, or the first ones") {
  auto const some = selected(seven, std::vector<std::size_t>{5, 0, 5});
  CHECK(some.labels == std::vector<int>{0, 2, 0});
  CHECK(some.images == tensor<float, 4>{{{{.9f, 0, 0}}}, {{{.1f, .2f, .3f}}}, {{{.9f, 0, 0}}}});
  CHECK(first_images(seven, 2).labels == std::vector<int>{2, 1});
  CHECK(first_images(seven, 100).images == seven.images);
  CHECK(first_images({seven.images, {}}, 3).labels.empty());
  CHECK(contains(error_of([&] { (void)selected(seven, std::vector<std::size_t>{7}); }), "image 7 is wanted of 7"));
}

TEST_CASE("some images are spread evenly over those there are") {
  CHECK(spread_images(seven, 3).labels == std::vector<int>{2, 1, 1});
  CHECK(spread_images(seven, 1).labels == std::vector<int>{2});
  CHECK(spread_images(seven, 100).images == seven.images);
  CHECK(spread_images(seven, 0).size() == 0);
}

TEST_CASE("fewer right images than are wanted are an error that says how many there are") {
  brightest const model;
  CHECK(contains(error_of([&] { (void)correctly_classified(model, seven, 6, 2); }), "6 images are wanted, the model labels 5 right"));
  CHECK(contains(error_of([&] { (void)correctly_classified(model, {seven.images, {}}, 1); }), "1 of 7 images with 0 labels"));
  CHECK(contains(error_of([&] { (void)correctly_classified(model, seven, 0); }), "0 of 7 images"));
}

TEST_CASE("data: the first 1000 digits that LeNet labels right are found among the first 1009") {
  network const net{cpu_engine{}, zoo::lenet5(), read_caffemodel(data_path("models/lenet/lenet_iter_10000"))};
  auto const digits = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  auto const right = correctly_classified(net, digits, 1000);
  CHECK(right.size() == 1000);
  CHECK(accuracy(net, right) == 1);
  CHECK(std::ranges::equal(as_view(right.images).row(999), as_view(digits.images).row(1008)));  // 9 are wrong before it
}
