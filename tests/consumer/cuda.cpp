// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// The cuda component, in plain C++: a network gives its scores where a device is, and a sentence where none is.
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/engines/cuda_staged.hpp>
#include <pareidolia/models/network.hpp>

#include <cmath>
#include <cstdio>
#include <string_view>

using namespace pareidolia;

int main() try {
  graph const sum{.name = "sum", .input = {1, 2, 2}, .nodes = {{.name = "sum", .what = layer::inner_product{.outputs = 2}}}};
  weights const parameters{.parameters = {{"sum.weight", {{2, 4}, {1, 1, 1, 1, 1, 2, 3, 4}}}, {"sum.bias", {{2}, {0, 1}}}}};
  network const net{staged_cuda_engine{}, sum, parameters};
  auto const image = filled<float, 4>({1, 1, 2, 2}, 0.5f);
  auto y = filled<float, 2>({1, 2});
  auto work = net.prepare(1);
  net.forward(as_view(image), as_view(y), work);
  return std::abs(y(0, 1) - 6) < 1e-5f ? 0 : 1;
} catch (error const& e) {
  std::puts(e.what());
  return std::string_view(e.what()).find("no CUDA device was found") != std::string_view::npos ? 0 : 1;
}
