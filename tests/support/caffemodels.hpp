// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <protozero/pbf_writer.hpp>

#include <cstdint>
#include <string>
#include <vector>

// Messages of caffe.proto. A network is a sequence of messages: networks are joined by joining their bytes.

namespace pareidolia_test::caffe {

/// An array to write, and in which of the ways that Caffe knows.
struct blob {
  std::vector<std::int64_t> extents;
  std::vector<float> values;
  bool legacy = false, packed = true, doubles = false;
};

inline std::string encode(blob const& b) {
  std::string bytes;
  protozero::pbf_writer fields{bytes};
  if (b.legacy) {
    for (std::uint32_t axis = 0; axis < 4; ++axis) fields.add_int32(axis + 1, static_cast<std::int32_t>(b.extents[axis]));
  } else {
    std::string extents;
    protozero::pbf_writer{extents}.add_packed_int64(1, b.extents.begin(), b.extents.end());
    fields.add_message(7, extents);
  }
  std::vector<double> const doubles(b.values.begin(), b.values.end());
  if (b.doubles && b.packed)
    fields.add_packed_double(8, doubles.begin(), doubles.end());
  else if (b.doubles)
    for (double const v : doubles) fields.add_double(8, v);
  else if (b.packed)
    fields.add_packed_float(5, b.values.begin(), b.values.end());
  else
    for (float const v : b.values) fields.add_float(5, v);
  return bytes;
}

/// A network of one layer of today.
inline std::string layer(std::string const& name, std::vector<blob> const& blobs, std::string const& type = "InnerProduct") {
  std::string bytes, network;
  protozero::pbf_writer fields{bytes};
  fields.add_string(1, name);
  fields.add_string(2, type);
  for (blob const& b : blobs) fields.add_message(7, encode(b));
  protozero::pbf_writer{network}.add_message(100, bytes);
  return network;
}

/// The same of Caffe's first generation.
inline std::string old_layer(std::string const& name, std::vector<blob> const& blobs) {
  std::string bytes, network;
  protozero::pbf_writer fields{bytes};
  fields.add_string(2, "bottom");
  for (blob const& b : blobs) fields.add_message(6, encode(b));
  fields.add_string(4, name);  // after the blobs: the order of fields is free
  fields.add_enum(5, 14);
  protozero::pbf_writer{network}.add_message(2, bytes);
  return network;
}

/// A network that has nothing but a name.
inline std::string named(std::string const& name) {
  std::string bytes;
  protozero::pbf_writer{bytes}.add_string(1, name);
  return bytes;
}

}  // namespace pareidolia_test::caffe
