// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/onnx_message.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/weights.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::onnx {

/// A graph and its weights while they grow, layer by layer.
class builder {
 public:
  static constexpr std::size_t image = planned_graph::image;

  builder(graph& network, weights& parameters, ledger& memory, std::string image_name)
      : network_(network), parameters_(parameters), memory_(memory), image_name_(std::move(image_name)) {}

  /// Adds a layer that reads the layers `inputs` and returns its number. Errors: shapes that do not fit.
  std::size_t add(std::string name, layer::operation what, std::vector<std::size_t> inputs) {
    infer shapes{};
    for (std::size_t const from : inputs) shapes.all.push_back(shape(from));
    shapes.in = shapes.all.front();
    image_shape const out = std::visit(shapes, what);
    if (checked_product(out) == 0) fail("its output ", detail::to_text(out), " is empty");
    memory_.charge(640 + 4 * name.size() + 64 * inputs.size());
    while (!names_.insert(name).second) name += "_";
    nonnegative_.push_back(is_nonnegative(what, inputs));
    shapes_.push_back(out);
    network_.nodes.push_back({std::move(name), std::move(what)});
    inputs_.push_back(std::move(inputs));
    return shapes_.size() - 1;
  }

  /// A layer that is the image: layers name what they read, and the image has no name.
  std::size_t named_image() {
    if (image_layer_ == image) image_layer_ = add(image_name_, layer::dropout{}, {image});
    return image_layer_;
  }

  [[nodiscard]] image_shape const& shape(std::size_t k) const { return k == image ? network_.input : shapes_[k]; }
  /// True when no value of layer k can be negative.
  [[nodiscard]] bool nonnegative(std::size_t k) const { return k != image && nonnegative_[k]; }
  [[nodiscard]] layer::operation& what(std::size_t k) { return network_.nodes[k].what; }

  void set(std::size_t k, std::string_view array, std::vector<std::size_t> shape, std::vector<float> values) {
    std::size_t const wanted = checked_product(shape);
    if (values.size() != wanted) fail("its ", array, " is ", values.size(), " numbers; ", wanted, " are wanted");
    parameters_.parameters[key(k, array)] = {std::move(shape), std::move(values)};
  }
  /// The values of an array of layer k; null if it has no such.
  [[nodiscard]] std::vector<float>* values(std::size_t k, std::string_view array) {
    auto const found = parameters_.parameters.find(key(k, array));
    return found == parameters_.parameters.end() ? nullptr : &found->second.values;
  }

  /// Ends the graph with layer `last`, without what that does not depend on.
  void finish(std::size_t last) {
    std::vector<bool> read(shapes_.size());
    read[last] = true;
    for (std::size_t k = last + 1; k-- > 0;)
      for (std::size_t const from : inputs_[k])
        if (read[k] && from != image) read[from] = true;
    auto& nodes = network_.nodes;
    std::size_t before = image;  // the node that is kept before this
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      if (!read[k])
        for (auto const* array : {"weight", "bias", "running_mean", "running_var"}) parameters_.parameters.erase(key(k, array));
      else if (inputs_[k] != std::vector{std::exchange(before, k)})
        for (std::size_t const from : inputs_[k]) nodes[k].inputs.push_back(nodes[from].name);
    }
    std::size_t kept = 0;
    for (std::size_t k = 0; k < nodes.size(); ++k)
      if (read[k]) std::swap(nodes[kept++], nodes[k]);
    nodes.resize(kept);
  }

 private:
  [[nodiscard]] std::string key(std::size_t k, std::string_view array) const { return network_.nodes[k].name + "." + std::string(array); }

  [[nodiscard]] bool is_nonnegative(layer::operation const& what, std::vector<std::size_t> const& inputs) const {
    if (auto const* const a = std::get_if<layer::activation>(&what))
      return a->kind == layer::function::sigmoid || (a->kind == layer::function::relu && a->slope == 0);
    if (auto const* const c = std::get_if<layer::clip>(&what)) return c->low >= 0;
    if (std::holds_alternative<layer::softmax>(what)) return true;
    bool const computes = std::holds_alternative<layer::convolution>(what) || std::holds_alternative<layer::inner_product>(what) ||
                          std::holds_alternative<layer::scale>(what) || std::holds_alternative<layer::batch_normalization>(what);
    return !computes && std::all_of(inputs.begin(), inputs.end(), [&](std::size_t from) { return nonnegative(from); });
  }

  graph& network_;
  weights& parameters_;
  ledger& memory_;
  std::string image_name_;
  std::vector<std::vector<std::size_t>> inputs_;
  std::vector<image_shape> shapes_;
  std::vector<bool> nonnegative_;
  std::set<std::string> names_;
  std::size_t image_layer_ = image;
};

}  // namespace pareidolia::detail::onnx
