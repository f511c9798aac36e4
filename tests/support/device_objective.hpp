// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/objective.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

#include <array>
#include <cstddef>
#include <vector>

namespace pareidolia_test {

/// Values and seeds of an objective in device memory are those of host memory, for scores of which some targets are likely and some are
/// not.
template <class O>
void check_on_device(O const& objective) {
  if (!has_device()) return;
  constexpr std::array<std::array<std::size_t, 2>, 4> shapes{{{1, 2}, {5, 10}, {3, 1000}, {40, 257}}};
  for (auto const& shape : shapes)
    for (float range : {1.f, 40.f}) {
      std::size_t const count = shape[0], classes = shape[1];
      CAPTURE(count);
      CAPTURE(range);
      auto const y = random_values<2>(shape, classes, -range, range);
      std::vector<int> targets(count);
      for (std::size_t i = 0; i < count; ++i) targets[i] = static_cast<int>((i * 7 + 1) % classes);
      argmax(as_view(y).rows(0, 1), std::span(targets).first(1));
      auto const scores = on_device(y);
      storage<float, 2, space::device> const out(shape);
      storage<float, 1, space::device> const v({count});

      auto value = filled<float, 1>({count});
      objective.value(as_view(y), targets, as_view(value));
      objective.value(scores.view(), targets, v.view());
      CHECK(largest_difference(on_host(v.view()), value) < 1e-6f * (1 + range));

      auto seed = filled<float, 2>(shape);
      objective.seed(as_view(y), targets, as_view(seed));
      objective.seed(scores.view(), targets, out.view());
      CHECK(largest_difference(on_host(out.view()), seed) < 1e-6f);

      if constexpr (ClasswiseObjective<O, space::device>) {
        objective.values(as_view(y), as_view(seed));
        objective.values(scores.view(), out.view());
        CHECK(largest_difference(on_host(out.view()), seed) < 1e-6f);
      }
    }
}

}  // namespace pareidolia_test
