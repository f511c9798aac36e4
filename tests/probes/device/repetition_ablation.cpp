// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/repetition_ablation.hpp>

#include <pareidolia/attack.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/cuda.hpp>
#include <support/device.hpp>

#include <cmath>
#include <cstddef>

namespace pareidolia_test {

TEST_CASE("elements are removed for a model in device memory as for one on the host") {
  if (!has_device()) return;
  auto const planes = random_planes(4, {3, 24, 24}, 1);
  labelled_images waves{filled<float, 4>({3, 3, 24, 24}), {}};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t y = 0; y < 24; ++y)
      for (std::size_t x = 0; x < 24; ++x)
        for (std::size_t c = 0; c < 3; ++c) waves.images(i, c, y, x) = .5f + .5f * std::sin(static_cast<float>((i + 1) * x + c * y) / 2);
  repetition_ablation const probe{.batch = 5};
  auto const here = measure(probe, planes, waves), there = measure(probe, as_device_model<plane_model>{planes}, waves);
  REQUIRE_FALSE(here.repetitive().empty());
  CHECK(there.classes == here.classes);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(there.images[i].elements == here.images[i].elements);
    CHECK(there.images[i].labels == here.images[i].labels);
    CHECK(largest_difference(there.images[i].confidence, here.images[i].confidence) < 1e-5f);
  }
}

}  // namespace pareidolia_test
