// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/distributed/islands.hpp>

#include "support/ranks.hpp"

#include <pareidolia/attack.hpp>
#include <pareidolia/distributed/at_root.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/class_probability.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using pareidolia_test::world;

namespace {

communicator alone() {
  static_cast<void>(world());
  return communicator(MPI_COMM_SELF);
}

network<cpu_engine> const& lenet() {
  static network const net{cpu_engine{}, zoo::lenet5(), xavier(zoo::lenet5(), rng{1})};
  return net;
}

constexpr map_elites short_run{.children = 20, .generations = 12};

template <class E, class... Extras>
outcome evolved(E const& encoding, communicator const& ranks, std::size_t every, Extras&&... extras) {
  attack const dream{encoding, class_probability{}, islands{short_run, ranks, 4, every}};
  return run(dream, lenet(), blank(lenet().input()), rng{5}, extras...);
}

void same(outcome const& a, outcome const& b) {
  CHECK(a.images == b.images);
  CHECK(a.values == b.values);
  CHECK(a.births == b.births);
  CHECK(a.steps == b.steps);
}

// Stops after some steps.
struct after {
  std::size_t steps;
  verdict operator()(step const&) { return --steps == 0 ? verdict::stop : verdict::go_on; }
};

// Keeps a state in memory.
struct pocket {
  std::optional<saved_state>* kept;
  [[nodiscard]] std::string name() const { return "pocket"; }
  [[nodiscard]] std::optional<saved_state> restore() { return *kept; }
  [[nodiscard]] bool due(bool last) const { return last; }
  void keep(saved_state state) { *kept = std::move(state); }
};

static_assert(ClasswiseOptimizer<islands<map_elites>, cppn, space::host> && detail::is_resumable<islands<map_elites>, cppn, space::host>);

}  // namespace

TEST_CASE("islands give the same bytes however many ranks share them") {
  same(evolved(cppn{}, world(), 3), evolved(cppn{}, alone(), 3));
  same(evolved(pixels{}, world(), 3), evolved(pixels{}, alone(), 3));
}

TEST_CASE("islands that never meet are evolutions of their own, of which the best champions are the answer") {
  auto const together = evolved(pixels{}, world(), 100);
  attack const single{pixels{}, class_probability{}, short_run};
  std::vector<float> best(10, 0.f);
  for (std::size_t k = 0; k < 4; ++k) {
    auto const one = run(single, lenet(), blank(lenet().input()), rng{5}.fork(k));
    for (std::size_t c = 0; c < 10; ++c) best[c] = std::max(best[c], one.values[c]);
    std::set<std::pair<std::uint64_t, std::uint32_t>> own;  // the best one of a class may follow once more
    for (birth const& b : together.births)
      if (b.id >> 48 == k + 1) own.insert({b.id, b.cell});
    CHECK(own.size() == one.births.size());
  }
  CHECK(together.values == best);
}

TEST_CASE("islands that meet have each other's champions, and lineages that cross the sea") {
  auto const apart = evolved(pixels{}, world(), 100), together = evolved(pixels{}, world(), 2);
  CHECK(together.images != apart.images);
  std::map<std::uint64_t, birth> by_id;
  for (birth const& b : together.births) by_id.emplace(b.id, b);
  std::size_t crossings = 0;
  for (birth const& b : together.births)
    if (b.parent != birth::none) {
      REQUIRE(by_id.contains(b.parent));
      CHECK(by_id[b.parent].generation < by_id[b.id].generation);
      crossings += by_id[b.parent].id >> 48 != b.id >> 48;
    }
  CHECK(crossings > 0);
  std::map<std::uint32_t, float> last, best;
  for (birth const& b : together.births) last[b.cell] = b.value, best[b.cell] = std::max(best[b.cell], b.value);
  CHECK(last == best);
  for (std::uint32_t c = 0; c < 10; ++c) CHECK(last[c] == doctest::Approx(together.values[c]));
  CHECK(std::ranges::is_sorted(together.births, {}, &birth::generation));
}

TEST_CASE("islands are taken up by fewer ranks and end with the same bytes") {
  auto const undisturbed = evolved(cppn{}, world(), 3);
  for (std::size_t stop : {1u, 3u, 4u, 13u}) {
    std::optional<saved_state> kept;
    auto const cut = evolved(cppn{}, world(), 3, after{stop}, at_root{world(), pocket{&kept}});
    CHECK(cut.complete == (stop == 13));
    if (world().is_root()) same(evolved(cppn{}, alone(), 3, pocket{&kept}), undisturbed);
  }
}

TEST_CASE("islands are taken up by more ranks and end with the same bytes") {
  auto const undisturbed = evolved(pixels{}, alone(), 3);
  std::optional<saved_state> kept;
  if (world().is_root()) static_cast<void>(evolved(pixels{}, alone(), 3, after{5}, pocket{&kept}));
  same(evolved(pixels{}, world(), 3, at_root{world(), pocket{&kept}}), undisturbed);
}

TEST_CASE("islands that cannot be shared, or that meet never, are refused") {
  CHECK_THROWS_WITH_AS(static_cast<void>(evolved(cppn{}, world(), 0)), doctest::Contains("islands: every is 0"), error);
  if (world().size() == 1) return;
  attack const dream{cppn{}, class_probability{}, islands{short_run, world(), 3}};
  CHECK_THROWS_WITH_AS(static_cast<void>(run(dream, lenet(), blank(lenet().input()), rng{5})), doctest::Contains("shared evenly"), error);
}
