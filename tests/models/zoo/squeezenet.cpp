// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/zoo/squeezenet.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("squeezenets have the published shapes") {
  auto const p = plan(zoo::squeezenet_1_1());
  CHECK(after(p, "pool1") == image_shape{64, 56, 56});
  CHECK(after(p, "fire9/concat") == image_shape{512, 14, 14});
  auto const q = plan(zoo::squeezenet_1_0());
  CHECK(after(q, "conv1") == image_shape{96, 111, 111});
  CHECK(after(q, "pool1") == image_shape{96, 55, 55});
  CHECK(after(q, "fire4/concat") == image_shape{256, 55, 55});
  CHECK(after(q, "pool8") == image_shape{512, 13, 13});
  CHECK(after(q, "conv10") == image_shape{1000, 15, 15});  // 13 and the margin
}
