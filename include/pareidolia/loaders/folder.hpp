// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/resize.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/loaders/image.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace pareidolia {

/// How an image of another aspect ratio gets the wanted shape: by losing what its centre does not hold, or by being distorted.
enum class framing { crop, stretch };

/// An image at another shape: the largest centred window of that aspect ratio (framing::crop), resize(), and channels.
///
/// The window comes first, so pixels outside it do not reach the result. RGB becomes grey as 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601),
/// grey becomes RGB by repetition. Errors: channels other than 1 or 3, an empty image or shape.
[[nodiscard]] inline tensor<float, 3> fit_image(view<float const, 3> image, image_shape const& shape, framing how = framing::crop) {
  auto const [channels, rows, columns] = image.shape;
  auto const [wanted, height, width] = shape;
  if ((channels != 1 && channels != 3) || (wanted != 1 && wanted != 3))
    detail::fail("fit_image: from ", channels, " to ", wanted, " channels; both must be 1 (grey) or 3 (RGB)");
  if (image.size() == 0 || height == 0 || width == 0)
    detail::fail("fit_image: the image or the shape is empty; extents must be at least 1");

  auto window_height = rows, window_width = columns;
  if (how == framing::crop) {
    auto const part = [](std::size_t of, std::size_t numerator, std::size_t denominator, std::size_t most) {
      double const exact = static_cast<double>(of) * static_cast<double>(numerator) / static_cast<double>(denominator);
      return static_cast<std::size_t>(std::clamp(std::round(exact), 1., static_cast<double>(most)));
    };
    window_height = part(columns, height, width, rows);
    window_width = part(rows, width, height, columns);
  }
  std::size_t const top = (rows - window_height) / 2, left = (columns - window_width) / 2;
  constexpr float luma[] = {0.299f, 0.587f, 0.114f};
  bool const to_grey = channels == 3 && wanted == 1;
  std::size_t const planes = std::min(channels, wanted);
  auto window = filled<float, 3>({planes, window_height, window_width});
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t y = 0; y < window_height; ++y) {
      float const* const from = image.data + (c * rows + top + y) * columns + left;
      float* const to = window.data() + ((to_grey ? 0 : c) * window_height + y) * window_width;
      for (std::size_t x = 0; x < window_width; ++x) to[x] += (to_grey ? luma[c] : 1.f) * from[x];
    }

  auto const plane = resize(as_view(window), height, width);
  if (planes == wanted) return plane;
  auto result = filled<float, 3>(shape);
  for (std::size_t c = 0; c < wanted; ++c) std::copy(plane.data(), plane.data() + plane.size(), result.data() + c * plane.size());
  return result;
}

namespace detail {

/// Files to read, in one folder or below it, and their labels. A line takes less than three times its text.
struct image_list {
  struct line {
    std::uint32_t begin, size;  ///< of the file's name, in `names`
    int label;
  };
  std::filesystem::path folder;
  std::string names;
  std::vector<line> lines;

  [[nodiscard]] std::filesystem::path file(line const& l) const { return folder / std::string_view(names).substr(l.begin, l.size); }
};

[[nodiscard]] inline image_list list_folder(std::filesystem::path const& folder) {
  std::vector<std::string> names;
  std::error_code failure, ignored;  // a link to nowhere is listed: reading it says what is wrong
  std::filesystem::directory_iterator entry(folder, failure), end;
  for (; !failure && entry != end; entry.increment(failure)) {
    auto const name = entry->path().filename().string();
    if (!name.starts_with('.') && !entry->is_directory(ignored)) names.push_back(name);
  }
  if (failure) fail(folder.string(), ": ", failure.message());
  std::sort(names.begin(), names.end());
  image_list list{folder, {}, {}};
  for (auto const& name : names) {
    list.lines.push_back({static_cast<std::uint32_t>(list.names.size()), static_cast<std::uint32_t>(name.size()), 0});
    list.names += name;
  }
  return list;
}

[[nodiscard]] inline image_list parse_image_list(std::filesystem::path const& path) {
  constexpr std::size_t largest = std::size_t{1} << 26;
  constexpr std::string_view blank = " \t\r";
  image_list list{path.parent_path(), read_file(path, largest), {}};
  std::string_view const text(list.names);
  auto const for_each_line = [&](auto const& visit) {
    for (std::size_t begin = 0, number = 1; begin < text.size(); ++number) {
      auto const line = text.substr(begin, text.find('\n', begin) - begin);
      if (auto const content = line.substr(0, line.find_last_not_of(blank) + 1); !content.empty()) visit(content, begin, number);
      begin += line.size() + 1;
    }
  };
  std::size_t count = 0;
  for_each_line([&](std::string_view line, std::size_t, std::size_t) { count += line.size() >= 3; });
  list.lines.reserve(count);
  for_each_line([&](std::string_view line, std::size_t begin, std::size_t number) {
    std::size_t const space = std::min(line.find_last_of(blank), line.size() - 1), name = line.find_last_not_of(blank, space) + 1;
    int label = 0;
    auto const [stop, problem] = std::from_chars(&line[space + 1], line.data() + line.size(), label);
    if (name == 0 || problem != std::errc{} || stop != line.data() + line.size() || label < 0)
      fail(path.string(), ": line ", number, " is not a file name, a space and a class index");
    list.lines.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(name), label});
  });
  return list;
}

}  // namespace detail

/// The images of a folder, without labels, or of a list, with labels; each made to fit as fit_image says.
///
/// A folder: all its files in the order of their names (bytes), but hidden ones; a file that is no image is an error, not left out.
/// A list: a text file with `name label` a line, names relative to the folder of the list. Empty lines do not count.
/// Memory: the images at their new shape and one at its own. Errors: those of read_image, no images at all, a line of another form.
[[nodiscard]] inline labelled_images read_images(std::filesystem::path const& folder_or_list, image_shape const& shape,
                                                 framing how = framing::crop) {
  std::error_code ignored;
  bool const folder = std::filesystem::is_directory(folder_or_list, ignored);
  auto const list = folder ? detail::list_folder(folder_or_list) : detail::parse_image_list(folder_or_list);
  if (list.lines.empty()) detail::fail(folder_or_list.string(), ": there are no images; give a folder or a list with at least one");
  for (auto const& line : list.lines) detail::file_reader const exists(list.file(line));  // before room is made for all of them

  labelled_images result{filled<float, 4>({list.lines.size(), shape[0], shape[1], shape[2]}), {}};
  for (std::size_t i = 0; i < list.lines.size(); ++i) {
    auto const image = fit_image(as_view(read_image(list.file(list.lines[i]))), shape, how);
    std::copy(image.data(), image.data() + image.size(), result.images.data() + i * image.size());
    if (!folder) result.labels.push_back(list.lines[i].label);
  }
  return result;
}

}  // namespace pareidolia
