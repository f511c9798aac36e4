// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/lineage.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/files.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

using namespace pareidolia;
using pareidolia_test::contains;
using pareidolia_test::error_of;

namespace {

// Three cells. Image 0 holds 0 and 1, image 1 cell 2. 10 is a child of 0 by cell 1 in cell 0 (0 was its champion: no switch), 20 a child of
// 10 in cell 2 (a switch), 30 one of 20 in cells 2 (no switch) and 1 (a switch).
std::vector<birth> family() {
  return {{0, birth::none, 0, 0, 0, .1f}, {0, birth::none, 0, 1, 1, .2f}, {1, birth::none, 0, 2, 2, .3f}, {10, 0, 2, 0, 1, .4f},
          {20, 10, 3, 2, 0, .5f},         {30, 20, 5, 1, 2, .6f},         {30, 20, 5, 2, 2, .7f}};
}

std::vector<std::uint64_t> ids(std::vector<birth> const& line) {
  std::vector<std::uint64_t> result;
  for (birth const& b : line) result.push_back(b.id);
  return result;
}

}  // namespace

TEST_CASE("a lineage leads from the last champion of a cell to one that was drawn") {
  CHECK(ids(lineage(family(), 0)) == std::vector<std::uint64_t>{10, 0});
  CHECK(ids(lineage(family(), 1)) == std::vector<std::uint64_t>{30, 20, 10, 0});
  CHECK(ids(lineage(family(), 2)) == std::vector<std::uint64_t>{30, 20, 10, 0});
  CHECK(lineage(family(), 1)[1] == birth{20, 10, 3, 2, 0, .5f});
  CHECK(lineage(family(), 1)[2].cell == 0);
  CHECK(lineage(family(), 3).empty());
  CHECK(lineage({}, 0).empty());
}

TEST_CASE("a switch of goals is a champion that replaced another one than its parent") {
  genealogy const g(family());
  std::vector<std::size_t> switched;
  for (std::size_t i = 0; i < g.births.size(); ++i)
    if (g.switched(i)) switched.push_back(i);
  CHECK(switched == std::vector<std::size_t>{4, 5});  // not 3: its parent was the champion of both cells
  CHECK(g.goal_switches() == doctest::Approx(2 / 4.));
  CHECK(g.switches(0) == 0);
  CHECK(g.switches(1) == 2);
  CHECK(g.switches(2) == 1);
  CHECK(genealogy({}).goal_switches() == 0);
}

TEST_CASE("a champion of a cell that had none is no switch, and one whose parent is not known begins its lineage") {
  genealogy const g({{0, birth::none, 0, 0, 0, .1f}, {5, 0, 1, 1, 0, .1f}, {6, 77, 2, 0, 1, .2f}});
  CHECK(g.goal_switches() == 0);  // of one replacement, whose parent is unknown
  CHECK(g.lineage(0) == std::vector<std::size_t>{2});
  CHECK(g.lineage(1) == std::vector<std::size_t>{1, 0});
}

TEST_CASE("a timeline counts champions generation by generation") {
  auto const t = genealogy(family()).timeline(7);
  CHECK(t.replaced == std::vector<std::size_t>{3, 0, 1, 1, 0, 2, 0});
  CHECK(t.distinct == std::vector<std::size_t>{2, 2, 3, 3, 3, 2, 2});
  std::vector<double> const age{0, 1, (2 + 2 + 0) / 3., (3 + 1 + 0) / 3., (4 + 2 + 1) / 3., (0 + 3 + 0) / 3., (1 + 4 + 1) / 3.},
      ancestors{0, 0, 1 / 3., 3 / 3., 3 / 3., 7 / 3., 7 / 3.};
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(t.mean_age[i] == doctest::Approx(age[i]));
    CHECK(t.mean_ancestors[i] == doctest::Approx(ancestors[i]));
  }
}

TEST_CASE("figures sum a history up") {
  auto const f = genealogy(family()).figures();
  auto const figure = [&](std::string_view name) {
    auto const found = std::ranges::find_if(f, [&](auto const& one) { return one.first == name; });
    REQUIRE(found != f.end());
    return found->second;
  };
  CHECK(figure("cells") == 3);
  CHECK(figure("distinct champions") == 2);
  CHECK(figure("champions per cell") == doctest::Approx(7 / 3.));
  CHECK(figure("share of goal switches") == .5);
  CHECK(figure("median ancestors") == 3);
  CHECK(figure("median switches in a lineage") == 1);
}

TEST_CASE("births in another order than that of their generations are one error") {
  auto births = family();
  std::swap(births[3], births[4]);
  CHECK(contains(error_of([&] { genealogy{births}; }), "birth 4 is of generation 2, the one before it of 3"));
}

TEST_CASE("every champion of a search has its ancestors, the timeline is that of its history") {
  auto const planes = pareidolia_test::random_planes(6, {1, 4, 4}, 1);
  history log;
  auto const found = run(attack{pixels{}, class_probability{}, map_elites{.children = 2, .generations = 500}}, planes, blank({1, 4, 4}),
                         rng{5}, recorder{log});
  genealogy const g(found.births);
  REQUIRE(g.cells() == 6);
  for (std::size_t i = 0; i < g.births.size(); ++i) {
    CHECK((g.parents[i] == genealogy::none) == (g.births[i].generation == 0));
    if (g.parents[i] != genealogy::none) CHECK(g.births[g.parents[i]].id == g.births[i].parent);
  }
  for (std::size_t cell = 0; cell < 6; ++cell) {
    auto const line = g.lineage(cell);
    CHECK(g.births[line.front()].value == found.values[cell]);
    CHECK(g.births[line.back()].generation == 0);
    CHECK(line.size() == g.ancestors[line.front()] + 1);
    for (std::size_t k = 1; k < line.size(); ++k) CHECK(g.births[line[k]].generation < g.births[line[k - 1]].generation);
  }
  auto const t = g.timeline(found.steps);
  auto const replaced = log.column("replaced");
  CHECK(std::equal(replaced.begin(), replaced.end(), t.replaced.begin(), t.replaced.end()));
  CHECK(g.goal_switches() > 0);
  CHECK(g.goal_switches() < 1);
}
