// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/batch.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/io/npy.hpp>
#include <pareidolia/loaders/binaryproto.hpp>
#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/loaders/cifar10.hpp>
#include <pareidolia/loaders/folder.hpp>
#include <pareidolia/models/crops.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include "support/data.hpp"
#include "support/graphs.hpp"
#include "support/samples.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// Logits of the subset on the cpu engine against those of another implementation.
void check_logits(graph const& g, char const* weights_file, char const* logits_file) {
  network const net{cpu_engine{}, g, read_caffemodel(data_path(weights_file))};
  auto const set = subset100(g.input[1]);
  auto const expected = read_npy_tensor<2>(data_path(logits_file));
  auto work = net.prepare(10);
  auto y = filled<float, 2>({100, 1000});
  for (std::size_t first = 0; first < 100; first += 10) net.forward(as_view(set.images).rows(first, 10), as_view(y).rows(first, 10), work);
  CHECK(relative_error(y, expected) < 1e-3);
  std::size_t right = 0, same = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    auto const best = [&](float const* row) { return static_cast<int>(std::max_element(row, row + 1000) - row); };
    right += best(y.data() + i * 1000) == set.labels[i];
    same += best(y.data() + i * 1000) == best(expected.data() + i * 1000);
  }
  MESSAGE(g.name << ": " << right << " of 100 right, relative error of the logits " << relative_error(y, expected));
  CHECK(same == 100);
}

/// Percent of the sample images whose class is the first, or among the first five.
struct accuracies {
  double top1 = 0, top5 = 0;
};

/// One image for each class, in the order of the classes; the network sees the centre of their 256x256.
accuracies sample_accuracies(graph const& g, labelled_images const& samples, char const* weights_file) {
  network const net{cpu_engine{}, g, read_caffemodel(data_path(weights_file))};
  center_crop const centre{net, 256, 256};
  constexpr std::size_t batch = 20;
  auto work = centre.prepare(batch);
  auto y = filled<float, 2>({batch, 1000});
  accuracies found;
  for (std::size_t first = 0; first < samples.size(); first += batch) {
    centre.forward(as_view(samples.images).rows(first, batch), as_view(y), work);
    for (std::size_t i = 0; i < batch; ++i) {
      auto const row = as_view(y).row(i);
      auto const above = std::count_if(row.begin(), row.end(), [&](float v) { return v > row[first + i]; });
      found.top1 += above < 1;
      found.top5 += above < 5;
    }
  }
  double const percent = 100 / static_cast<double>(samples.size());
  MESSAGE(g.name << ": top-1 " << found.top1 * percent << " %, top-5 " << found.top5 * percent << " %");
  return {found.top1 * percent, found.top5 * percent};
}

}  // namespace

TEST_CASE("every network has its published number of parameters and of classes") {
  struct published {
    std::size_t parameters, classes;
  };
  std::map<std::string_view, published> const expected{
      {"lenet5", {431'080, 10}},
      {"cifar10_quick", {145'578, 10}},
      {"alexnet", {60'965'224, 1000}},
      {"caffenet", {60'965'224, 1000}},
      {"vgg_f", {60'834'536, 1000}},
      {"vgg_m", {102'908'520, 1000}},
      {"vgg_s", {102'908'520, 1000}},
      {"vgg16", {138'357'544, 1000}},
      {"vgg19", {143'667'240, 1000}},
      {"nin", {7'595'176, 1000}},
      {"googlenet", {6'998'552, 1000}},
      {"squeezenet_1_0", {1'248'424, 1000}},
      {"squeezenet_1_1", {1'235'496, 1000}},
      {"resnet18", {11'689'512, 1000}},
      {"resnet34", {21'797'672, 1000}},
      {"resnet50", {25'557'032, 1000}},
      {"resnet101", {44'549'160, 1000}},
      {"resnet152", {60'192'808, 1000}},
      {"fc10", {7'850, 10}},
      {"fc100_100_10", {89'610, 10}},
      {"fc200_200_10", {199'210, 10}},
  };
  CHECK(std::size(zoo::networks) == expected.size());
  for (auto const& [name, make] : zoo::networks) {
    std::string const who(name);
    CAPTURE(who);
    auto const p = plan(make());
    CHECK(p.source.name == name);
    CHECK(zoo::named(name).nodes.size() == p.out.size());
    REQUIRE(expected.contains(name));
    std::size_t trained = 0;  // means and variances are not
    for (auto const& slot : p.slots)
      if (slot.name.find(".running_") == std::string::npos) trained += slot.size;
    CHECK(trained == expected.at(name).parameters);
    CHECK(p.out.back() == image_shape{expected.at(name).classes, 1, 1});
    CHECK(p.source.labels.size() == (expected.at(name).classes == 10 ? 10 : 0));
  }
  CHECK(zoo::lenet5().labels[7] == "7");
  CHECK(zoo::cifar10_quick().labels[6] == "frog");
  CHECK_THROWS_WITH_AS(static_cast<void>(zoo::named("lenet")), doctest::Contains("no network 'lenet'; there are: lenet5, cifar10_quick"),
                       error);
}

TEST_CASE("data: GoogLeNet's logits are the reference's") {
  check_logits(zoo::googlenet(), "models/googlenet/bvlc_googlenet.caffemodel", "reference/googlenet_logits_subset100_f32.npy");
}

TEST_CASE("data: SqueezeNet's logits are the reference's") {
  check_logits(zoo::squeezenet_1_1(), "models/squeezenet_v1.1/squeezenet_v1.1.caffemodel",
               "reference/squeezenet_v1.1_logits_subset100_f32.npy");
}

TEST_CASE_TEMPLATE("data: cifar10_quick labels 768 of 1000 images as they are, with the reference's logits", E, cpu_engine,
                   reference_engine<float>) {
  constexpr bool fast = std::same_as<E, cpu_engine>;
  constexpr std::size_t count = fast ? 1000 : 50;
  graph g = zoo::cifar10_quick();
  auto const set = read_cifar10(data_path("cifar10/cifar10_test_first1000.bin"));
  auto const expected = read_npy_tensor<2>(data_path("reference/cifar10_quick_ip2_test1000_f32.npy"));
  REQUIRE(set.size() == 1000);
  auto const scores = [&] {
    network const net{E{}, g, read_caffemodel(data_path("models/cifar10_quick/cifar10_quick_iter_5000.caffemodel"))};
    auto work = net.prepare(count);
    auto y = filled<float, 2>({count, 10});
    net.forward(as_view(set.images).rows(0, count), as_view(y), work);
    return y;
  };
  auto const right = [&](tensor<float, 2> const& y) {
    std::vector<int> found(count);
    argmax(as_view(y), found);
    return std::inner_product(found.begin(), found.end(), set.labels.begin(), 0, std::plus<>(), std::equal_to<>());
  };
  auto const roughly = right(scores());  // with the mean colour
  g.prepare.mean = read_binaryproto(data_path("models/cifar10_quick/mean.binaryproto")).values;
  auto const y = scores();
  auto reference = filled<float, 2>({count, 10});
  std::copy_n(expected.data(), reference.size(), reference.data());
  MESSAGE(right(y) << " of " << count << " right, " << roughly << " with the mean colour; relative error of the logits "
                   << relative_error(y, reference));
  CHECK(relative_error(y, reference) < 1e-3);
  if (fast) CHECK(right(y) == 768);
  if (fast) CHECK(std::abs(roughly - 768) < 20);
}

// JPEG decoders differ by a level here and there: 0.3 points are three images.
TEST_CASE("data: GoogLeNet and SqueezeNet classify the 1000 sample images as they should") {
  auto const samples = read_images(data_path("imagenet/samples256"), {3, 256, 256});
  REQUIRE(samples.size() == 1000);
  auto const googlenet = sample_accuracies(zoo::googlenet(), samples, "models/googlenet/bvlc_googlenet.caffemodel");
  CHECK(std::abs(googlenet.top1 - 78.5) <= .3);
  CHECK(std::abs(googlenet.top5 - 93.9) <= .3);
  auto const squeezenet = sample_accuracies(zoo::squeezenet_1_1(), samples, "models/squeezenet_v1.1/squeezenet_v1.1.caffemodel");
  CHECK(std::abs(squeezenet.top1 - 66.3) <= .3);
  CHECK(std::abs(squeezenet.top5 - 86.6) <= .3);
}
