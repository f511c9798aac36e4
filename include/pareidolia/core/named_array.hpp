// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/tensor.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// An array with the name under which it is stored: what probes hand to files and reports. Where there is nothing to say a value is
/// NaN, or infinite; read_safetensors, which reads weights, refuses these.
struct named_array {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// A copy of a tensor under a name.
template <std::size_t Rank>
[[nodiscard]] named_array named(std::string name, tensor<float, Rank> const& t) {
  return {std::move(name), {t.shape().begin(), t.shape().end()}, {t.begin(), t.end()}};
}

/// A named figure of a result, such as a median.
using named_figure = std::pair<std::string, double>;

}  // namespace pareidolia
