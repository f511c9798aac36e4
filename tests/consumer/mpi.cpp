// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// A program that one process or many may run: the scores of a network, shared among them.
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/distributed/sharded.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/models/network.hpp>

#include <cmath>

using namespace pareidolia;

int main() try {
  mpi_session const mpi;
  graph const sum{.name = "sum", .input = {1, 2, 2}, .nodes = {{.name = "sum", .what = layer::inner_product{.outputs = 1}}}};
  weights const parameters{.parameters = {{"sum.weight", {{1, 4}, {1, 1, 1, 1}}}, {"sum.bias", {{1}, {0}}}}};
  network const net{reference_engine<float>{}, sum, parameters};
  sharded const shared{net, mpi.world()};

  auto const images = filled<float, 4>({3, 1, 2, 2}, 0.5f);
  auto y = filled<float, 2>({3, 1});
  auto workspace = shared.prepare(3);
  shared.forward(as_view(images), as_view(y), workspace);
  return std::abs(y(2, 0) - 2) < 1e-5f ? 0 : 1;
} catch (error const&) {
  return 2;
}
