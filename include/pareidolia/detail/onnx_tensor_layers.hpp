// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/onnx_array.hpp>
#include <pareidolia/detail/onnx_builder.hpp>
#include <pareidolia/detail/onnx_message.hpp>
#include <pareidolia/detail/onnx_value.hpp>
#include <pareidolia/models/graph.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::onnx {

/// Layers on tensors: what the operators share.
class tensor_layers {
 public:
  tensor_layers(graph& network, builder& layers, store& constants) : network_(network), layers_(layers), constants_(constants) {}

  /// The layer to be made next is called `name`; `is_score`: its output is that of the network and nothing else reads it.
  void begin(std::string name, bool is_score) {
    name_ = std::move(name);
    is_score_ = is_score;
  }

 protected:
  /// The layer that holds a tensor in its own shape.
  std::size_t settled(activation const& x) {
    image_shape const wanted = image_shape_of(x.dims);
    std::size_t const from = x.source == builder::image && x.shared ? layers_.named_image() : x.source;
    if (layers_.shape(from) == wanted) return from;
    auto const [made, is_new] = reshaped_.try_emplace({from, wanted});
    if (is_new) {
      bool const flat = wanted[1] == 1 && wanted[2] == 1;
      std::string name = x.view.empty() ? name_ + "_reshape" : x.view;
      made->second = layers_.add(std::move(name), flat ? layer::operation(layer::flatten{}) : layer::reshape{wanted}, {from});
    }
    return made->second;
  }
  /// A layer behind `x`, whose output has the shape `dims`.
  activation layer_behind(activation const& x, layer::operation what, extents dims) {
    return {layers_.add(name_, std::move(what), {settled(x)}), std::move(dims)};
  }
  /// The layer of a tensor that is read together with others.
  std::size_t named(activation const& x) {
    std::size_t const k = settled(x);
    return k == builder::image ? layers_.named_image() : k;
  }

  activation view(activation x, extents dims) {
    if (dims.empty() || dims.front() != x.dims.front()) fail("it makes ", to_text(dims), " of ", to_text(x.dims), ", across images");
    x.dims = std::move(dims);
    x.view = name_;
    return x;
  }

  static extents dims_of(std::int64_t batch, image_shape const& s) {
    return {batch, static_cast<std::int64_t>(s[0]), static_cast<std::int64_t>(s[1]), static_cast<std::int64_t>(s[2])};
  }
  activation image_of(std::size_t k, activation const& x) { return {k, dims_of(x.dims.front(), layers_.shape(k))}; }

  /// y = W x + b, on values in the order of the layer before, whatever shape they have.
  activation inner_product(activation const& x, std::vector<float> weight, std::size_t outputs, std::vector<float> bias) {
    std::size_t const from = x.source == builder::image && x.shared ? layers_.named_image() : x.source;
    auto const inputs = static_cast<std::size_t>(count_of(x.dims) / static_cast<std::uint64_t>(x.dims.front()));
    std::size_t const k = layers_.add(name_, layer::inner_product{.outputs = outputs, .bias = !bias.empty()}, {from});
    layers_.set(k, "weight", {outputs, inputs}, std::move(weight));
    if (!bias.empty()) layers_.set(k, "bias", {outputs}, std::move(bias));
    return {k, {x.dims.front(), static_cast<std::int64_t>(outputs)}};
  }

  /// y = a x + b, where no values mean a = 1 or b = 0: part of the preparation of the image, of the layer before, or a layer of its own.
  activation affine(activation const& x, channel_values const& a, channel_values const& b) {
    using kind = channel_values::kind;
    bool const of_pixels = b.each != kind::channels || x.dims.size() == 2 || image_shape_of(x.dims) == network_.input;
    if (x.source == builder::image && !x.shared && a.values.size() <= 1 && of_pixels) {
      prepare(a.values.empty() ? 1 : a.values.front(), b.values);
      return x;
    }
    if (a.each == kind::pixels || b.each == kind::pixels) fail("its constant differs from pixel to pixel");
    std::size_t const before = settled(x), channels = layers_.shape(before)[0];
    constants_.memory.charge(2 * channels * sizeof(float));
    auto factors = widened(a.values, channels, 1), offsets = b.values;
    if (!offsets.empty()) offsets = widened(b.values, channels, 0);
    activation y = x;
    y.source = before;
    if (!x.shared && before != builder::image && fold(before, a.values.empty(), factors, offsets)) return y;
    y = layer_behind(y, layer::scale{.bias = !offsets.empty()}, x.dims);
    if (!offsets.empty()) layers_.set(y.source, "bias", {channels}, std::move(offsets));
    layers_.set(y.source, "weight", {channels}, std::move(factors));
    return y;
  }
  static std::vector<float> widened(std::vector<float> const& v, std::size_t size, float otherwise) {
    return v.size() == size ? v : std::vector<float>(size, v.empty() ? otherwise : v.front());
  }
  /// Makes y = a x + b part of layer k, whose output is x, if it is a scale, or if it has weights and a = 1.
  bool fold(std::size_t k, bool adds, std::vector<float> const& a, std::vector<float> b) {
    bool const is_scale = std::holds_alternative<layer::scale>(layers_.what(k));
    bool* const has_bias = bias_of(k);
    if (has_bias == nullptr || !(is_scale || adds)) return false;
    auto const by = [](std::vector<float>& v, std::vector<float> const& other, auto const& operation) {
      std::transform(v.begin(), v.end(), other.begin(), v.begin(), operation);
    };
    if (is_scale) by(*layers_.values(k, "weight"), a, std::multiplies{});
    if (*has_bias) {
      auto& bias = *layers_.values(k, "bias");
      by(bias, a, std::multiplies{});
      if (!b.empty()) by(bias, b, std::plus{});
    } else if (!b.empty()) {
      *has_bias = true;
      layers_.set(k, "bias", {a.size()}, std::move(b));
    }
    return true;
  }
  /// The option of a layer that a bias can be added to.
  bool* bias_of(std::size_t k) {
    if (auto* const l = std::get_if<layer::convolution>(&layers_.what(k))) return &l->bias;
    if (auto* const l = std::get_if<layer::inner_product>(&layers_.what(k))) return &l->bias;
    if (auto* const l = std::get_if<layer::scale>(&layers_.what(k))) return &l->bias;
    return nullptr;
  }

  /// a (s x - m) + b = (a s) x - (a m - b)
  void prepare(float a, std::vector<float> const& b) {
    preprocessing& p = network_.prepare;
    p.scale *= a;
    if (p.mean.size() < b.size()) {
      std::size_t const channels = network_.input[0], plane = b.size() / channels;
      std::vector<float> wider(b.size());
      for (std::size_t i = 0; i < b.size() && !p.mean.empty(); ++i) wider[i] = p.mean[p.mean.size() == channels ? i / plane : 0];
      p.mean = std::move(wider);
    }
    for (std::size_t i = 0; i < p.mean.size(); ++i) {
      std::size_t const plane = b.empty() ? 1 : p.mean.size() / b.size();
      p.mean[i] = a * p.mean[i] - (b.empty() ? 0 : b[i / plane]);
    }
    bool const finite = std::isfinite(p.scale) && std::all_of(p.mean.begin(), p.mean.end(), [](float m) { return std::isfinite(m); });
    if (!finite) fail("with it the image is scaled beyond all floats");
  }

  graph& network_;
  builder& layers_;
  store& constants_;
  std::string name_;
  bool is_score_ = false;
  std::map<std::pair<std::size_t, image_shape>, std::size_t> reshaped_;  // layers that give another the shape they have
};

}  // namespace pareidolia::detail::onnx
