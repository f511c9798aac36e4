// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/region_path.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/probes/region_convexity.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/cuda.hpp>
#include <support/device.hpp>
#include <support/regions.hpp>

#include <cstddef>

namespace pareidolia_test {

TEST_CASE("paths and convexity of regions of a model in device memory are those of the host") {
  if (!has_device()) return;
  balls const disc{.shape = {1, 1, 2}, .centres = {{.5, .5}}, .radius = .3};
  as_device_model<balls> const there{disc};
  auto const images = random_images(disc, 30, 1, 0, 1);
  for (auto const kind : {path_partner::same_class, path_partner::perturbed, path_partner::noise}) {
    region_path const probe{.random = rng{2}, .to = kind, .pairs = 20, .batch = 7};
    auto const a = measure(probe, disc, images), b = measure(probe, there, images);
    CHECK(b.spent.forwards == a.spent.forwards);
    CHECK(b.spent.backwards == a.spent.backwards);
    CHECK(a.spent.backwards > 0);
    REQUIRE(b.paths.size() == a.paths.size());
    for (std::size_t p = 0; p < a.paths.size(); ++p) {
      CHECK(b.paths[p].connected == a.paths[p].connected);
      CHECK(b.paths[p].anchors == a.paths[p].anchors);
    }
  }
  region_convexity const probe{.random = rng{2}, .images_together = {2, 3}, .combinations = 100, .batch = 7};
  auto const a = measure(probe, disc, images), b = measure(probe, there, images);
  for (std::size_t k : {0u, 1u}) CHECK(b.entries[k].share == a.entries[k].share);
  CHECK(a.entries[0].share < 1);
}

}  // namespace pareidolia_test
