// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/caffe_blob.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/message_reader.hpp>
#include <pareidolia/models/weights.hpp>

#include <protozero/exception.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {
namespace detail::caffe {

constexpr std::size_t longest_name = 256;

/// Field numbers of a layer message: LayerParameter and V1LayerParameter differ in nothing else that matters here. Types are text in the
/// first, numbers in the second, which is older than batch normalisation.
struct layer_fields {
  std::uint32_t name, blob, type;
};

class reader {
 public:
  reader(file_reader& file, weights& result) : file_(file), result_(result) {}

  void read_network() {
    for (message_reader fields(file_); fields.next();) switch (fields.tag_and_type()) {
        case message(100):
          read_layer(fields.message(), {message(1), message(7), message(2)});
          break;
        case message(2):
          read_layer(fields.message(), {message(4), message(6), 0});
          break;
      }
  }

  /// Where the reading is, for messages: " in layer 'ip1'".
  [[nodiscard]] std::string place() const { return name_.empty() ? "" : " in or after layer '" + name_ + "'"; }

 private:
  void read_layer(message_reader const& layer, layer_fields numbers) {
    std::string name, type;
    std::size_t blobs = 0;
    for (auto fields = layer; fields.next();) {
      if (fields.tag_and_type() == numbers.name) {
        if (fields.size() > longest_name)
          fail("a layer's name", place(), " has ", fields.size(), " characters; at most ", longest_name, " are read");
        name = fields.bytes(longest_name);
      } else if (fields.tag_and_type() == numbers.type) {
        type = fields.size() > longest_name ? "" : fields.bytes(longest_name);
      } else {
        blobs += fields.tag_and_type() == numbers.blob;
      }
    }
    if (blobs != 0 && name.empty()) fail("a layer with parameters", place(), " has no name");
    if (!name.empty()) name_ = name;
    if (blobs == 0) return;
    if (!names_.insert(name).second) fail("two layers with parameters are named '", name, "'");
    bool const normalizes = type == "BatchNorm";
    if (normalizes && blobs != 3)
      fail("the BatchNorm layer '", name, "' has ", blobs, " blobs; Caffe's has 3 (mean, variance and their factor)");

    std::size_t index = 0;
    for (auto fields = layer; fields.next();)
      if (fields.tag_and_type() == numbers.blob) {
        read_array(name + suffix(index, normalizes), fields.message(), index);
        ++index;
      }
    if (normalizes) normalize(name);
  }

  static std::string suffix(std::size_t index, bool normalizes) {
    if (normalizes && index < 2) return index == 0 ? ".running_mean" : ".running_var";
    return index == 0 ? ".weight" : index == 1 ? ".bias" : ".blob" + std::to_string(index);
  }

  void read_array(std::string const& array, message_reader const& blob, std::size_t index) {
    try {
      auto [content, is_legacy] = read_blob(blob);
      if (is_legacy) unpad(content.shape, index == 0 ? 2 : 1);
      // A map node, its texts and shapes: of a real network little beside the values, of a hostile file all there is.
      overhead_ += 512 + 2 * (array.size() + sizeof(std::size_t) * content.shape.size());
      if (overhead_ > allocation_limit(file_.size()) / 2) fail("it is one of more arrays than a file of this size can hold");
      result_.parameters.emplace(array, std::move(content));
    } catch (error const& e) {
      fail("array '", array, "': ", e.what());
    }
  }

  /// (1, 1, outputs, inputs) was an inner product and (1, 1, 1, n) a bias; only a convolution's four extents are its own.
  static void unpad(std::vector<std::size_t>& shape, std::ptrdiff_t kept) {
    if (std::all_of(shape.begin(), shape.end() - kept, [](std::size_t extent) { return extent == 1; }))
      shape.erase(shape.begin(), shape.end() - kept);
  }

  /// Caffe keeps sums of mean and variance over its iterations, and what to divide them by: 0 stands for nothing summed.
  void normalize(std::string const& name) {
    auto const last = result_.parameters.extract(name + suffix(2, true));
    if (last.mapped().values.size() != 1) fail("the factor of the BatchNorm layer '", name, "' is not one number");
    float const factor = last.mapped().values.front(), scale = factor == 0 ? 0 : 1 / factor;
    for (std::size_t index : {0u, 1u})
      for (float& v : result_.parameters.at(name + suffix(index, true)).values) {
        v *= scale;
        if (!std::isfinite(v)) fail("the factor ", factor, " of the BatchNorm layer '", name, "' is too small for its values");
      }
  }

  file_reader& file_;
  weights& result_;
  std::set<std::string> names_;  // of layers with parameters
  std::string name_;
  std::uint64_t overhead_ = 0;
};

}  // namespace detail::caffe

/// The parameters in a caffemodel: a binary NetParameter of Caffe, with layers of either generation (LayerParameter, V1LayerParameter).
///
/// Blob 0 of a layer becomes layer.weight, blob 1 layer.bias, blob k layer.blobk; layers without blobs add nothing. A BatchNorm layer has
/// layer.running_mean and layer.running_var instead, its sums divided by its third blob; weight and bias are in the Scale layer behind it.
/// Files from before 2015 pad every shape to four extents: of these, (1, 1, m, n) becomes (m, n), and (1, 1, 1, n) of a blob other than the
/// first becomes (n). A convolution of one output and one channel is not told from an inner product in such a file; engines compare shapes
/// without leading ones.
/// Memory: the values, read straight from the file, and a few KB an array; at most allocation_limit().
/// Errors: a missing, empty, truncated or damaged file, a shape that disagrees with its values, two layers of one name, values that are NaN
/// or infinite; the message names the file and the array.
[[nodiscard]] inline weights read_caffemodel(std::filesystem::path const& path) {
  detail::file_reader file(path);
  std::string const where = path.string() + ": ";
  if (file.size() == 0) detail::fail(where, "the file is empty");
  weights result;
  result.source = path.string();
  detail::caffe::reader reader(file, result);
  try {
    reader.read_network();
  } catch (protozero::exception const& e) {
    detail::fail(where, "this is no caffemodel, or it is cut short or damaged", reader.place(), " (", e.what(), ")");
  } catch (error const& e) {
    detail::fail(where, e.what());
  }
  if (result.parameters.empty()) detail::fail(where, "no layer in it has parameters; give a trained caffemodel");
  return result;
}

}  // namespace pareidolia
