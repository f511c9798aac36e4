// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/models/zoo.hpp>

#include <support/data.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

// What minimal perturbations are compared on: the LeNet of the test data, and the digits that it knows.

namespace pareidolia_test {

using namespace pareidolia;

[[nodiscard]] inline auto trained_lenet() {
  return network{cpu_engine{}, zoo::lenet5(), read_weights(data_path("models/lenet/lenet_iter_10000").string())};
}

/// The first n test images that the model classifies correctly.
template <class M>
[[nodiscard]] labelled_images known_digits(M const& model, std::size_t n) {
  auto const all = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz").string(), data_path("mnist/t10k-labels-idx1-ubyte.gz").string());
  return correctly_classified(model, all, n);
}

/// Mean of ||r||_2 / ||x||_2.
[[nodiscard]] inline double mean_ratio(outcome const& r, labelled_images const& canvas) {
  double sum = 0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    double square = 0;
    for (float v : as_view(canvas.images).row(i)) square += double{v} * double{v};
    sum += double{r.distances(i, 2)} / std::sqrt(square);
  }
  return sum / static_cast<double>(r.size());
}

}  // namespace pareidolia_test
