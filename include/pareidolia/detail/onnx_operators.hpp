// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/onnx_array.hpp>
#include <pareidolia/detail/onnx_constants.hpp>
#include <pareidolia/detail/onnx_message.hpp>
#include <pareidolia/detail/onnx_tensor_layers.hpp>
#include <pareidolia/detail/onnx_value.hpp>
#include <pareidolia/detail/onnx_window.hpp>
#include <pareidolia/models/graph.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia::detail::onnx {

/// Operators as layers. Each function adds what a node computes to the graph and returns the node's output.
class operators : private tensor_layers {
 public:
  using tensor_layers::tensor_layers, tensor_layers::begin;

  /// What the node makes of its inputs. Errors: `unsupported`, or those of a damaged file.
  activation translate(call const& c) {
    struct entry {
      std::string_view operation;
      activation (operators::*translate)(call const&);
    };
    static constexpr entry table[] = {{"Add", &operators::add},
                                      {"AveragePool", &operators::average_pool},
                                      {"BatchNormalization", &operators::batch_normalization},
                                      {"Cast", &operators::cast},
                                      {"Clip", &operators::clip},
                                      {"Concat", &operators::concat},
                                      {"Conv", &operators::convolution},
                                      {"Div", &operators::div},
                                      {"Dropout", &operators::dropout},
                                      {"Flatten", &operators::flatten},
                                      {"Gemm", &operators::gemm},
                                      {"GlobalAveragePool", &operators::global_average_pool},
                                      {"GlobalMaxPool", &operators::global_max_pool},
                                      {"Identity", &operators::identity},
                                      {"LRN", &operators::lrn},
                                      {"LeakyRelu", &operators::leaky_relu},
                                      {"LogSoftmax", &operators::log_softmax},
                                      {"MatMul", &operators::matmul},
                                      {"MaxPool", &operators::max_pool},
                                      {"Mul", &operators::mul},
                                      {"Pad", &operators::pad},
                                      {"ReduceMean", &operators::reduce_mean},
                                      {"Relu", &operators::relu},
                                      {"Reshape", &operators::reshape},
                                      {"Sigmoid", &operators::sigmoid},
                                      {"Softmax", &operators::softmax},
                                      {"Squeeze", &operators::squeeze},
                                      {"Sub", &operators::sub},
                                      {"Sum", &operators::add},
                                      {"Tanh", &operators::tanh},
                                      {"Unsqueeze", &operators::unsqueeze}};
    for (auto const& [operation, function] : table)
      if (c.node.domain.empty() && c.node.operation == operation) return (this->*function)(c);
    if (c.node.operation == "Transpose") refuse("only constants are transposed; images are (count, channels, height, width)");
    refuse("this operator is not known");
  }

 private:
  // ---- layers --------------------------------------------------------------------------------------------------------------------

  activation elementwise(call const& c, layer::operation what) { return layer_behind(c.tensor(0), std::move(what), c.tensor(0).dims); }

  static void need_images(activation const& x) {
    if (x.dims.size() != 4) fail("its input has ", x.dims.size(), " dimensions; images have 4");
  }

  activation relu(call const& c) { return elementwise(c, layer::activation{layer::function::relu}); }
  activation sigmoid(call const& c) { return elementwise(c, layer::activation{layer::function::sigmoid}); }
  activation tanh(call const& c) { return elementwise(c, layer::activation{layer::function::tanh}); }
  activation leaky_relu(call const& c) { return elementwise(c, layer::activation{layer::function::relu, c.options.real("alpha", .01f)}); }

  activation clip(call const& c) {
    constexpr float most = std::numeric_limits<float>::max();
    float const low = std::max(c.number(constants_, "min", 1, -most), -most), high = std::min(c.number(constants_, "max", 2, most), most);
    if (low == -most && high == most) return c.tensor(0);
    if (low == 0 && high == most) return relu(c);
    return elementwise(c, layer::clip{low, high});
  }

  activation identity(call const& c) { return c.tensor(0); }
  activation cast(call const& c) {
    auto const to = static_cast<element>(c.options.integer("to", 0));
    static_cast<void>(width_of(to));
    if (!is_real(to)) refuse("it makes whole numbers of activations");
    return c.tensor(0);
  }
  activation dropout(call const& c) {
    if (c.is_constant(2) && constants_.integers(c.constant(2)) != std::vector<std::int64_t>{0}) refuse("its training_mode is on");
    return elementwise(c, layer::dropout{});
  }

  activation lrn(call const& c) {
    std::int64_t const size = c.options.integer("size", 0);
    if (size < 1 || size % 2 == 0) refuse("its size is ", size, "; odd ones are supported");
    layer::lrn const what{.size = to_extent(size, "size"),
                          .alpha = c.options.real("alpha", 1e-4f),
                          .beta = c.options.real("beta", .75f),
                          .k = c.options.real("bias", 1)};
    if (!std::isfinite(what.alpha) || !std::isfinite(what.beta) || !std::isfinite(what.k)) fail("its alpha, beta or bias is no number");
    return elementwise(c, what);
  }

  /// Fails unless a Softmax goes over the channels of each position. Before opset 13 it goes over all axes from `axis` on.
  static void check_softmax(call const& c) {
    auto const& dims = c.tensor(0).dims;
    bool const early = c.opset < 13;
    std::int64_t const axis = c.options.integer("axis", early ? 1 : -1);
    bool const alone = count_of({dims.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(dims.size())), dims.end()}) == 1;
    if (resolved_axis(axis, dims.size()) != 1 || (early && !alone))
      fail("it goes over axis ", axis, " of ", to_text(dims), early ? " and those behind it" : "", "; only channels are supported");
  }
  activation softmax(call const& c) {
    check_softmax(c);
    return elementwise(c, layer::softmax{});
  }
  activation log_softmax(call const& c) {
    if (!is_score_) refuse("it is supported only at the end, where scores need no softmax");
    check_softmax(c);
    return c.tensor(0);
  }

  activation batch_normalization(call const& c) {
    activation const& x = c.tensor(0);
    if (c.options.integer("training_mode", 0) != 0) refuse("its training_mode is on");
    if (c.opset < 9 && c.options.integer("spatial", 1) == 0) refuse("it normalises each position by itself (spatial = 0)");
    activation const y = elementwise(c, layer::batch_normalization{.epsilon = c.options.real("epsilon", 1e-5f)});
    std::size_t const channels = image_shape_of(x.dims)[0];
    layers_.set(y.source, "weight", {channels}, constants_.floats(c.constant(1)));
    layers_.set(y.source, "bias", {channels}, constants_.floats(c.constant(2)));
    layers_.set(y.source, "running_mean", {channels}, constants_.floats(c.constant(3)));
    layers_.set(y.source, "running_var", {channels}, constants_.floats(c.constant(4)));
    return y;
  }

  activation concat(call const& c) {
    activation const& first = c.tensor(0);
    if (resolved_axis(c.options.integer("axis", 1), first.dims.size()) != 1) fail("it joins tensors along another axis than the channels");
    extents dims = first.dims;
    dims.at(1) = 0;
    std::vector<std::size_t> inputs;
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      activation const& x = c.tensor(i);
      if (x.dims.size() != dims.size()) fail("it joins ", to_text(first.dims), " and ", to_text(x.dims));
      dims[1] += x.dims[1];
      inputs.push_back(named(x));
    }
    if (inputs.size() == 1) return first;
    return {layers_.add(name_, layer::concat{}, std::move(inputs)), std::move(dims)};
  }
  // ---- windows -------------------------------------------------------------------------------------------------------------------

  activation convolution(call const& c) {
    activation const& x = c.tensor(0);
    need_images(x);
    array const& w = c.constant(1);
    if (w.dims.size() != 4) refuse("its weights have ", w.dims.size(), " dimensions; those of images have 4");
    std::vector<std::size_t> const shape(w.dims.begin(), w.dims.end());
    if (c.options.has("kernel_shape") && extents_of(c.options, "kernel_shape", 2, 1) != std::vector{shape[2], shape[3]})
      fail("its kernel_shape differs from its weights ", to_text(w.dims));
    std::size_t from = settled(x);
    std::size_t const groups = to_extent(c.options.integer("group", 1), "groups"), channels = layers_.shape(from)[0];
    if (groups == 0 || shape[1] != channels / groups || channels % groups != 0)
      fail("its weights ", to_text(w.dims), " in ", groups, " groups do not fit ", channels, " channels");
    window const place = read_window(c.options, {shape[2], shape[3]}, layers_.shape(from));
    layer::convolution what{shape[0], place.kernel, place.stride, place.before, groups, c.has(2)};
    if (!place.matches(layers_.shape(from), layer::rounding::floor)) {
      from = layers_.add(name_ + "_padding", place.padding(), {from});
      what.padding = {0, 0};
    }
    std::size_t const k = layers_.add(name_, what, {from});
    layers_.set(k, "weight", shape, constants_.floats(w));
    if (what.bias) layers_.set(k, "bias", {what.outputs}, constants_.floats(c.constant(2)));
    return image_of(k, x);
  }

  activation max_pool(call const& c) { return pool(c, layer::pool::maximum); }
  activation average_pool(call const& c) { return pool(c, layer::pool::average); }
  activation pool(call const& c, layer::pool kind) {
    activation const& x = c.tensor(0);
    need_images(x);
    auto const kernel = extents_of(c.options, "kernel_shape", 2, 0);
    std::size_t from = settled(x);
    image_shape const in = layers_.shape(from);
    window const w = read_window(c.options, {kernel[0], kernel[1]}, in);
    auto const placed = place(kind, w, c.options.integer("count_include_pad", 0) != 0, layers_.nonnegative(from), in);
    if (placed.padded) from = layers_.add(name_ + "_padding", w.padding(), {from});
    return image_of(layers_.add(name_, placed.what, {from}), x);
  }

  activation global_average_pool(call const& c) { return global_pool(c, layer::pool::average); }
  activation global_max_pool(call const& c) { return global_pool(c, layer::pool::maximum); }
  activation global_pool(call const& c, layer::pool kind) {
    extents dims = c.tensor(0).dims;
    if (dims.size() > 2) std::fill(dims.begin() + 2, dims.end(), 1);
    return layer_behind(c.tensor(0), layer::pooling{.kind = kind, .global = true}, std::move(dims));
  }
  activation reduce_mean(call const& c) {
    extents const& dims = c.tensor(0).dims;
    std::vector<std::size_t> axes;
    for (std::int64_t const axis : c.list(constants_, "axes", 1)) axes.push_back(resolved_axis(axis, dims.size()));
    std::sort(axes.begin(), axes.end());
    std::vector<std::size_t> positions;
    for (std::size_t d = 2; d < dims.size(); ++d) positions.push_back(d);
    if (axes != positions || axes.empty()) fail("it is a mean over other axes than height and width");
    activation y = global_average_pool(c);
    if (c.options.integer("keepdims", 1) == 0) y.dims.resize(2);
    return y;
  }

  activation pad(call const& c) {
    activation const& x = c.tensor(0);
    need_images(x);
    if (auto const mode = c.options.text("mode", "constant"); mode != "constant") refuse("its mode is ", mode);
    if (c.number(constants_, "value", 2, 0) != 0) refuse("it pads with other values than 0");
    auto const given = c.list(constants_, c.options.has("paddings") ? "paddings" : "pads", 1);
    extents axes{0, 1, 2, 3}, pads(8, 0);
    if (c.has(3)) axes = constants_.integers(c.constant(3));
    if (given.size() != 2 * axes.size()) fail("its pads are ", given.size(), " numbers for ", axes.size(), " axes");
    for (std::size_t i = 0; i < axes.size(); ++i) {
      std::size_t const d = resolved_axis(axes[i], 4);
      pads[d] = given[i];
      pads[4 + d] = given[axes.size() + i];
    }
    if (pads[0] != 0 || pads[1] != 0 || pads[4] != 0 || pads[5] != 0) refuse("it pads images or channels");
    auto const side = [&](std::size_t i) { return to_extent(pads[i], "pads"); };
    std::size_t const from = settled(x);
    return image_of(layers_.add(name_, layer::padding{side(2), side(3), side(6), side(7)}, {from}), x);
  }

  // ---- shapes --------------------------------------------------------------------------------------------------------------------

  activation reshape(call const& c) {
    extents const& from = c.tensor(0).dims;
    return view(c.tensor(0), reshaped(from, c.list(constants_, "shape", 1), c.options.integer("allowzero", 0) != 0));
  }
  activation flatten(call const& c) { return view(c.tensor(0), flattened(c.tensor(0).dims, c.options.integer("axis", 1))); }
  activation squeeze(call const& c) {
    extents const& from = c.tensor(0).dims;
    auto axes = c.list(constants_, "axes", 1);
    for (std::size_t d = 1; axes.empty() && d < from.size(); ++d)
      if (from[d] == 1) axes.push_back(static_cast<std::int64_t>(d));
    return view(c.tensor(0), axes.empty() ? from : squeezed(from, axes));
  }
  activation unsqueeze(call const& c) { return view(c.tensor(0), unsqueezed(c.tensor(0).dims, c.list(constants_, "axes", 1))); }

  // ---- matrices ------------------------------------------------------------------------------------------------------------------

  static void check_matrix(activation const& x, array const& w, std::size_t inputs_axis) {
    if (x.dims.size() != 2 || w.dims.size() != 2) fail("it multiplies ", to_text(x.dims), " and ", to_text(w.dims), ", not two matrices");
    if (x.dims[1] != w.dims[inputs_axis]) fail("its weights ", to_text(w.dims), " do not fit the input ", to_text(x.dims));
  }

  activation gemm(call const& c) {
    activation const& x = c.tensor(0);
    array const& w = c.constant(1);
    bool const transposed = c.options.integer("transB", 0) != 0;
    if (c.options.integer("transA", 0) != 0) refuse("its transA is on");
    check_matrix(x, w, transposed ? 1 : 0);
    float const alpha = c.options.real("alpha", 1), beta = c.options.real("beta", 1);
    auto const outputs = static_cast<std::size_t>(w.dims[transposed ? 0 : 1]);
    std::vector<float> bias;
    if (c.has(2)) {
      array const& b = c.constant(2);
      bias = constants_.floats(b, beta);
      if (bias.size() == 1) bias.resize(outputs, bias.front());
      if (bias.size() != outputs || (b.dims.size() > 1 && b.dims.front() != 1))
        fail("its third input ", to_text(b.dims), " is no bias of ", outputs, " outputs");
    }
    return inner_product(x, transposed ? constants_.floats(w, alpha) : constants_.transposed(w, alpha), outputs, std::move(bias));
  }
  activation matmul(call const& c) {
    activation const& x = c.tensor(0);
    array const& w = c.constant(1);
    check_matrix(x, w, 0);
    return inner_product(x, constants_.transposed(w), static_cast<std::size_t>(w.dims[1]), {});
  }

  // ---- arithmetic ----------------------------------------------------------------------------------------------------------------

  activation add(call const& c) {
    bool const one = c.inputs.size() == 1, with_constant = c.inputs.size() == 2 && (c.is_constant(0) || c.is_constant(1));
    if (one) return c.tensor(0);
    if (with_constant) {
      std::size_t const i = c.is_constant(0) ? 1 : 0;
      return affine(c.tensor(i), {}, numbers(c, i));
    }
    activation const& first = c.tensor(0);
    std::vector<std::size_t> inputs;
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      if (c.tensor(i).dims != first.dims)
        fail("it adds ", to_text(first.dims), " and ", to_text(c.tensor(i).dims), ", of different shapes");
      inputs.push_back(named(c.tensor(i)));
    }
    return {layers_.add(name_, layer::sum{}, std::move(inputs)), first.dims};
  }
  activation sub(call const& c) {
    std::size_t const i = c.is_constant(0) ? 1 : 0;
    auto b = numbers(c, i);
    if (i == 1) return affine(c.tensor(1), {{-1.f}}, std::move(b));
    for (float& v : b.values) v = -v;
    return affine(c.tensor(0), {}, std::move(b));
  }
  activation mul(call const& c) {
    std::size_t const i = c.is_constant(0) ? 1 : 0;
    return affine(c.tensor(i), numbers(c, i), {});
  }
  activation div(call const& c) {
    if (c.is_constant(0)) refuse("it divides by activations");
    auto a = numbers(c, 0);
    for (float& v : a.values) {
      v = 1 / v;
      if (!std::isfinite(v)) fail("it divides by 0, or nearly so");
    }
    return affine(c.tensor(0), std::move(a), {});
  }
  /// The constant beside input i.
  channel_values numbers(call const& c, std::size_t i) {
    if (c.inputs.size() != 2) fail("it has ", c.inputs.size(), " inputs, not 2");
    if (!c.is_constant(1 - i)) refuse("it is between two activations; of such, only sums are supported");
    return channel_values_of(c, c.constant(1 - i), c.tensor(i).dims, constants_);
  }
};

}  // namespace pareidolia::detail::onnx
