// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/models/graph.hpp>

/// What networks see of an image, for graphs that do not say it: those of read_prototxt() and read_onnx().
///
///     auto [structure, parameters] = read_onnx("resnet50.onnx");
///     structure.prepare = zoo::torchvision_colours();
namespace pareidolia::zoo {

/// What Caffe's ImageNet networks see: 0..255, blue first, minus the mean colour of the training set.
[[nodiscard]] inline preprocessing caffe_colours() { return {.scale = 255, .mean = {104, 117, 123}, .order = channel_order::bgr}; }
/// The mean colour of the VGG group, which others round.
[[nodiscard]] inline preprocessing vgg_colours() {
  return {.scale = 255, .mean = {103.939f, 116.779f, 123.68f}, .order = channel_order::bgr};
}
/// What torchvision's networks see: 0..1, red first, minus the mean colour and divided by the deviation of each channel.
[[nodiscard]] inline preprocessing torchvision_colours() { return {.mean = {.485f, .456f, .406f}, .deviation = {.229f, .224f, .225f}}; }

}  // namespace pareidolia::zoo
