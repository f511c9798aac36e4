// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/decay.hpp>

#include <pareidolia/models/zoo/szegedy.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

using namespace pareidolia;

TEST_CASE("the decay of a layer is 2 lambda over its units, of its weights alone") {
  planned_graph const g = plan(zoo::fc100_100_10());
  std::vector<float> const decays = layer_decay(g, {1, 2, 3});
  REQUIRE(decays.size() == g.parameters);
  float const of_layers[] = {.02f, .04f, .6f};
  for (std::size_t l = 0; l < 3; ++l) {
    parameter_slot const &weight = g.slots[2 * l], &bias = g.slots[2 * l + 1];
    auto const all = [&](parameter_slot const& slot, float value) {
      auto const first = decays.begin() + static_cast<std::ptrdiff_t>(slot.offset);
      return std::all_of(first, first + static_cast<std::ptrdiff_t>(slot.size), [=](float d) { return std::abs(d - value) < 1e-7f; });
    };
    CHECK(all(weight, of_layers[l]));
    CHECK(all(bias, 0));
  }
  CHECK_THROWS_WITH_AS(static_cast<void>(layer_decay(g, {1, 2})),
                       "layer_decay: 2 values for graph 'fc100_100_10', which has 3 layers with weights; give one for each", error);
  CHECK_THROWS_AS(static_cast<void>(layer_decay(g, {1, 2, 3, 4})), error);
}
