// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/onnx_array.hpp>
#include <pareidolia/detail/onnx_message.hpp>
#include <pareidolia/detail/onnx_translator.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/weights.hpp>

#include <protozero/exception.hpp>

#include <filesystem>
#include <string>

namespace pareidolia {

/// What an ONNX file holds: a network as data, and its parameters under the names of its layers.
///
///     auto const [structure, parameters] = read_onnx("resnet50.onnx");
///     network const net{cpu_engine{}, structure, parameters};
struct onnx_network {
  graph structure;
  weights parameters;
};

/// A network in the ONNX format (https://onnx.ai), of opset 1 to 21: its graph and its weights, which are initializers or constants.
///
/// Operators: Conv, Gemm, MatMul, MaxPool, AveragePool, GlobalMaxPool, GlobalAveragePool, ReduceMean over height and width, Relu,
/// LeakyRelu, Clip, Sigmoid, Tanh, Softmax over channels, LRN, BatchNormalization, Dropout, Concat of channels, Sum and Add of activations;
/// Add, Sub, Mul and Div with a constant per channel; Pad with zeros; Identity, Cast between reals, and Reshape, Flatten, Squeeze and
/// Unsqueeze of each image by itself. LogSoftmax at the end is left out, since scores need none. Constants may be computed from constants:
/// shapes by Shape, Gather, Slice, Concat, Unsqueeze, Cast and arithmetic, weights by Reshape, Transpose and the like.
///
/// Layers are named as the nodes, or as their outputs where nodes have no name of their own; a bias added by the next node becomes the
/// bias of the layer. Padding that differs between the sides is a layer of its own before a convolution. The first output of several is
/// taken for the scores; a batch size in the file is ignored. `input` (channels, height, width) is for files that do not say it, and takes
/// precedence.
///
/// Files do not say how images are prepared. Where they begin with arithmetic on the whole image, z = scale x - mean, that is in `prepare`:
/// go on from there instead of replacing it. A network made for pixels from 0 to 255 wants `structure.prepare.scale *= 255`.
///
/// External data are read from the folder of the file only. Values are float, double, float16 or bfloat16, and become float.
/// Memory: the values, read straight from the file, and a few KB a node; at most allocation_limit() of all files together.
/// Errors name the file and the node: one message lists all nodes that are not supported, each with its operator and the reason; and a
/// missing, truncated or damaged file, a tensor that nothing makes before it is read, values that are NaN or infinite.
[[nodiscard]] inline onnx_network read_onnx(std::filesystem::path const& path, image_shape const& input = {}) {
  detail::file_reader file(path);
  std::string const where = path.string() + ": ";
  if (file.size() == 0) detail::fail(where, "the file is empty");
  onnx_network result;
  result.parameters.source = path.string();
  std::string place;
  try {
    detail::onnx::store constants(file.size(), path.parent_path());
    auto const model = detail::onnx::read_model(file, constants.memory);
    result.structure.name = model.name.empty() ? path.stem().string() : model.name;
    detail::onnx::translator translator(model, constants, result.structure, result.parameters);
    try {
      translator.translate(input);
    } catch (protozero::exception const&) {
      place = translator.place();
      throw;
    }
  } catch (protozero::exception const& e) {
    detail::fail(where, "this is no ONNX model, or it is cut short or damaged", place, " (", e.what(), ")");
  } catch (error const& e) {
    detail::fail(where, e.what());
  }
  return result;
}

}  // namespace pareidolia
