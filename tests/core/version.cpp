// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/version.hpp>

#include <doctest/doctest.h>

#include <algorithm>

TEST_CASE("the version is three numbers") {
  CHECK(std::count(pareidolia::version.begin(), pareidolia::version.end(), '.') == 2);
  CHECK(pareidolia::version.find_first_not_of("0123456789.") == std::string_view::npos);
}
