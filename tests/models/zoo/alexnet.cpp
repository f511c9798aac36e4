// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/zoo/alexnet.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("alexnet, caffenet and nin have the published shapes and multiplications") {
  auto const check = [](graph const& g, double billions) {
    CAPTURE(g.name);
    auto const p = plan(g);
    CHECK(std::abs(static_cast<double>(multiplications(p)) / 1e9 - billions) < .01 * billions);
    return p;
  };
  auto const alexnet = check(zoo::alexnet(), .724);
  CHECK(after(alexnet, "conv1") == image_shape{96, 55, 55});
  CHECK(after(alexnet, "pool5") == image_shape{256, 6, 6});
  check(zoo::caffenet(), .724);
  check(zoo::nin(), 1.11);
}
