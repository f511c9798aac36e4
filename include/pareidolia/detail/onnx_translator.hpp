// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/onnx_array.hpp>
#include <pareidolia/detail/onnx_builder.hpp>
#include <pareidolia/detail/onnx_constants.hpp>
#include <pareidolia/detail/onnx_message.hpp>
#include <pareidolia/detail/onnx_operators.hpp>
#include <pareidolia/detail/onnx_value.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/weights.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::onnx {

/// Goes through the nodes of a model, which are in an order in which each comes after what it reads: one that reads ahead, as every cycle
/// has, is refused. Nodes that are not supported are collected, so that one message tells of all.
class translator {
 public:
  translator(model_message const& model, store& constants, graph& network, weights& parameters)
      : model_(model),
        constants_(constants),
        network_(network),
        layers_(network, parameters, constants.memory, model.inputs.empty() ? "" : model.inputs.front().name),
        operators_(network, layers_, constants) {}

  void translate(image_shape const& given) {
    if (model_.output.empty()) fail("its graph has no output");
    take_input(given);
    for_each_node(*model_.graph, [&](node_message const& n, message_reader const& message) { take(n, message); });
    place_.clear();
    if (complaints_ > 0)
      fail(complaints_, " of its ", nodes_, " nodes ", complaints_ == 1 ? "is" : "are", " not supported: ", list_,
           listed_ < complaints_ ? "; and " + std::to_string(complaints_ - listed_) + " more" : "");
    auto const found = values_.find(model_.output);
    auto const* const score = found == values_.end() ? nullptr : std::get_if<activation>(&found->second);
    if (score == nullptr) fail("no node computes its output '", model_.output, "' from the image");
    if (score->source == builder::image) fail("no node computes anything");
    layers_.finish(score->source);
  }

  /// Where the reading is, for messages: " in node 'conv1' (Conv)".
  [[nodiscard]] std::string place() const { return place_.empty() ? "" : " in " + place_; }

 private:
  static constexpr std::size_t longest_message = 32768;

  void take_input(image_shape const& given) {
    if (model_.inputs.size() != 1) {
      std::string names;
      for (value_info const& input : model_.inputs) names += (names.empty() ? "'" : "', '") + input.name;
      fail("it has ", model_.inputs.size(), " inputs", names.empty() ? "" : " (" + names + "')", "; one is wanted, the image");
    }
    value_info const& input = model_.inputs.front();
    if (!is_real(static_cast<element>(input.type)))
      fail("its input '", input.name, "' is not of real numbers; export it with a float input");
    static_cast<void>(width_of(static_cast<element>(input.type)));
    extents dims = input.dims;
    if (dims.size() != 4 && dims.size() != 2)
      fail("its input '", input.name, "' has ", dims.size(), " dimensions; 4 are wanted (count, channels, height, width), or 2");
    if (dims.front() < 1) dims.front() = 1;  // any number of images: the graph is that of one
    if (dims.size() == 4) {
      for (std::size_t d : {0u, 1u, 2u}) {
        if (given != image_shape{}) dims[1 + d] = static_cast<std::int64_t>(given[d]);
        if (dims[1 + d] < 1) fail("it does not say the shape of its input '", input.name, "'; pass it as the second argument");
        network_.input[d] = to_extent(dims[1 + d], "input's extents");
      }
    } else {
      if (given != image_shape{}) dims[1] = static_cast<std::int64_t>(checked_product(given));
      if (dims[1] < 1) fail("it does not say the shape of its input '", input.name, "'; pass it as the second argument");
      network_.input = given != image_shape{} ? given : image_shape{to_extent(dims[1], "input's extents"), 1, 1};
    }
    checked_product(network_.input);
    bind(input.name, activation{builder::image, std::move(dims)});
  }

  void bind(std::string const& name, value v) {
    auto const readers = model_.readers.find(name);
    if (auto* const x = std::get_if<activation>(&v)) x->shared = x->shared || (readers != model_.readers.end() && readers->second > 1);
    auto const* const a = std::get_if<array>(&v);
    std::size_t const rank = a ? a->dims.size() : std::get<activation>(v).dims.size();
    constants_.memory.charge(sizeof(value) + 224 + 2 * name.size() + 8 * rank);
    if (name.empty()) fail(place_, " has no output");
    if (model_.initializers.contains(name) || !values_.emplace(name, std::move(v)).second)
      fail("the output '", name, "' of ", place_, " exists already");
  }

  [[nodiscard]] value find(std::string const& name) {
    if (name.empty()) return std::monostate{};
    if (auto const made = values_.find(name); made != values_.end()) return made->second;
    auto const stored = model_.initializers.find(name);
    if (stored == model_.initializers.end()) fail("it reads '", name, "', which nothing before it makes");
    try {
      return constants_.read(stored->second);
    } catch (error const& e) {
      fail("the tensor '", name, "': ", e.what());
    }
  }

  /// The name of a node if no other has it, else that of its output, which is its own.
  [[nodiscard]] std::string layer_name(node_message const& n, std::string const& output) const {
    return !n.name.empty() && model_.names.at(n.name) == 1 ? n.name : output;
  }

  void take(node_message const& n, message_reader const& message) {
    ++nodes_;
    std::string const output = n.outputs.empty() ? "" : n.outputs.front();
    std::string const name = layer_name(n, output);
    place_ = "node '" + name + "' (" + (n.domain.empty() ? "" : n.domain + ".") + n.operation + ")";
    value result = activation{builder::image, {1}, {}, true, true};  // what a node gives that is not supported
    bool doubtful = false;
    try {
      call c{n, attributes(message), {}, model_.opset};
      for (std::string const& input : n.inputs) {
        c.inputs.push_back(find(input));
        if (auto const* const x = std::get_if<activation>(&c.inputs.back())) {
          if (auto& guess = std::get<activation>(result); guess.dims.size() == 1) guess.source = x->source, guess.dims = x->dims;
          doubtful = doubtful || x->doubtful;
        }
      }
      result = evaluate(c, name, output);
      if (auto* const x = std::get_if<activation>(&result)) x->doubtful = doubtful;
    } catch (unsupported const& e) {
      complain(e.what());
    } catch (error const& e) {
      if (!doubtful) complain(e.what());
    }
    bind(output, std::move(result));
  }

  value evaluate(call const& c, std::string const& name, std::string const& output) {
    std::vector<array> shapes(c.inputs.size());
    std::vector<array const*> constants;
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      auto const* constant = std::get_if<array>(&c.inputs[i]);
      if (auto const* const x = std::get_if<activation>(&c.inputs[i]); x && c.node.operation == "Shape") {
        shapes[i].dims = x->dims;
        constant = &shapes[i];
      }
      if (constant == nullptr && c.has(i)) {
        bool const is_score = output == model_.output && model_.readers.at(output) == 1;
        operators_.begin(name, is_score);
        return operators_.translate(c);
      }
      constants.push_back(constant);
    }
    if (!c.node.domain.empty()) refuse("this operator is not known");
    return constant_node(c.node, c.options, std::move(constants), constants_).value();
  }

  void complain(std::string const& why) {
    ++complaints_;
    if (list_.size() > longest_message) return;
    list_ += (list_.empty() ? "" : "; ") + place_ + ": " + why;
    ++listed_;
  }

  model_message const& model_;
  store& constants_;
  graph& network_;
  builder layers_;
  operators operators_;
  std::map<std::string, value> values_;
  std::string place_, list_;
  std::size_t nodes_ = 0, complaints_ = 0, listed_ = 0;
};

}  // namespace pareidolia::detail::onnx
