// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/curvature_detector.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("planes have no curvature") {
  auto const m = random_planes(4, {1, 5, 5}, 1);
  auto const images = random_images(m, 10, 2);
  for (auto at : {curvature_at::boundary, curvature_at::image}) {
    auto const r = measure(curvature_detector{.random = rng{1}, .at = at}, m, images);
    for (double rho : r.statistic) CHECK(std::abs(rho) < 1e-3);
    CHECK(r.seen == images.labels);
  }
}
