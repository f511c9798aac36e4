// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/findings.hpp>

#include <doctest/doctest.h>

using namespace pareidolia;

TEST_CASE("a report needs a title and its runs, nothing else") {
  report const r{.title = "a", .sections = {{.title = "b", .result = {}}}};
  CHECK(r.sections.front().step_name == "generation");
  CHECK(r.settings.empty());
}
