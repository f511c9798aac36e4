// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/gzip.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace pareidolia {
namespace detail::idx {

constexpr std::size_t largest = std::size_t{1} << 30;
constexpr std::uint32_t image_magic = 2051, label_magic = 2049;

inline std::uint32_t big_endian(std::string const& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// An IDX file of unsigned bytes, plain or gzip: its extents and its content.
template <std::size_t Rank>
struct array {
  std::array<std::size_t, Rank> shape;
  std::string bytes;
  std::size_t header = 4 + 4 * Rank;

  [[nodiscard]] unsigned char operator[](std::size_t i) const { return static_cast<unsigned char>(bytes[header + i]); }
};

template <std::size_t Rank>
array<Rank> read(std::filesystem::path const& path, std::uint32_t magic) {
  array<Rank> result{{}, read_file(path, largest)};
  std::string const where = path.string() + ": ";
  if (is_gzip(result.bytes)) try {
      result.bytes = gunzip(result.bytes, largest);
    } catch (error const& e) {
      fail(where, e.what());
    }
  if (result.bytes.size() < result.header) fail(where, "the file is too short to be an IDX file, plain or gzip");
  if (std::uint32_t const found = big_endian(result.bytes, 0); found != magic) {
    if (found == image_magic) fail(where, "these are images; labels are wanted here");
    if (found == label_magic) fail(where, "these are labels; images are wanted here");
    fail(where, "this is neither gzip nor an IDX file of bytes (its magic number is ", found, ", not ", magic, ")");
  }
  std::size_t size = 1;
  for (std::size_t d = 0; d < Rank; ++d) {
    std::size_t const extent = result.shape[d] = big_endian(result.bytes, 4 + 4 * d);
    if (extent == 0) fail(where, "it is empty");
    if (extent > largest / size) fail(where, "its header claims more than ", largest, " bytes; the file is damaged");
    size *= extent;
  }
  if (std::size_t const held = result.bytes.size() - result.header; held != size)
    fail(where, "its header claims ", size, " bytes, it holds ", held,
         held < size ? "; the file is cut short" : "; something follows the data");
  return result;
}

}  // namespace detail::idx

/// MNIST, and the sets that share its format: images (count, 1, height, width) in [0, 1], value / 255, and labels 0 to 9.
///
/// Both files are IDX (LeCun, Cortes, Burges), plain or gzip. Memory: five bytes a pixel.
/// Errors: a missing, damaged or truncated file, bytes after the data, counts that differ, a label above 9.
[[nodiscard]] inline labelled_images read_mnist(std::filesystem::path const& images_path, std::filesystem::path const& labels_path) {
  auto const pixels = detail::idx::read<3>(images_path, detail::idx::image_magic);
  auto const classes = detail::idx::read<1>(labels_path, detail::idx::label_magic);
  auto const [count, height, width] = pixels.shape;
  if (classes.shape[0] != count)
    detail::fail(images_path.string(), " has ", count, " images and ", labels_path.string(), " ", classes.shape[0],
                 " labels; give the two files of one set");

  labelled_images result{filled<float, 4>({count, 1, height, width}), std::vector<int>(count)};
  float* const out = result.images.data();
  for (std::size_t i = 0; i < result.images.size(); ++i) out[i] = static_cast<float>(pixels[i]) / 255.f;
  for (std::size_t i = 0; i < count; ++i) {
    result.labels[i] = classes[i];
    if (result.labels[i] > 9) detail::fail(labels_path.string(), ": label ", i, " is ", result.labels[i], "; classes are 0 to 9");
  }
  return result;
}

}  // namespace pareidolia
