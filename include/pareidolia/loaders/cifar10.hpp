// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/file.hpp>

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace pareidolia {

/// CIFAR-10 (Krizhevsky), one file of its binary version: images (count, 3, 32, 32), RGB in [0, 1], value / 255, and labels 0 to 9.
///
/// A record is the label byte and 3072 bytes of planes. Memory: the result, four bytes a value; a file has at most 1 GB.
/// Errors: a missing or empty file, one that is not a whole number of records, a label above 9 (a file of CIFAR-100 has such).
[[nodiscard]] inline labelled_images read_cifar10(std::filesystem::path const& path) {
  constexpr std::size_t pixels = 3 * 32 * 32, record = 1 + pixels, largest = std::size_t{1} << 30;
  detail::file_reader const file(path, largest);
  std::string const where = path.string() + ": ";
  auto const count = static_cast<std::size_t>(file.size() / record);
  if (count == 0 || file.size() % record != 0)
    detail::fail(where, "the file has ", file.size(), " bytes, not a multiple of ", record,
                 "; give an unpacked file of the binary version of CIFAR-10");

  labelled_images result{filled<float, 4>({count, 3, 32, 32}), std::vector<int>(count)};
  std::array<char, record> bytes;
  for (std::size_t i = 0; i < count; ++i) {
    try {
      file.read(i * record, bytes);
    } catch (error const& e) {
      detail::fail(where, e.what());
    }
    auto const value = [&bytes](std::size_t k) { return static_cast<unsigned char>(bytes[k]); };
    result.labels[i] = value(0);
    if (value(0) > 9) detail::fail(where, "label ", i, " is ", result.labels[i], "; classes are 0 to 9");
    float* const out = result.images.data() + i * pixels;
    for (std::size_t k = 0; k < pixels; ++k) out[k] = static_cast<float>(value(1 + k)) / 255.f;
  }
  return result;
}

}  // namespace pareidolia
