// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/message_reader.hpp>
#include <pareidolia/models/weights.hpp>

#include <protozero/pbf_reader.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

// Caffe's BlobProto: field numbers are those of caffe.proto.

namespace pareidolia::detail::caffe {

using wire::fixed32, wire::fixed64, wire::message, wire::packed, wire::varint;

constexpr std::size_t most_axes = 32;  // Caffe's own kMaxBlobAxes
constexpr std::size_t longest_shape = 1024;

/// BlobShape, or the num, channels, height and width that came before it. Legacy shapes always have four extents.
struct blob_shape {
  std::vector<std::int64_t> extents;
  std::array<std::int64_t, 4> legacy{};
  bool is_legacy = false;
};

inline void read_extents(std::string const& bytes, std::vector<std::int64_t>& extents) {
  auto const append = [&](std::int64_t extent) {
    if (extents.size() == most_axes) fail("its shape has more than ", most_axes, " dimensions");
    extents.push_back(extent);
  };
  for (protozero::pbf_reader fields{bytes}; fields.next();) switch (fields.tag_and_type()) {
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

inline blob_shape read_shape(message_reader fields) {
  blob_shape shape;
  bool has_extents = false;
  auto const set = [&](std::size_t axis) {
    shape.legacy[axis] = static_cast<std::int32_t>(fields.bits());
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
        read_extents(fields.bytes(longest_shape), shape.extents);
        break;
    }
  if (has_extents) shape.is_legacy = false;
  if (shape.is_legacy) shape.extents.assign(shape.legacy.begin(), shape.legacy.end());
  return shape;
}

/// The numbers of a blob, as Caffe has them: data, or double_data.
inline std::vector<float> read_values(message_reader const& blob) {
  std::uint64_t floats = 0, doubles = 0;
  for (auto fields = blob; fields.next();) switch (fields.tag_and_type()) {
      case packed(5):
        floats += fields.size() / sizeof(float);
        break;
      case fixed32(5):
        ++floats;
        break;
      case packed(8):
        doubles += fields.size() / sizeof(double);
        break;
      case fixed64(8):
        ++doubles;
        break;
    }
  if (floats != 0 && doubles != 0) fail("it has both float and double values");

  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(floats + doubles));
  auto const append = [&](double v) {
    if (!(std::abs(v) <= double{std::numeric_limits<float>::max()}))
      fail("value ", values.size(), " is ", v, ", not a finite float; the training that made this file diverged, or the file is damaged");
    values.push_back(static_cast<float>(v));
  };
  for (auto fields = blob; fields.next();) switch (fields.tag_and_type()) {
      case packed(5):
        fields.each<float>(append);
        break;
      case fixed32(5):
        append(std::bit_cast<float>(static_cast<std::uint32_t>(fields.bits())));
        break;
      case packed(8):
        fields.each<double>(append);
        break;
      case fixed64(8):
        append(std::bit_cast<double>(fields.bits()));
        break;
    }
  return values;
}

/// An array, and whether its shape is of the old kind, padded to four extents.
struct blob {
  parameter content;
  bool is_legacy;
};

inline blob read_blob(message_reader const& fields) {
  blob_shape const given = read_shape(fields);
  parameter result{{}, read_values(fields)};
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
  return {std::move(result), given.is_legacy};
}

}  // namespace pareidolia::detail::caffe
