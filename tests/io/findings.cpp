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

TEST_CASE("a chart is linear, as wide as the page, and has lines and nothing to compare them with, unless it says otherwise") {
  chart const c{.title = "a", .x_name = "x", .y_name = "y", .lines = {{"l", {1}, {2}}}};
  CHECK(c.x_scale == axis_scale::linear);
  CHECK(c.y_scale == axis_scale::linear);
  CHECK(c.lines.front().style == line_style::line);
  CHECK(c.references.empty());
  CHECK(!c.square);
}
