// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace pareidolia {

/// One named array of parameters, row-major.
struct parameter {
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// The parameters of a network as a file holds them.
///
/// Names are layer.weight and layer.bias. Convolution weights (outputs, channels / groups, height, width), inner product weights (outputs,
/// inputs), biases (outputs). `source` is where they came from, for messages.
struct weights {
  std::map<std::string, parameter> parameters;
  std::map<std::string, std::string> metadata;
  std::string source = "the weights";
};

}  // namespace pareidolia
