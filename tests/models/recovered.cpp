// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/recovered.hpp>

#include <pareidolia/attack.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("a guarded model of planes says that nothing was perturbed") {
  auto const m = random_planes(4, {1, 5, 5}, 1);
  auto const images = random_images(m, 10, 2);
  guarded const g{m, curvature_detector{.random = rng{1}, .threshold = 1e-3}};
  static_assert(DifferentiableModel<guarded<plane_model>>);
  static_assert(DifferentiableModel<recovered<plane_model>>);
  auto y = filled<float, 2>({10, 5});
  auto w = g.prepare(10);
  g.forward(as_view(images.images), as_view(y), w);
  for (std::size_t i = 0; i < 10; ++i) CHECK(std::ranges::max_element(as_view(y).row(i)) - as_view(y).row(i).begin() == images.labels[i]);
}
