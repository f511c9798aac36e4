// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/file.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace pareidolia {

/// CIFAR-10 (Krizhevsky), one file of its binary version: images (count, 3, 32, 32), RGB in [0, 1], value / 255, and labels 0 to 9.
///
/// A record is the label byte and 3072 bytes of planes. Memory: five bytes a value.
/// Errors: a missing or empty file, one that is not a whole number of records, a label above 9 (a file of CIFAR-100 has such).
[[nodiscard]] inline labelled_images read_cifar10(std::filesystem::path const& path) {
  constexpr std::size_t pixels = 3 * 32 * 32, record = 1 + pixels, largest = std::size_t{1} << 30;
  std::string const bytes = detail::read_file(path, largest), where = path.string() + ": ";
  if (bytes.empty() || bytes.size() % record != 0)
    detail::fail(where, "the file has ", bytes.size(), " bytes, not a multiple of ", record,
                 "; give an unpacked file of the binary version of CIFAR-10");

  std::size_t const count = bytes.size() / record;
  labelled_images result{filled<float, 4>({count, 3, 32, 32}), std::vector<int>(count)};
  for (std::size_t i = 0; i < count; ++i) {
    auto const* const from = reinterpret_cast<unsigned char const*>(bytes.data()) + i * record;
    result.labels[i] = from[0];
    if (from[0] > 9) detail::fail(where, "label ", i, " is ", result.labels[i], "; classes are 0 to 9");
    float* const out = result.images.data() + i * pixels;
    for (std::size_t k = 0; k < pixels; ++k) out[k] = static_cast<float>(from[1 + k]) / 255.f;
  }
  return result;
}

}  // namespace pareidolia
