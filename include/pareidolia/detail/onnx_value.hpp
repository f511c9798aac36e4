// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/onnx_array.hpp>
#include <pareidolia/detail/onnx_message.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace pareidolia::detail::onnx {

/// A tensor that depends on the image: layer `source` of the graph, or the image itself, seen with a shape of as many values.
struct activation {
  std::size_t source = 0;
  extents dims;           ///< with the batch in front
  std::string view = {};  ///< the node that gave it another shape than the layer's
  bool shared = false;    ///< more than one node reads it, so it must stay as it is
  bool doubtful = false;  ///< something before it is not supported: its shape is a guess
};

using value = std::variant<std::monostate, onnx::array, activation>;  ///< monostate: an input that is left out

/// The shape of one image's part of a tensor: (C, H, W), with ones for what it has not.
inline image_shape image_shape_of(extents const& dims) {
  image_shape shape{1, 1, 1};
  for (std::size_t d = 1; d < dims.size(); ++d) {
    if (d > 3 && dims[d] != 1) fail("it has a tensor of shape ", to_text(dims), "; of images, 4 dimensions are wanted");
    if (d <= 3) shape[d - 1] = static_cast<std::size_t>(dims[d]);
  }
  return shape;
}

/// A node with what it reads.
struct call {
  node_message const& node;
  attributes options;
  std::vector<value> inputs;
  std::uint64_t opset;

  [[nodiscard]] bool has(std::size_t i) const { return i < inputs.size() && !std::holds_alternative<std::monostate>(inputs[i]); }
  [[nodiscard]] bool is_constant(std::size_t i) const { return i < inputs.size() && std::holds_alternative<onnx::array>(inputs[i]); }
  [[nodiscard]] activation const& tensor(std::size_t i) const {
    if (!has(i)) fail("it has no input ", i);
    if (is_constant(i)) fail("its input '", node.inputs[i], "' is constant; one that depends on the image is wanted");
    return std::get<activation>(inputs[i]);
  }
  [[nodiscard]] onnx::array const& constant(std::size_t i) const {
    if (!has(i)) fail("it has no input ", i);
    if (!is_constant(i)) fail("its input '", node.inputs[i], "' depends on the image; a constant is wanted");
    return std::get<onnx::array>(inputs[i]);
  }
  /// Integers that are an attribute in early opsets, input i later.
  [[nodiscard]] std::vector<std::int64_t> list(store const& constants, char const* attribute, std::size_t i) const {
    return has(i) ? constants.integers(constant(i)) : options.integers(attribute);
  }
  /// The same of one real number.
  [[nodiscard]] float number(store& constants, char const* attribute, std::size_t i, float otherwise) const {
    if (!has(i)) return options.real(attribute, otherwise);
    double result = 0;
    if (constant(i).count() != 1) fail("its ", attribute, " is not one number");
    constants.each(constant(i), [&](auto v) { result = static_cast<double>(v); });
    return static_cast<float>(result);
  }
};

/// Numbers for an image: one, one per channel, or one per pixel.
struct channel_values {
  std::vector<float> values;
  enum class kind { one, channels, pixels } each = kind::one;
};

/// A constant beside a tensor of shape `dims` in Add, Sub, Mul or Div, by the broadcasting rules of its opset.
inline channel_values channel_values_of(call const& c, onnx::array const& constant, extents const& dims, store& constants) {
  extents given = constant.dims;
  std::size_t const rank = dims.size();
  while (given.size() > rank && given.front() == 1) given.erase(given.begin());
  if (given.size() > rank) fail("its constant of shape ", to_text(constant.dims), " has more dimensions than the tensor ", to_text(dims));
  std::size_t front = rank - given.size();
  if (c.opset < 7 && c.options.has("axis")) {
    std::int64_t const axis = c.options.integer("axis", 0);
    if (axis < 0 || static_cast<std::size_t>(axis) > front) fail("its axis is ", axis, ", beyond the tensor ", to_text(dims));
    front = static_cast<std::size_t>(axis);
  }
  given.insert(given.begin(), front, 1);
  given.resize(rank, 1);

  channel_values result{constants.floats(constant)};
  using kind = channel_values::kind;
  bool all = true, beyond = false;
  for (std::size_t d = 0; d < rank; ++d) {
    if (given[d] != 1 && (given[d] != dims[d] || d == 0))
      fail("its constant of shape ", to_text(constant.dims), " does not fit the images of ", to_text(dims));
    all = all && (d == 0 || given[d] == dims[d]);
    beyond = beyond || (d > 1 && given[d] != 1);
  }
  if (beyond && !all) fail("its constant of shape ", to_text(constant.dims), " differs along a row or column alone");
  if (beyond)
    result.each = kind::pixels;
  else if (rank > 1 && given[1] != 1)
    result.each = kind::channels;
  return result;
}

}  // namespace pareidolia::detail::onnx
