// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pareidolia_test {

/// The folder with data sets and networks that PAREIDOLIA_DATA names; empty if it names none that is there.
[[nodiscard]] inline std::filesystem::path data_root() {
  char const* const named = std::getenv("PAREIDOLIA_DATA");
  return named != nullptr && std::filesystem::is_directory(named) ? std::filesystem::path(named) : std::filesystem::path();
}

/// A file of that folder, `mnist/t10k-images-idx3-ubyte.gz`. Only test cases named "data: ..." may ask for one.
[[nodiscard]] inline std::filesystem::path data_path(std::string_view relative) {
  auto const root = data_root();
  if (root.empty()) throw std::runtime_error("set PAREIDOLIA_DATA to the folder with the test data");
  auto path = root / relative;
  if (!std::filesystem::exists(path)) throw std::runtime_error("the test data has no " + path.string());
  return path;
}

}  // namespace pareidolia_test
