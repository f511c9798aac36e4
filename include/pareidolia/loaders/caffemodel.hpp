// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/models/weights.hpp>

#include <protozero/pbf_reader.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {
namespace detail::caffe {

// Field numbers of caffe.proto. A field of the wrong wire type is unknown, as protobuf has it.
constexpr std::uint32_t message(std::uint32_t number) { return (number << 3) | 2; }
constexpr std::uint32_t packed(std::uint32_t number) { return message(number); }
constexpr std::uint32_t varint(std::uint32_t number) { return number << 3; }
constexpr std::uint32_t fixed32(std::uint32_t number) { return (number << 3) | 5; }
constexpr std::uint32_t fixed64(std::uint32_t number) { return (number << 3) | 1; }

/// Bounds that keep a hostile file from making the names, shapes and nodes of a result larger than its numbers.
constexpr std::size_t most_axes = 32;  // Caffe's own kMaxBlobAxes
constexpr std::size_t most_arrays = 4096, longest_name = 256;

/// BlobShape, or the num, channels, height and width that came before it. Legacy shapes always have four extents.
struct blob_shape {
  std::vector<std::int64_t> extents;
  std::array<std::int64_t, 4> legacy{};
  bool is_legacy = false;
};

inline void read_extents(protozero::pbf_reader fields, std::vector<std::int64_t>& extents) {
  auto const append = [&](std::int64_t extent) {
    if (extents.size() == most_axes) fail("its shape has more than ", most_axes, " dimensions");
    extents.push_back(extent);
  };
  while (fields.next()) switch (fields.tag_and_type()) {
      case packed(1):
        for (std::int64_t const extent : fields.get_packed_int64()) append(extent);
        break;
      case varint(1):
        append(fields.get_int64());
        break;
      default:
        fields.skip();
    }
}

inline blob_shape read_shape(protozero::pbf_reader fields) {
  blob_shape shape;
  bool has_extents = false;
  auto const set = [&](std::size_t axis) {
    shape.legacy[axis] = fields.get_int32();
    shape.is_legacy = true;
  };
  while (fields.next()) switch (fields.tag_and_type()) {
      case varint(1):
        set(0);
        break;
      case varint(2):
        set(1);
        break;
      case varint(3):
        set(2);
        break;
      case varint(4):
        set(3);
        break;
      case message(7):
        has_extents = true;
        read_extents(fields.get_message(), shape.extents);
        break;
      default:
        fields.skip();
    }
  if (has_extents) shape.is_legacy = false;
  if (shape.is_legacy) shape.extents.assign(shape.legacy.begin(), shape.legacy.end());
  return shape;
}

/// The numbers of a blob, as Caffe has them: data, or double_data.
inline std::vector<float> read_values(protozero::pbf_reader const blob) {
  std::size_t floats = 0, doubles = 0;
  for (auto fields = blob; fields.next();) switch (fields.tag_and_type()) {
      case packed(5):
        floats += fields.get_packed_float().size();
        break;
      case fixed32(5):
        fields.skip(), ++floats;
        break;
      case packed(8):
        doubles += fields.get_packed_double().size();
        break;
      case fixed64(8):
        fields.skip(), ++doubles;
        break;
      default:
        fields.skip();
    }
  if (floats != 0 && doubles != 0) fail("it has both float and double values");

  std::vector<float> values;
  values.reserve(floats + doubles);
  auto const append = [&](double v) {
    if (!(std::abs(v) <= double{std::numeric_limits<float>::max()}))
      fail("value ", values.size(), " is ", v, ", not a finite float; the training that made this file diverged, or the file is damaged");
    values.push_back(static_cast<float>(v));
  };
  for (auto fields = blob; fields.next();) switch (fields.tag_and_type()) {
      case packed(5):
        for (float const v : fields.get_packed_float()) append(double{v});
        break;
      case fixed32(5):
        append(double{fields.get_float()});
        break;
      case packed(8):
        for (double const v : fields.get_packed_double()) append(v);
        break;
      case fixed64(8):
        append(fields.get_double());
        break;
      default:
        fields.skip();
    }
  return values;
}

inline parameter read_blob(protozero::pbf_reader const blob, std::size_t index) {
  blob_shape const given = read_shape(blob);
  parameter result{{}, read_values(blob)};
  if (result.values.empty()) fail("it has no values");
  std::size_t expected = 1;
  bool agrees = true;
  for (std::int64_t const extent : given.extents) {
    if (extent < 0) fail("its shape has a negative extent, ", extent);
    auto const n = static_cast<std::size_t>(extent);
    agrees = agrees && n != 0 && expected <= result.values.size() / n;
    if (agrees) expected *= n;
    result.shape.push_back(n);
  }
  if (!agrees || expected != result.values.size()) {
    std::string shape;
    for (std::size_t const extent : result.shape) shape += (shape.empty() ? "" : "x") + std::to_string(extent);
    fail("its shape ", shape.empty() ? "of a scalar" : shape, " disagrees with its ", result.values.size(), " values");
  }
  if (given.is_legacy) {
    // (1, 1, outputs, inputs) was an inner product and (1, 1, 1, n) a bias; only a convolution's four extents are its own.
    std::size_t const kept = index == 0 ? 2 : 1;
    auto const from = result.shape.begin(), to = result.shape.end() - static_cast<std::ptrdiff_t>(kept);
    if (std::all_of(from, to, [](std::size_t extent) { return extent == 1; })) result.shape.erase(from, to);
  }
  return result;
}

/// Field numbers of a layer message: LayerParameter and V1LayerParameter differ in nothing else that matters here.
struct layer_fields {
  std::uint32_t name, blob;
};

class reader {
 public:
  explicit reader(weights& result) : result_(result) {}

  void read_network(protozero::pbf_reader fields) {
    while (fields.next()) switch (fields.tag_and_type()) {
        case message(100):
          read_layer(fields.get_message(), {message(1), message(7)});
          break;
        case message(2):
          read_layer(fields.get_message(), {message(4), message(6)});
          break;
        default:
          fields.skip();
      }
  }

  /// Where the reading is, for messages: " in layer 'ip1'".
  [[nodiscard]] std::string place() const { return name_.empty() ? "" : " in or after layer '" + name_ + "'"; }

 private:
  void read_layer(protozero::pbf_reader const layer, layer_fields numbers) {
    std::string name;
    bool has_blobs = false;
    for (auto fields = layer; fields.next();) {
      if (fields.tag_and_type() == numbers.name) {
        auto const text = fields.get_view();
        if (text.size() > longest_name)
          fail("a layer's name", place(), " has ", text.size(), " characters; at most ", longest_name, " are read");
        name.assign(text.data(), text.size());
      } else {
        has_blobs = has_blobs || fields.tag_and_type() == numbers.blob;
        fields.skip();
      }
    }
    if (has_blobs && name.empty()) fail("a layer with parameters", place(), " has no name");
    if (!name.empty()) name_ = name;
    if (!has_blobs) return;
    if (result_.parameters.contains(name + ".weight")) fail("two layers with parameters are named '", name, "'");

    std::size_t index = 0;
    for (auto fields = layer; fields.next();) {
      if (fields.tag_and_type() != numbers.blob) {
        fields.skip();
        continue;
      }
      if (result_.parameters.size() == most_arrays) fail("it has more than ", most_arrays, " arrays", place());
      std::string const array = name + (index == 0 ? ".weight" : index == 1 ? ".bias" : ".blob" + std::to_string(index));
      try {
        result_.parameters.emplace(array, read_blob(fields.get_message(), index));
      } catch (error const& e) {
        fail("array '", array, "': ", e.what());
      }
      ++index;
    }
  }

  weights& result_;
  std::string name_;
};

}  // namespace detail::caffe

/// The parameters in a caffemodel: a binary NetParameter of Caffe, with layers of either generation (LayerParameter, V1LayerParameter).
///
/// Blob 0 of a layer becomes layer.weight, blob 1 layer.bias, blob k layer.blobk; layers without blobs add nothing. Files from before 2015
/// pad every shape to four extents: of these, (1, 1, m, n) becomes (m, n), and (1, 1, 1, n) of a blob other than the first becomes (n).
/// A convolution of one output and one channel is not told from an inner product in such a file; engines compare shapes without leading
/// ones.
/// Memory: the file and its values, at most twice the size of the file, and at most 4 MB more for names and shapes.
/// Errors: a missing, empty, truncated or damaged file, a shape that disagrees with its values, two layers of one name, values that are NaN
/// or infinite; the message names the file and the array.
[[nodiscard]] inline weights read_caffemodel(std::filesystem::path const& path) {
  std::string const bytes = detail::read_file(path);
  std::string const where = path.string() + ": ";
  if (bytes.empty()) detail::fail(where, "the file is empty");
  weights result;
  result.source = path.string();
  detail::caffe::reader reader(result);
  try {
    reader.read_network(protozero::pbf_reader{bytes});
  } catch (protozero::exception const& e) {
    detail::fail(where, "this is no caffemodel, or it is cut short or damaged", reader.place(), " (", e.what(), ")");
  } catch (error const& e) {
    detail::fail(where, e.what());
  }
  if (result.parameters.empty()) detail::fail(where, "no layer in it has parameters; give a trained caffemodel");
  return result;
}

}  // namespace pareidolia
