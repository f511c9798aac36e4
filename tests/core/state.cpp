// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/state.hpp>

#include <pareidolia/core/birth.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/pixels.hpp>

#include <doctest/doctest.h>

#include <support/files.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

enum class colour : std::uint8_t { red, green, blue };

struct inner {
  int depth = 0;
  template <class A>
  void state(A& a) {
    a.setting("shape", 3);
    a("depth", depth);
  }
};

template <std::size_t N>
struct fixed_columns {
  std::array<birth, N> items{};
  template <class A>
  void state(A& a) {
    column(a, "ids", items, &birth::id);
  }
};

// One part of each kind.
struct everything {
  float setting = 0;
  bool flag = false;
  float number = 0;
  double exact = 0;
  std::uint64_t large = 0;
  std::int64_t negative = 0;
  colour chosen = colour::red;
  std::vector<float> list = {};
  std::vector<std::size_t> order = {};
  std::array<double, 3> fixed{};
  std::vector<std::string> names = {};
  tensor<float, 2> table = filled<float, 2>({0, 0});
  storage<float, 2, space::host> room = storage<float, 2, space::host>({2, 2});
  pixel_genes<space::host> genes{2, std::vector<float>(4)};
  cppn_population<space::host> networks = {};
  std::vector<birth> births = {};
  inner part = {};

  template <class A>
  void state(A& a) {
    a.setting("setting", setting);
    a("flag", flag);
    a("number", number);
    a("exact", exact);
    a("large", large);
    a("negative", negative);
    a("chosen", chosen);
    a("list", list);
    a("order", order);
    a("fixed", fixed);
    a("names", names);
    a("table", table);
    a("room", room);
    auto first_row = room.view().rows(0, 1);
    a("first row", first_row);
    a("genes", genes);
    a("networks", networks);
    column(a, "births.id", births, &birth::id);
    column(a, "births.value", births, &birth::value);
    a("part", part);
  }
};
static_assert(Stateful<everything> && Stateful<inner>);
static_assert(!Stateful<int> && !Stateful<std::vector<float>>);

template <class T>
saved_state kept(T& value) {
  saved_state result;
  state_writer writer(result);
  value.state(writer);
  return result;
}

template <class T>
void restore(T& value, saved_state const& state) {
  state_reader reader(state, "here");
  value.state(reader);
  reader.finish();
}

template <class T>
std::string refusal(T& value, saved_state const& state) {
  return error_of([&] { restore(value, state); });
}

everything example() {
  everything e;
  e.setting = .1f;
  e.flag = true;
  e.number = -0.f;
  e.exact = 1. / 3;
  e.large = std::numeric_limits<std::uint64_t>::max();
  e.negative = std::numeric_limits<std::int64_t>::min();
  e.chosen = colour::blue;
  e.list = {1, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::denorm_min()};
  e.order = {2, 0, 1};
  e.fixed = {1, 2, 1e300};
  e.names = {"median", "", "name with spaces"};
  e.table = {{1, 2, 3}, {4, 5, 6}};
  for (std::size_t j = 0; j < 4; ++j) e.room.view().flat()[j] = static_cast<float>(j);
  e.genes.genes = {.1f, .2f, .3f, .4f};
  auto const canvas = blank({1, 2, 2});
  cppn const encoding;
  e.networks = encoding.buffer(3, as_view(canvas.images));
  auto parents = encoding.buffer(3, as_view(canvas.images));
  encoding.draw(parents, rng{1});
  encoding.vary(parents, e.networks, rng{2});
  e.births = {{7, birth::none, 0, 1, 1, .5f}, {8, 7, 1, 2, 1, .75f}};
  e.part.depth = -4;
  return e;
}

}  // namespace

TEST_CASE("a state holds every part bit by bit, and a reader puts each back") {
  auto from = example();
  everything to;
  to.setting = .1f;
  to.networks = {{from.networks.networks[0]}};
  restore(to, kept(from));
  CHECK(to.flag);
  CHECK(std::signbit(to.number));
  CHECK(to.exact == from.exact);
  CHECK(to.large == from.large);
  CHECK(to.negative == from.negative);
  CHECK(to.chosen == colour::blue);
  CHECK(to.list == from.list);
  CHECK(to.order == from.order);
  CHECK(to.fixed == from.fixed);
  CHECK(to.names == from.names);
  CHECK(to.table == from.table);
  CHECK(to.room.values == from.room.values);
  CHECK(to.genes.genes == from.genes.genes);
  CHECK(to.networks.networks.size() == 3);
  CHECK(to.networks.packed() == from.networks.packed());
  CHECK(to.births.size() == 2);
  CHECK(to.births[1].id == 8);
  CHECK(to.births[1].value == .75f);
  CHECK(to.part.depth == -4);
  CHECK(kept(to) == kept(from));
}

TEST_CASE("a state names types and shapes, and parts of parts by paths") {
  auto e = example();
  auto const state = kept(e);
  auto const is = [&](char const* name, char const* type, std::vector<std::size_t> const& shape) {
    auto const& a = state.arrays.at(name);
    return a.type == type && a.shape == shape;
  };
  CHECK(is("flag", "U8", {}));
  CHECK(is("number", "F32", {}));
  CHECK(is("exact", "F64", {}));
  CHECK(is("large", "U64", {}));
  CHECK(is("negative", "I64", {}));
  CHECK(is("chosen", "U8", {}));
  CHECK(is("list", "F32", {3}));
  CHECK(is("order", "U64", {3}));
  CHECK(is("table", "F32", {2, 3}));
  CHECK(is("first row", "F32", {1, 2}));
  CHECK(is("genes", "F32", {2, 2}));
  CHECK(is("part/depth", "I32", {}));
  CHECK(state.settings.at("part/shape") == "3");
  CHECK(state.settings.at("setting") == "0.100000001");
}

TEST_CASE("a setting that differs is refused with both values, however little it differs") {
  auto from = example();
  auto const state = kept(from);
  everything to;
  to.setting = std::nextafter(.1f, 1.f);
  CHECK(refusal(to, state) ==
        "here: it was made with setting = 0.100000001, this run has 0.100000009; go on with the same, or name another file");
}

TEST_CASE("a part that is missing, of another type or of another shape is refused, and what is left over is, too") {
  auto from = example();
  auto const whole = kept(from);
  everything to;
  to.setting = .1f;
  auto const with = [&](auto const& change) {
    auto state = whole;
    change(state);
    return refusal(to, state);
  };
  CHECK(with([](saved_state&) {}) == "no error");
  CHECK(with([](saved_state& s) { s.arrays.erase("exact"); }) == "here: it has no 'exact'; it belongs to another kind of run");
  CHECK(with([](saved_state& s) { s.settings.erase("part/shape"); }) ==
        "here: it has no setting 'part/shape'; it belongs to another kind of run");
  CHECK(with([](saved_state& s) { s.arrays["exact"] = s.arrays["large"]; }) ==
        "here: 'exact' is U64 of shape (), not what this run has; it belongs to another one");
  CHECK(with([](saved_state& s) { s.arrays["genes"] = s.arrays["table"]; }) ==
        "here: 'genes' is F32 of shape (2x3), not what this run has; it belongs to another one");
  CHECK(with([](saved_state& s) { s.arrays["fixed"].shape = {1}; }).find("here: 'fixed' is F64 of shape (1)") == 0);
  CHECK(with([](saved_state& s) { s.arrays["list"].bytes.pop_back(); }).find("here: 'list' is F32 of shape (3)") == 0);
  CHECK(with([](saved_state& s) { s.arrays["births.value"] = s.arrays["list"]; }) == "no error");  // a column gives its items their number
  CHECK(with([](saved_state& s) { s.arrays["more"] = s.arrays["list"]; }) ==
        "here: it has 'more', which this run does not know; it belongs to another kind of run");
  CHECK(with([](saved_state& s) { s.settings["mode"] = "2"; }) ==
        "here: it has a setting 'mode' that this run has not; it belongs to another kind of run");
}

TEST_CASE("a packed network that is damaged is refused") {
  auto from = example();
  auto state = kept(from);
  float const outputs = 17;
  std::memcpy(state.arrays.at("networks").bytes.data(), &outputs, sizeof outputs);
  everything to;
  to.setting = .1f;
  CHECK(refusal(to, state).find("cppn: packed network 0 is none") == 0);
}

TEST_CASE("a column of items that are fixed in number must have as many") {
  fixed_columns<2> two;
  fixed_columns<3> more;
  CHECK(refusal(two, kept(more)) == "state: 'ids' has 3 entries for 2");
}

TEST_CASE("a keeper is asked for the state once, and told when the run ends") {
  struct watching {
    std::vector<bool> asked{};
    std::size_t restored = 0, kept = 0;
    std::string name() const { return "watching"; }
    std::optional<saved_state> restore() {
      ++restored;
      return {};
    }
    bool due(bool last) {
      asked.push_back(last);
      return last;
    }
    void keep(saved_state const& s) {
      ++kept;
      CHECK(s.arrays.contains("depth"));
      CHECK(s.arrays.contains("sink 0/depth"));
      CHECK(!s.arrays.contains("sink 1/depth"));
    }
  };
  static_assert(StateKeeper<watching> && StateKeeper<watching&> && !StateKeeper<inner>);
  watching keeper;
  inner run, sink;
  int option = 0;
  auto const state = [&](auto& a) { run.state(a); };
  detail::restore_state(state, option, sink, keeper);
  for (bool last : {false, false, true}) detail::keep_state(state, last, option, sink, keeper);
  CHECK(keeper.restored == 1);
  CHECK(keeper.asked == std::vector{false, false, true});
  CHECK(keeper.kept == 1);
}
