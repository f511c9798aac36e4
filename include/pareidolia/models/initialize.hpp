// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/weights.hpp>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace pareidolia {

/// Weights to start training from: uniform in +-sqrt(3 / n), n the inputs of one output (Caffe's "xavier" filler, after Glorot & Bengio
/// 2010); biases 0; scales and normalisations the identity. Each array draws from its own stream.
[[nodiscard]] inline weights xavier(graph const& g, rng const& random) {
  weights w;
  w.source = "xavier initialisation";
  planned_graph const p = plan(g);
  for (std::size_t s = 0; s < p.slots.size(); ++s) {
    parameter_slot const& slot = p.slots[s];
    parameter array{slot.shape, std::vector<float>(slot.size)};
    if (slot.shape.size() > 1) {
      auto r = random.stream(s);
      float const bound = std::sqrt(3.f * static_cast<float>(slot.shape[0]) / static_cast<float>(slot.size));
      for (float& v : array.values) v = r.uniform(-bound, bound);
    } else if (slot.name.ends_with(".weight") || slot.name.ends_with(".running_var")) {
      array.values.assign(slot.size, 1.f);
    }
    w.parameters[slot.name] = std::move(array);
  }
  return w;
}

}  // namespace pareidolia
