// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/caffe_blob.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/weights.hpp>

#include <protozero/exception.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>

namespace pareidolia {

/// The mean image in a binaryproto of Caffe (a BlobProto): shape (channels, height, width), channels in the order in which the network sees
/// them, blue, green, red for most. A graph takes its values, cropped to its input:
///
///     net.prepare.mean = cropped(read_binaryproto("imagenet_mean.binaryproto"), 227, 227).values;
///
/// Memory: the values, read straight from the file. Errors: a missing, empty, truncated or damaged file, a shape of another kind or one
/// that disagrees with its values, values that are NaN or infinite.
[[nodiscard]] inline parameter read_binaryproto(std::filesystem::path const& path) {
  detail::file_reader file(path);
  std::string const where = path.string() + ": ";
  if (file.size() == 0) detail::fail(where, "the file is empty");
  try {
    parameter image = detail::caffe::read_blob(detail::message_reader(file)).content;
    if (image.shape.size() == 4 && image.shape.front() == 1) image.shape.erase(image.shape.begin());
    if (image.shape.size() != 3)
      detail::fail("its shape ", detail::to_text(image.shape), " is not that of one image (channels, height, width)");
    return image;
  } catch (protozero::exception const& e) {
    detail::fail(where, "this is no binaryproto, or it is cut short or damaged (", e.what(), ")");
  } catch (error const& e) {
    detail::fail(where, e.what());
  }
}

/// The window of that size in the centre of an image (channels, height, width); of an odd margin, the smaller half is above and left, as
/// Caffe crops. Errors: an array that is no image, a window larger than it.
[[nodiscard]] inline parameter cropped(parameter const& image, std::size_t height, std::size_t width) {
  if (image.shape.size() != 3 || image.values.size() != detail::checked_product(image.shape))
    detail::fail("cropped: ", image.values.size(), " values of shape ", detail::to_text(image.shape), " are no image");
  auto const channels = image.shape[0], rows = image.shape[1], columns = image.shape[2];
  if (height > rows || width > columns)
    detail::fail("cropped: a window of ", height, "x", width, " does not fit into an image of ", rows, "x", columns);
  std::size_t const top = (rows - height) / 2, left = (columns - width) / 2;
  parameter result{{channels, height, width}, {}};
  result.values.reserve(channels * height * width);
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t y = 0; y < height; ++y) {
      float const* const row = image.values.data() + (c * rows + top + y) * columns + left;
      result.values.insert(result.values.end(), row, row + width);
    }
  return result;
}

}  // namespace pareidolia
