// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/gzip.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pareidolia {
namespace detail::idx {

constexpr std::size_t largest = std::size_t{1} << 30;
constexpr std::uint32_t image_magic = 2051, label_magic = 2049;

/// An IDX file of unsigned bytes, plain or gzip. Errors name the file.
template <std::size_t Rank>
class reader {
 public:
  std::array<std::size_t, Rank> shape{};

  reader(std::filesystem::path const& path, std::uint32_t magic) : file_(path, largest), where_(path.string() + ": ") {
    if (is_gzip(file_)) gzip_.emplace(file_);
    std::array<char, 4 + 4 * Rank> header{};
    if (read(header) < header.size()) fail(where_, "the file is too short to be an IDX file, plain or gzip");
    auto const number = [&header](std::size_t i) {
      std::uint32_t value = 0;
      for (char const byte : std::span(header).subspan(4 * i, 4)) value = value << 8 | static_cast<unsigned char>(byte);
      return value;
    };
    if (std::uint32_t const found = number(0); found != magic) {
      if (found == image_magic) fail(where_, "these are images; labels are wanted here");
      if (found == label_magic) fail(where_, "these are labels; images are wanted here");
      fail(where_, "this is neither gzip nor an IDX file of bytes (its magic number is ", found, ", not ", magic, ")");
    }
    std::size_t size = 1;
    for (std::size_t d = 0; d < Rank; ++d) {
      shape[d] = number(1 + d);
      if (shape[d] == 0) fail(where_, "it is empty");
      if (shape[d] > largest / size) fail(where_, "its header claims more than ", largest, " bytes; the file is damaged");
      size *= shape[d];
    }
    std::uint64_t const most = gzip_ ? largest_deflate_ratio * file_.size() : file_.size() - at_;
    if (size > most) fail(where_, "its header claims ", size, " bytes, it holds at most ", most, "; the file is cut short");
  }

  /// Calls visit(value) for each byte of the data, in order.
  template <class Visit>
  void for_each(Visit const& visit) {
    std::array<char, 16384> piece;
    std::size_t rest = std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies{});
    while (rest > 0) {
      auto const bytes = std::span(piece).first(std::min(rest, piece.size()));
      if (read(bytes) < bytes.size()) fail(where_, "its header claims more bytes than it holds; the file is cut short");
      for (char const byte : bytes) visit(static_cast<unsigned char>(byte));
      rest -= bytes.size();
    }
    if (read(std::span(piece).first(1)) != 0) fail(where_, "something follows the data that its header claims");
  }

 private:
  /// The next bytes; fewer only at the end.
  std::size_t read(std::span<char> out) try {
    if (gzip_) return gzip_->read(out);
    auto const bytes = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), file_.size() - at_)));
    file_.read(at_, bytes);
    at_ += bytes.size();
    return bytes.size();
  } catch (error const& e) {
    fail(where_, e.what());
  }

  file_reader file_;
  std::string where_;
  std::optional<gzip_reader> gzip_;
  std::uint64_t at_ = 0;
};

}  // namespace detail::idx

/// MNIST, and the sets that share its format: images (count, 1, height, width) in [0, 1], value / 255, and labels 0 to 9.
///
/// Both files are IDX (LeCun, Cortes, Burges), plain or gzip. Memory: the result, four bytes a pixel; 1 GB of pixels is the limit.
/// Errors: a missing, damaged or truncated file, bytes after the data, counts that differ, a label above 9.
[[nodiscard]] inline labelled_images read_mnist(std::filesystem::path const& images_path, std::filesystem::path const& labels_path) {
  detail::idx::reader<3> pixels(images_path, detail::idx::image_magic);
  detail::idx::reader<1> classes(labels_path, detail::idx::label_magic);
  auto const [count, height, width] = pixels.shape;
  if (classes.shape[0] != count)
    detail::fail(images_path.string(), " has ", count, " images and ", labels_path.string(), " ", classes.shape[0],
                 " labels; give the two files of one set");

  labelled_images result{filled<float, 4>({count, 1, height, width}), {}};
  float* out = result.images.data();
  pixels.for_each([&out](unsigned char value) { *out++ = static_cast<float>(value) / 255.f; });
  result.labels.reserve(count);
  classes.for_each([&](unsigned char label) {
    if (label > 9) detail::fail(labels_path.string(), ": label ", result.labels.size(), " is ", int{label}, "; classes are 0 to 9");
    result.labels.push_back(label);
  });
  return result;
}

}  // namespace pareidolia
