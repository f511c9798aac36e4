// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/training.hpp>

#include <pareidolia/io/npy.hpp>
#include "support/data.hpp"
#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

static_assert(DifferentiableModel<network<cpu_engine>> && TrainableModel<network<cpu_engine>> && FingerprintedModel<network<cpu_engine>>);
static_assert(DifferentiableModel<network<reference_engine<double>>> && TrainableModel<network<reference_engine<double>>>);

TEST_CASE("a network gives back the weights it was made of") {
  weights const w = random_weights(zoo::lenet5(), 1);
  network const net{reference_engine<double>{}, zoo::lenet5(), w};
  weights const again = net.to_weights();
  CHECK(again.parameters.size() == w.parameters.size());
  for (auto const& [name, array] : w.parameters) {
    CHECK(again.parameters.at(name).shape == array.shape);
    CHECK(again.parameters.at(name).values == array.values);
  }
  CHECK(net.input() == image_shape{1, 28, 28});
  CHECK(net.classes() == 10);
}

TEST_CASE("fingerprints tell weights, shapes and preprocessing apart, not engines") {
  graph g = zoo::lenet5();
  weights w = random_weights(g, 1);
  auto const print = [&](auto engine) { return network{engine, g, w}.fingerprint(); };
  auto const original = print(cpu_engine{});
  CHECK(print(reference_engine<float>{}) == original);
  g.prepare.scale = 1;
  CHECK(print(cpu_engine{}) != original);
  g = zoo::lenet5();
  w.parameters["ip2.bias"].values[9] += 1e-6f;
  CHECK(print(cpu_engine{}) != original);
}

TEST_CASE_TEMPLATE("data: the LeNet of Nguyen et al. labels 9918 of the 10,000 test images, with the reference's logits", E, cpu_engine,
                   reference_engine<float>) {
  network const net{E{}, zoo::lenet5(), read_caffemodel(data_path("models/lenet/lenet_iter_10000"))};
  auto const digits = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  CHECK(std::lround(accuracy(net, digits) * 10'000) == 9918);

  // Outputs by another implementation; sums in another order differ by about 1e-6 of logits near 20.
  auto const expected = read_npy_tensor<2>(data_path("reference/mnist_lenet_fooling_ip2_t10k_f32.npy"));
  auto work = net.prepare(1000);
  auto y = filled<float, 2>({digits.size(), 10});
  for (std::size_t first = 0; first < digits.size(); first += 1000)
    net.forward(as_view(digits.images).rows(first, 1000), as_view(y).rows(first, 1000), work);
  float worst = 0;
  for (std::size_t i = 0; i < y.size(); ++i) worst = std::max(worst, std::abs(y.data()[i] - expected.data()[i]));
  CHECK(worst < 1e-3f);
}
