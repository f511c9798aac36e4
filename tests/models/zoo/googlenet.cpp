// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/zoo/googlenet.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("googlenet has the published shapes, 6,998,552 parameters and 1.58 billion multiplications") {
  auto const p = plan(zoo::googlenet());
  CHECK(p.parameters == 6'998'552);
  CHECK(after(p, "pool1/3x3_s2") == image_shape{64, 56, 56});
  CHECK(after(p, "pool2/3x3_s2") == image_shape{192, 28, 28});
  CHECK(after(p, "inception_3a/output") == image_shape{256, 28, 28});
  CHECK(after(p, "inception_4e/output") == image_shape{832, 14, 14});
  CHECK(after(p, "inception_5b/output") == image_shape{1024, 7, 7});
  CHECK(p.out.back() == image_shape{1000, 1, 1});
  CHECK(std::abs(static_cast<double>(multiplications(p)) - 1.58e9) < .01e9);
}
