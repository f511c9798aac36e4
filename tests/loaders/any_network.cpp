// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/any_network.hpp>

#include <doctest/doctest.h>

#include <support/data.hpp>

#include <string>
#include <vector>

using namespace pareidolia;

TEST_CASE("a network of the zoo takes its weights from the front of the files") {
  std::vector<std::string> files{PAREIDOLIA_EXAMPLE_DATA "/lenet5.safetensors", "picture.png"};
  auto const lenet = read_any_network("lenet5", files);
  CHECK(lenet.structure.name == zoo::lenet5().name);
  CHECK(lenet.parameters.parameters.size() == 8);
  CHECK(files == std::vector<std::string>{"picture.png"});
}

TEST_CASE("a network that nobody knows, or without weights, is one sentence") {
  std::vector<std::string> none, some{"weights"};
  CHECK_THROWS_WITH_AS(static_cast<void>(read_any_network("lenet5", none)), doctest::Contains("lenet5: it has no weights of its own"),
                       error);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_any_network("lenet6", some)), doctest::Contains("there is no network 'lenet6'"), error);
}

TEST_CASE("data: a prototxt sees colours as Caffe's networks do, and an ONNX file needs no weights") {
  using pareidolia_test::data_path;
  std::vector<std::string> files{data_path("models/squeezenet_v1.1/squeezenet_v1.1.caffemodel").string()};
  auto const described = read_any_network(data_path("models/squeezenet_v1.1/deploy.prototxt").string(), files);
  CHECK(files.empty());
  CHECK(described.structure.prepare.mean == zoo::caffe_colours().mean);
  auto const onnx = read_any_network(data_path("models/mnist_onnx/mnist.onnx").string(), files);
  CHECK(!onnx.parameters.parameters.empty());
}

TEST_CASE("data: a mean image behind the weights is what the network subtracts") {
  using pareidolia_test::data_path;
  auto const path = [](char const* file) { return data_path(std::string("models/cifar10_quick/") + file).string(); };
  std::vector<std::string> files{path("cifar10_quick_iter_5000.caffemodel"), path("mean.binaryproto"), "picture.png"};
  auto const quick = read_any_network("cifar10_quick", files);
  CHECK(files == std::vector<std::string>{"picture.png"});
  CHECK(quick.structure.prepare.mean == read_binaryproto(path("mean.binaryproto")).values);
}
