// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/error.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

using namespace pareidolia;

TEST_CASE("fail throws one sentence made of its arguments") {
  CHECK_THROWS_WITH_AS(detail::fail("layer '", std::string("conv1"), "': ", 3, " groups do not divide ", 2.5f, std::string_view(".")),
                       "layer 'conv1': 3 groups do not divide 2.5.", error);
}

static_assert(std::is_base_of_v<std::runtime_error, error>);
