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

TEST_CASE("what probes hand over needs no run, and a picture no map") {
  report const r{.title = "a", .galleries = {{.title = "b", .pictures = {{.caption = "c", .image = filled<float, 3>({1, 2, 2})}}}}};
  CHECK(r.galleries.front().pictures.front().values.size() == 0);
  CHECK(r.sections.empty());
}
