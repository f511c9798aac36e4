// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/loaders/binaryproto.hpp>
#include <pareidolia/loaders/onnx.hpp>
#include <pareidolia/loaders/prototxt.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/models/zoo/colours.hpp>
#include <pareidolia/models/zoo/torchvision.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// A network as a user of a program names it: one of the zoo by its name, the prototxt of one that sees colours as Caffe's do, or an ONNX
/// file, which has its own weights. The weights of the others are taken from the front of `files` and removed from it: a caffemodel or
/// safetensors, and behind it the mean of its images, if the network wants one: a binaryproto.
///
/// `torchvision`: it is torchvision's; its names of weights, and colours as it prepares them.
/// Errors: those of the files; no weights; a name that the zoo does not know.
[[nodiscard]] inline onnx_network read_any_network(std::string const& model, std::vector<std::string>& files, bool torchvision = false) {
  if (model.ends_with(".onnx")) {
    onnx_network read = read_onnx(model);
    if (torchvision) read.structure.prepare = zoo::torchvision_colours();
    return read;
  }
  bool const described = std::filesystem::exists(model);
  graph structure = described ? read_prototxt(model) : zoo::named(model);
  if (described) structure.prepare = zoo::caffe_colours();
  if (torchvision) structure = zoo::as_torchvision(structure);
  if (files.empty()) detail::fail(model, ": it has no weights of its own; name a caffemodel or safetensors file behind it");
  weights parameters = read_weights(files.front());
  files.erase(files.begin());
  if (!files.empty() && files.front().ends_with(".binaryproto")) {
    structure.prepare.mean = read_binaryproto(files.front()).values;
    files.erase(files.begin());
  }
  if (torchvision) parameters = zoo::from_torchvision(std::move(parameters), structure);
  return {std::move(structure), std::move(parameters)};
}

}  // namespace pareidolia
