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

/// What Caffe's ImageNet networks see: 0..255, blue first, minus the mean colour of the training set.
inline preprocessing caffe_colours() { return {.scale = 255, .mean = {104, 117, 123}, .order = channel_order::bgr}; }
/// The mean colour of the VGG group, which others round.
inline preprocessing vgg_colours() { return {.scale = 255, .mean = {103.939f, 116.779f, 123.68f}, .order = channel_order::bgr}; }
/// What torchvision's networks see: 0..1, red first, minus the mean colour and divided by the deviation of each channel.
inline preprocessing torchvision_colours() { return {.mean = {.485f, .456f, .406f}, .deviation = {.229f, .224f, .225f}}; }

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
