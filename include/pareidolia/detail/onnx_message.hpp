// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/message_reader.hpp>

#include <protozero/varint.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The messages of onnx.proto as far as they are read, by their field numbers.
namespace pareidolia::detail::onnx {

using wire::fixed32, wire::message, wire::packed, wire::varint;

constexpr std::size_t longest_name = 512, longest_list = 1024;

/// What a node asks for and the library does not have, whatever the node reads. Other errors may follow from what came before.
class unsupported : public error {
 public:
  using error::error;
};
template <class... Parts>
[[noreturn]] void refuse(Parts const&... parts) {
  throw unsupported(text(parts...));
}

/// Counts what is allocated against allocation_limit() of the files it is read from.
class ledger {
 public:
  void add_file(std::uint64_t size) { size_ += size; }
  void charge(std::uint64_t bytes) {
    std::uint64_t const limit = allocation_limit(size_);
    if (bytes > limit || spent_ > limit - bytes)
      fail("what it holds takes more memory than 4 times its size; such a file is damaged or made to exhaust memory");
    spent_ += bytes;
  }
  void refund(std::uint64_t bytes) { spent_ -= bytes; }

 private:
  std::uint64_t size_ = 0, spent_ = 0;
};

inline std::string name_of(message_reader const& field) { return field.bytes(longest_name); }

/// Appends the integers of a field, packed or single.
inline void append_integers(message_reader const& field, std::vector<std::int64_t>& to) {
  auto const append = [&](std::uint64_t bits) {
    if (to.size() == longest_list) fail("a list in it has more than ", longest_list, " numbers");
    to.push_back(static_cast<std::int64_t>(bits));
  };
  if ((field.tag_and_type() & 7) == 0) return append(field.bits());
  std::string const bytes = field.bytes(longest_list * protozero::max_varint_length);
  for (char const *at = bytes.data(), *const end = at + bytes.size(); at != end;) append(protozero::decode_varint(&at, end));
}

/// NodeProto without its attributes.
struct node_message {
  std::string name, operation, domain;
  std::vector<std::string> inputs, outputs;
};
inline node_message read_node(message_reader fields) {
  node_message n;
  auto const append = [&](std::vector<std::string>& names) {
    if (names.size() == longest_list) fail("a node has more than ", longest_list, " inputs or outputs");
    names.push_back(name_of(fields));
  };
  while (fields.next()) switch (fields.tag_and_type()) {
      case message(1):
        append(n.inputs);
        break;
      case message(2):
        append(n.outputs);
        break;
      case message(3):
        n.name = name_of(fields);
        break;
      case message(4):
        n.operation = name_of(fields);
        break;
      case message(7):
        n.domain = name_of(fields);
        break;
    }
  if (n.domain == "ai.onnx") n.domain.clear();
  return n;
}

/// The attributes of a node, read from the file when they are asked for. Of two with one name the last counts, as in protobuf.
class attributes {
 public:
  explicit attributes(message_reader const& node) : node_(node) {}

  [[nodiscard]] bool has(std::string_view name) const { return named(name).has_value(); }
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t otherwise) const {
    auto const found = value(name, 2, varint(3));
    return found ? static_cast<std::int64_t>(found->bits()) : has(name) ? 0 : otherwise;  // proto3 writes no 0
  }
  [[nodiscard]] float real(std::string_view name, float otherwise) const {
    auto const found = value(name, 1, fixed32(2));
    return found ? std::bit_cast<float>(static_cast<std::uint32_t>(found->bits())) : has(name) ? 0 : otherwise;
  }
  [[nodiscard]] std::string text(std::string_view name, std::string otherwise) const {
    auto const found = value(name, 3, message(4));
    return found ? name_of(*found) : otherwise;
  }
  /// Empty if there are none.
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view name) const {
    std::vector<std::int64_t> list;
    if (auto found = named(name); found && is_of_type(*found, name, 7))
      while (found->next())
        if (found->tag_and_type() == packed(8) || found->tag_and_type() == varint(8)) append_integers(*found, list);
    return list;
  }
  [[nodiscard]] std::vector<float> reals(std::string_view name) const {
    std::vector<float> list;
    auto const append = [&](float v) {
      if (list.size() == longest_list) fail("the list '", name, "' has more than ", longest_list, " numbers");
      list.push_back(v);
    };
    if (auto found = named(name); found && is_of_type(*found, name, 6))
      while (found->next()) {
        if (found->tag_and_type() == packed(7)) found->each<float>(append);
        if (found->tag_and_type() == fixed32(7)) append(std::bit_cast<float>(static_cast<std::uint32_t>(found->bits())));
      }
    return list;
  }
  [[nodiscard]] std::optional<message_reader> tensor(std::string_view name) const {
    auto const found = value(name, 4, message(5));
    return found ? std::optional(found->message()) : std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<message_reader> named(std::string_view name) const {
    std::optional<message_reader> found;
    for (auto fields = node_; fields.next();) {
      if (fields.tag_and_type() != message(5)) continue;
      for (auto attribute = fields.message(); attribute.next();)
        if (attribute.tag_and_type() == message(1) && attribute.size() == name.size() && name_of(attribute) == name)
          found = fields.message();
    }
    return found;
  }
  /// The type may be left out in files of the first versions.
  static bool is_of_type(message_reader attribute, std::string_view name, std::uint64_t type) {
    while (attribute.next())
      if (attribute.tag_and_type() == varint(20) && attribute.bits() != type)
        fail("its attribute '", name, "' has type ", attribute.bits(), "; ", type, " is wanted");
    return true;
  }
  /// The field with the value of an attribute.
  [[nodiscard]] std::optional<message_reader> value(std::string_view name, std::uint64_t type, std::uint32_t tag) const {
    std::optional<message_reader> found;
    if (auto attribute = named(name); attribute && is_of_type(*attribute, name, type))
      while (attribute->next())
        if (attribute->tag_and_type() == tag) found = *attribute;
    return found;
  }

  message_reader node_;
};

/// ValueInfoProto of a tensor: its extents, -1 for those that are not numbers; none if the file does not say.
struct value_info {
  std::string name;
  std::uint64_t type = 0;
  std::vector<std::int64_t> dims;
};
inline value_info read_value_info(message_reader fields) {
  value_info v;
  auto const read_shape = [&](message_reader shape) {
    while (shape.next()) {
      if (shape.tag_and_type() != message(1)) continue;
      if (v.dims.size() == longest_list) fail("its shape has more than ", longest_list, " dimensions");
      v.dims.push_back(-1);
      for (auto dimension = shape.message(); dimension.next();)
        if (dimension.tag_and_type() == varint(1)) v.dims.back() = static_cast<std::int64_t>(dimension.bits());
    }
  };
  while (fields.next()) {
    if (fields.tag_and_type() == message(1)) v.name = name_of(fields);
    if (fields.tag_and_type() != message(2)) continue;
    for (auto type = fields.message(); type.next();) {
      if (type.tag_and_type() != message(1)) continue;
      for (auto tensor = type.message(); tensor.next();) {
        if (tensor.tag_and_type() == varint(1)) v.type = tensor.bits();
        if (tensor.tag_and_type() == message(2)) read_shape(tensor.message());
      }
    }
  }
  return v;
}

/// ModelProto and its GraphProto, without the nodes: these are read one by one.
struct model_message {
  std::uint64_t opset = 0;
  std::string name;
  std::optional<message_reader> graph;
  std::map<std::string, message_reader> initializers;
  std::vector<value_info> inputs;              ///< without the initializers, which old files list too
  std::string output;                          ///< the first of them
  std::map<std::string, std::size_t> names;    ///< how many nodes bear a name
  std::map<std::string, std::size_t> readers;  ///< how often a tensor is read, by nodes or as an output
};

/// Calls visit(node, its message) for each node.
template <class Visit>
void for_each_node(message_reader graph, Visit const& visit) {
  while (graph.next())
    if (graph.tag_and_type() == message(1)) visit(read_node(graph.message()), graph.message());
}

inline void read_graph(message_reader const& graph, model_message& model, ledger& memory) {
  auto const room_for = [&](std::string const& name) { memory.charge(160 + name.size()); };
  auto const count = [&](std::map<std::string, std::size_t>& counts, std::string const& name) {
    if (++counts[name] == 1) room_for(name);
  };
  for (auto fields = graph; fields.next();) switch (fields.tag_and_type()) {
      case message(2):
        model.name = name_of(fields);
        break;
      case message(5): {
        std::string name;
        for (auto tensor = fields.message(); tensor.next();)
          if (tensor.tag_and_type() == message(8)) name = name_of(tensor);
        room_for(name);
        if (!model.initializers.emplace(name, fields.message()).second) fail("two of its initializers are named '", name, "'");
        break;
      }
      case message(11):
        model.inputs.push_back(read_value_info(fields.message()));
        memory.charge(sizeof(value_info) * 4 + model.inputs.back().name.size() + 16 * model.inputs.back().dims.size());
        break;
      case message(12):
        if (model.output.empty()) model.output = read_value_info(fields.message()).name;
        break;
      case message(15):
        fail("it has sparse initializers, which are not read; store them dense");
    }
  std::erase_if(model.inputs, [&](value_info const& input) { return model.initializers.contains(input.name); });
  for_each_node(graph, [&](node_message const& n, message_reader const&) {
    count(model.names, n.name);
    for (std::string const& input : n.inputs) count(model.readers, input);
  });
  if (!model.output.empty()) count(model.readers, model.output);
}

inline model_message read_model(file_reader& file, ledger& memory) {
  model_message model;
  for (message_reader fields(file); fields.next();) {
    if (fields.tag_and_type() == message(7)) model.graph = fields.message();
    if (fields.tag_and_type() != message(8)) continue;
    std::string domain;
    std::uint64_t version = 0;
    for (auto opset = fields.message(); opset.next();) {
      if (opset.tag_and_type() == message(1)) domain = name_of(opset);
      if (opset.tag_and_type() == varint(2)) version = opset.bits();
    }
    if (domain.empty() || domain == "ai.onnx") model.opset = version;
  }
  if (!model.graph) fail("it has no graph; this is no ONNX model, or it is cut short");
  if (model.opset == 0) model.opset = 1;  // files older than the numbering
  if (model.opset > 21)
    fail("its operators are those of opset ", model.opset,
         "; 1 to 21 are read: export it for one of them, or convert it with "
         "onnx.version_converter");
  read_graph(*model.graph, model, memory);
  return model;
}

}  // namespace pareidolia::detail::onnx
