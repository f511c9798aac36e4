// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/loaders/safetensors.hpp>
#include <pareidolia/models/weights.hpp>

#include <filesystem>

namespace pareidolia {

/// Weights from a file of any kind the library reads: safetensors if the name ends in .safetensors, else a caffemodel (which come with any
/// name). Errors: as the loader of that kind.
[[nodiscard]] inline weights read_weights(std::filesystem::path const& path) {
  return path.extension() == ".safetensors" ? read_safetensors(path) : read_caffemodel(path);
}

}  // namespace pareidolia
