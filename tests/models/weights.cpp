// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/weights.hpp>

#include <doctest/doctest.h>

using namespace pareidolia;

TEST_CASE("weights that came from nowhere can still be named in a message") { CHECK(weights{}.source == "the weights"); }
