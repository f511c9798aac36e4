// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/zoo/vgg.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("vggs have the published shapes and multiplications") {
  auto const check = [](graph const& g, double billions) {
    CAPTURE(g.name);
    auto const p = plan(g);
    CHECK(std::abs(static_cast<double>(multiplications(p)) / 1e9 - billions) < .01 * billions);
    return p;
  };
  CHECK(after(check(zoo::vgg16(), 15.47), "pool5") == image_shape{512, 7, 7});
  check(zoo::vgg19(), 19.63);
  CHECK(after(plan(zoo::vgg_f()), "pool5") == image_shape{256, 6, 6});
  CHECK(after(plan(zoo::vgg_m()), "pool5") == image_shape{512, 6, 6});
  CHECK(after(plan(zoo::vgg_s()), "pool5") == image_shape{512, 6, 6});
}
