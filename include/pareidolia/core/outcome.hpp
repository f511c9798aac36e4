// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/birth.hpp>
#include <pareidolia/core/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pareidolia {

/// What a run found, and what it cost.
struct outcome {
  tensor<float, 4> images;            ///< (count, channels, height, width) in [0, 1]
  tensor<float, 2> scores;            ///< (count, classes), logits of the images
  std::vector<float> values;          ///< (count), the objective
  std::vector<int> targets;           ///< (count), the class to reach, or to leave
  std::vector<int> before, labels;    ///< (count), class of the canvas and of the image
  std::vector<std::uint8_t> success;  ///< (count), 1 where the target was reached, or left
  tensor<float, 2> distances;         ///< (count, 4): L0, L1, L2, Linf between image and canvas
  tensor<float, 2> shared =
      filled<float, 2>({0, 0});  ///< (1, length), the genotype that several images show, if it can be written as numbers; else (0, 0)
  std::vector<std::uint8_t> quantized_success;  ///< (count), success of the images rounded to 8 bits; empty unless asked for
  std::vector<birth> births;                    ///< every champion there has been, in order; empty for searches without champions
  std::size_t steps = 0;                        ///< that the search took
  bool complete = true;                         ///< false when a sink stopped it
  std::size_t forwards = 0, backwards = 0;      ///< images passed through the model in each direction
  std::vector<std::uint32_t>
      forwards_spent;  ///< (count), of the forwards those that the search spent on each image; empty for a search over classes
  std::vector<std::uint32_t> backwards_spent;  ///< (count), likewise
  double seconds = 0, model_seconds = 0;       ///< all of it, and what the model took
  std::uint64_t seed = 0;
  std::uint64_t model = 0;  ///< fingerprint, 0 if the model has none

  [[nodiscard]] std::size_t size() const { return values.size(); }
};

}  // namespace pareidolia
