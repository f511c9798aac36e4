// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/models/graph.hpp>

#include <cstddef>
#include <string>

/// What the networks of the zoo have in common.
namespace pareidolia::zoo::detail {

inline layer::convolution square(std::size_t outputs, std::size_t kernel, std::size_t stride = 1, std::size_t padding = 0) {
  return {.outputs = outputs, .kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = {padding, padding}};
}
inline layer::pooling square_pool(layer::pool kind, std::size_t kernel, std::size_t stride, std::size_t padding = 0) {
  return {.kind = kind, .kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = {padding, padding}};
}
/// The pooling of most of them: 3x3 at stride 2.
inline layer::pooling max_pool() { return square_pool(layer::pool::maximum, 3, 2); }

/// The three inner products at the end of AlexNet and of all that follow it.
inline void add_classifier(graph& g) {
  using namespace layer;
  for (std::string const number : {"6", "7"}) {
    g.nodes.push_back({"fc" + number, inner_product{.outputs = 4096}});
    g.nodes.push_back({"relu" + number, activation{}});
    g.nodes.push_back({"drop" + number, dropout{}});
  }
  g.nodes.push_back({"fc8", inner_product{.outputs = 1000}});
}

}  // namespace pareidolia::zoo::detail
