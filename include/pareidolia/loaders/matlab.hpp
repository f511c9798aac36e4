// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/mat5.hpp>
#include <pareidolia/models/weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

namespace pareidolia {

/// The numeric arrays of a MATLAB file by their names, in the format of version 5 (`save -v6` or `-v7`), compressed or not.
///
/// An array of MATLAB's size (a, b, c) has shape {a, b, c}, and its element (i, j, k) is values[(i b + j) c + k]: the file's order, first
/// index fastest, becomes row-major. Values of every numeric class, also logical, are converted to float. What is no real, full array of
/// numbers (text, cells, structures, objects, sparse and complex arrays) is left out, and so is what has no name.
/// Memory: the result, of at most 2^28 values an array. Errors: a missing, damaged or truncated file, one of another version or of a
/// machine that is big-endian, two arrays of one name.
[[nodiscard]] inline std::map<std::string, parameter> read_matlab(std::filesystem::path const& path) {
  detail::file_reader const file(path);
  std::string const where = path.string() + ": ";
  try {
    return detail::mat5::read(file);
  } catch (error const& e) {
    detail::fail(where, e.what());
  }
}

/// A universal perturbation as its authors publish them: (1, 3, height, width), RGB, in units of [0, 1], to be added to images.
///
/// Moosavi-Dezfooli et al. (CVPR 2017) give files with one array (height, width, 3) in units of 1/255, RGB.
/// Errors: those of read_matlab, not one array, another shape, a value that is no number or beyond 255 in size.
[[nodiscard]] inline tensor<float, 4> read_universal_perturbation(std::filesystem::path const& path) {
  auto const arrays = read_matlab(path);
  std::string const where = path.string() + ": ";
  if (arrays.size() != 1) detail::fail(where, "it has ", arrays.size(), " arrays of numbers; a perturbation is one");
  auto const& [shape, values] = arrays.begin()->second;
  if (shape.size() != 3 || shape[2] != 3 || values.empty()) detail::fail(where, "its array is not of size (height, width, 3)");
  auto result = filled<float, 4>({1, 3, shape[0], shape[1]});
  for (std::size_t j = 0; j < values.size(); ++j) {
    if (!(std::abs(values[j]) <= 255)) detail::fail(where, "value ", j, " is ", values[j], "; perturbations are in units of 1/255");
    result.data()[j % 3 * (values.size() / 3) + j / 3] = values[j] / 255;
  }
  return result;
}

}  // namespace pareidolia
