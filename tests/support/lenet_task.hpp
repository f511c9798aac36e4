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
  std::size_t const looked_at = std::min(all.size(), n + n / 10 + 10);
  auto const seen = as_view(all.images).rows(0, looked_at);
  auto y = filled<float, 2>({looked_at, model.classes()});
  auto workspace = model.prepare(looked_at);
  model.forward(seen, as_view(y), workspace);
  std::vector<int> says(looked_at);
  argmax(as_view(y), says);
  labelled_images known{filled<float, 4>({n, 1, 28, 28}), {}};
  for (std::size_t i = 0; i < looked_at && known.labels.size() < n; ++i)
    if (says[i] == all.labels[i]) {
      std::ranges::copy(seen.row(i), as_view(known.images).row(known.labels.size()).begin());
      known.labels.push_back(says[i]);
    }
  return known;
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
