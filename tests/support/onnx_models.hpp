// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <protozero/pbf_writer.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// Writes ONNX models as exporters do.
namespace pareidolia_test::onnx {

using extents = std::vector<std::int64_t>;

/// TensorProto. `raw`: in raw_data, else in the field of its type.
struct tensor {
  std::string name;
  extents dims;
  std::variant<std::vector<float>, std::vector<std::int64_t>, std::vector<double>> values;
  bool raw = true;
};

template <class T>
std::string bytes_of(std::vector<T> const& values) {
  return {reinterpret_cast<char const*>(values.data()), values.size() * sizeof(T)};
}

/// A tensor of any type whose values are `raw` bytes.
inline std::string encode(std::string const& name, extents const& dims, std::int32_t type, std::string const& raw) {
  std::string bytes;
  protozero::pbf_writer fields{bytes};
  fields.add_packed_int64(1, dims.begin(), dims.end());
  fields.add_int32(2, type);
  fields.add_string(8, name);
  fields.add_bytes(9, raw);
  return bytes;
}
inline std::string encode(tensor const& t) {
  std::int32_t const type = t.values.index() == 0 ? 1 : t.values.index() == 1 ? 7 : 11;
  if (t.raw) return encode(t.name, t.dims, type, std::visit([](auto const& v) { return bytes_of(v); }, t.values));
  std::string bytes;
  protozero::pbf_writer fields{bytes};
  for (std::int64_t const extent : t.dims) fields.add_int64(1, extent);
  fields.add_int32(2, type);
  if (auto const* const v = std::get_if<0>(&t.values)) fields.add_packed_float(4, v->begin(), v->end());
  if (auto const* const v = std::get_if<1>(&t.values)) fields.add_packed_int64(7, v->begin(), v->end());
  if (auto const* const v = std::get_if<2>(&t.values)) fields.add_packed_double(10, v->begin(), v->end());
  fields.add_string(8, t.name);
  return bytes;
}
/// A tensor whose values are in another file.
inline std::string external(std::string const& name, extents const& dims, std::vector<std::pair<std::string, std::string>> const& place) {
  std::string bytes;
  protozero::pbf_writer fields{bytes};
  fields.add_packed_int64(1, dims.begin(), dims.end());
  fields.add_int32(2, 1);
  fields.add_string(8, name);
  for (auto const& [key, value] : place) {
    std::string entry;
    protozero::pbf_writer pair{entry};
    pair.add_string(1, key);
    pair.add_string(2, value);
    fields.add_message(13, entry);
  }
  fields.add_enum(14, 1);
  return bytes;
}

/// AttributeProto.
struct attribute {
  std::string name;
  std::variant<float, std::int64_t, std::string, extents, std::vector<float>, tensor> value;
};
inline std::string encode(attribute const& a) {
  std::string bytes;
  protozero::pbf_writer fields{bytes};
  fields.add_string(1, a.name);
  if (auto const* const v = std::get_if<float>(&a.value)) fields.add_float(2, *v), fields.add_enum(20, 1);
  if (auto const* const v = std::get_if<std::int64_t>(&a.value)) fields.add_int64(3, *v), fields.add_enum(20, 2);
  if (auto const* const v = std::get_if<std::string>(&a.value)) fields.add_string(4, *v), fields.add_enum(20, 3);
  if (auto const* const v = std::get_if<tensor>(&a.value)) fields.add_message(5, encode(*v)), fields.add_enum(20, 4);
  if (auto const* const v = std::get_if<std::vector<float>>(&a.value)) {
    for (float const f : *v) fields.add_float(7, f);
    fields.add_enum(20, 6);
  }
  if (auto const* const v = std::get_if<extents>(&a.value)) {
    for (std::int64_t const i : *v) fields.add_int64(8, i);
    fields.add_enum(20, 7);
  }
  return bytes;
}

/// NodeProto.
struct node {
  std::string operation;
  std::vector<std::string> inputs, outputs;
  std::vector<attribute> attributes = {};
  std::string name = {}, domain = {};
};
inline std::string encode(node const& n) {
  std::string bytes;
  protozero::pbf_writer fields{bytes};
  for (std::string const& input : n.inputs) fields.add_string(1, input);
  for (std::string const& output : n.outputs) fields.add_string(2, output);
  if (!n.name.empty()) fields.add_string(3, n.name);
  fields.add_string(4, n.operation);
  for (attribute const& a : n.attributes) fields.add_message(5, encode(a));
  if (!n.domain.empty()) fields.add_string(7, n.domain);
  return bytes;
}

/// A float input or output; extents below 1 are written as symbols.
inline std::string tensor_info(std::string const& name, extents const& dims, std::int32_t type = 1) {
  std::string shape, tensor_type, kind, info;
  for (std::int64_t const extent : dims) {
    std::string dimension;
    if (extent > 0)
      protozero::pbf_writer{dimension}.add_int64(1, extent);
    else
      protozero::pbf_writer{dimension}.add_string(2, "n");
    protozero::pbf_writer{shape}.add_message(1, dimension);
  }
  protozero::pbf_writer tensor_fields{tensor_type};
  tensor_fields.add_enum(1, type);
  tensor_fields.add_message(2, shape);
  protozero::pbf_writer{kind}.add_message(1, tensor_type);
  protozero::pbf_writer fields{info};
  fields.add_string(1, name);
  fields.add_message(2, kind);
  return info;
}

/// ModelProto. The image is 'x', the scores are 'y'.
struct model {
  std::int64_t opset = 13;
  extents image;
  std::vector<node> nodes;
  std::vector<tensor> constants = {};
  std::vector<std::string> encoded_constants = {};
  std::vector<std::string> inputs = {};  ///< more value infos, as old files have for their constants
  std::vector<std::string> outputs = {"y"};
};
inline std::string encode(model const& m) {
  std::string graph, opset, bytes;
  protozero::pbf_writer fields{graph};
  for (node const& n : m.nodes) fields.add_message(1, encode(n));
  fields.add_string(2, "made by a test");
  for (tensor const& t : m.constants) fields.add_message(5, encode(t));
  for (std::string const& t : m.encoded_constants) fields.add_message(5, t);
  fields.add_message(11, tensor_info("x", m.image));
  for (std::string const& input : m.inputs) fields.add_message(11, input);
  for (std::string const& output : m.outputs) fields.add_message(12, tensor_info(output, {}));
  protozero::pbf_writer{opset}.add_int64(2, m.opset);
  protozero::pbf_writer file{bytes};
  file.add_int64(1, 8);
  file.add_message(7, graph);
  file.add_message(8, opset);
  return bytes;
}

}  // namespace pareidolia_test::onnx
