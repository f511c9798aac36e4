// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/checkpoint.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/loaders/safetensors.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/optimizers/genetic.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/files.hpp>
#include <support/kept_runs.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
static_assert(StateKeeper<checkpoint> && StateKeeper<checkpoint&>);

template <class T>
state_array array_of(std::vector<T> const& values) {
  auto const bytes = std::as_bytes(std::span(values));
  return {detail::type_name<T>(), {values.size()}, {bytes.begin(), bytes.end()}};
}

saved_state example() {
  saved_state s;
  s.settings = {{"seed", "42"}, {"name", "quotes \" and \\, lines\nand \xc3\xa9"}};
  s.arrays = {{"floats", array_of<float>({1, 2, 3})},       {"doubles", array_of<double>({.1})},
              {"bytes", array_of<std::uint8_t>({0, 255})},  {"ints", array_of<int>({-1})},
              {"counts", array_of<std::uint32_t>({4, 5})},  {"long", array_of<std::int64_t>({-7})},
              {"ids", array_of<std::uint64_t>({~0ull, 1})}, {"nothing", array_of<float>({})}};
  s.arrays["number"] = array_of<double>({7});
  s.arrays["number"].shape.clear();
  s.arrays["image"] = array_of<float>({1, 2, 3, 4, 5, 6});
  s.arrays["image"].shape = {1, 2, 3};
  return s;
}

plane_model const planes = random_planes(5, {1, 4, 4}, 5);
attack const dream{cppn{}, class_probability{}, map_elites{.children = 20, .generations = 12}};
outcome dreamt(auto&&... extras) { return run(dream, planes, blank(planes.input()), rng{3}, extras...); }

}  // namespace

TEST_CASE("what is written as a state is read again, and the same state is the same bytes") {
  temporary_folder const folder;
  auto const state = example();
  write_state(folder / "a", state);
  CHECK(read_state(folder / "a") == state);
  write_state(folder / "b", read_state(folder / "a"));
  CHECK(detail::read_file(folder / "a") == detail::read_file(folder / "b"));
  CHECK(folder.files() == 2);
  write_state(folder / "c", {});
  CHECK(read_state(folder / "c") == saved_state{});
}

TEST_CASE("a state is a safetensors file with its settings as metadata") {
  temporary_folder const folder;
  saved_state only;
  only.settings["seed"] = "42";
  only.arrays["image"] = example().arrays.at("image");
  write_state(folder / "state.safetensors", only);
  auto const w = read_safetensors(folder / "state.safetensors");
  CHECK(w.metadata.at("seed") == "42");
  CHECK(w.metadata.at("version") == version);
  CHECK(w.parameters.at("image").shape == std::vector<std::size_t>{1, 2, 3});
}

TEST_CASE("a file that is no state is one sentence that names it") {
  temporary_folder const folder;
  auto const said = [&](std::string_view bytes) { return error_of([&] { static_cast<void>(read_state(put(folder / "f", bytes))); }); };
  CHECK(contains(said(""), "f: the file has 0 bytes; this is no checkpoint"));
  CHECK(contains(said("\xff\xff\xff\xff\xff\xff\xff\xff"), "this is no checkpoint, or it is cut short"));
  std::string const header = R"({"__metadata__":{"format":"pt"}})";
  std::string length(8, '\0');
  length[0] = static_cast<char>(header.size());
  CHECK(contains(said(length + header), "its format is 'pt', not 'pareidolia state 1'"));
  CHECK(contains(error_of([&] { static_cast<void>(read_state(folder / "missing")); }), "missing"));
}

TEST_CASE("a state that is cut short is refused at every byte, and one that is damaged is read or refused") {
  temporary_folder const folder;
  write_state(folder / "good", example());
  auto const good = detail::read_file(folder / "good");
  auto const report = read_damaged(folder / "bad", good, [](auto const& path) { return read_state(path); });
  CHECK(report.refused_when_cut == good.size());
  CHECK(report.refused > 0);
}

TEST_CASE("a run with a checkpoint that is killed again and again ends with the same bytes") {
  temporary_folder const folder;
  auto const whole = dreamt();
  std::size_t pieces = 0;
  for (bool over = false; !over; ++pieces) {
    try {
      check_same(dreamt(checkpoint{folder / "dream.ckpt", 0}, kill_after{3}), whole);
      over = true;
    } catch (kill_after::killed const&) {
    }
  }
  CHECK(pieces == 5);  // of 13 steps
  CHECK(folder.files() == 1);
  auto const last = detail::read_file(folder / "dream.ckpt");
  check_same(dreamt(checkpoint{folder / "dream.ckpt"}), whole);  // was complete
  static_cast<void>(dreamt(checkpoint{folder / "other.ckpt", 0}));
  CHECK(read_state(folder / "other.ckpt").arrays.at("search/champions") == read_state(folder / "dream.ckpt").arrays.at("search/champions"));
}

TEST_CASE("a run that a sink ends is kept where it ended, and goes on from there") {
  temporary_folder const folder;
  int steps = 0;
  auto const cut = dreamt(checkpoint{folder / "dream.ckpt"}, [&](step const&) { return ++steps < 4 ? verdict::go_on : verdict::stop; });
  CHECK(!cut.complete);
  auto const rest = dreamt(checkpoint{folder / "dream.ckpt"});
  check_same(rest, dreamt());
  CHECK(rest.steps == 13);
}

TEST_CASE("a checkpoint is written now and then, as its seconds say, and at the end") {
  temporary_folder const folder;
  checkpoint seldom{folder / "f", 1000};
  CHECK(!seldom.restore());
  CHECK(!seldom.due(false));
  CHECK(seldom.due(true));
  checkpoint always{folder / "f", 0};
  CHECK(!always.restore());
  CHECK(always.due(false));
  CHECK(folder.files() == 0);
  always.keep(example());
  CHECK(always.restore() == example());
  CHECK_THROWS_WITH_AS((checkpoint{folder / "f", -1}), "checkpoint: seconds is -1; give 0, for every step, or more", error);
}

TEST_CASE("a folder that cannot be written to is an error before the first step") {
  temporary_folder const folder;
  std::size_t steps = 0;
  auto const said = error_of([&] { dreamt(checkpoint{folder / "missing/dream.ckpt"}, [&](step const&) { ++steps; }); });
  CHECK(contains(said, "missing/dream.ckpt: cannot be written"));
  CHECK(steps == 0);
}

TEST_CASE("a full disk ends a run with an error and leaves the older checkpoint, from which it goes on") {
  temporary_folder const folder;
  auto const whole = dreamt();
  CHECK_THROWS_AS(dreamt(checkpoint{folder / "dream.ckpt", 0}, kill_after{4}), kill_after::killed);
  auto const older = detail::read_file(folder / "dream.ckpt");
  {
    full_disk const full(1000);
    CHECK(contains(error_of([&] { dreamt(checkpoint{folder / "dream.ckpt", 0}); }), "dream.ckpt: cannot be written (File too large)"));
  }
  CHECK(detail::read_file(folder / "dream.ckpt") == older);
  CHECK(folder.files() == 1);
  check_same(dreamt(checkpoint{folder / "dream.ckpt", 0}), whole);
}

TEST_CASE("a checkpoint of another run is refused with its name and stays as it was") {
  temporary_folder const folder;
  static_cast<void>(dreamt(checkpoint{folder / "dream.ckpt"}));
  auto const before = detail::read_file(folder / "dream.ckpt");
  auto const said = error_of([&] { run(dream, planes, blank(planes.input()), rng{4}, checkpoint{folder / "dream.ckpt"}); });
  CHECK(contains(said, "dream.ckpt: it was made with seed = 3, this run has 4; go on with the same, or name another file"));
  CHECK(detail::read_file(folder / "dream.ckpt") == before);
}

TEST_CASE("an image that holds many cells is kept once") {
  temporary_folder const folder;
  struct wide : plane_model {};  // many classes, of which a few images hold all
  wide const model{random_planes(200, {1, 4, 4}, 9)};
  attack const few{cppn{}, class_probability{}, map_elites{.children = 4, .generations = 3}};
  auto const whole = run(few, model, blank(model.input()), rng{3});
  CHECK_THROWS_AS(run(few, model, blank(model.input()), rng{3}, checkpoint{folder / "f", 0}, kill_after{2}), kill_after::killed);
  CHECK(read_state(folder / "f").arrays.at("search/champions").shape[0] <= 8);
  CHECK(read_state(folder / "f").arrays.at("search/elites/value").shape[0] == 200);
  check_same(run(few, model, blank(model.input()), rng{3}, checkpoint{folder / "f", 0}), whole);
}
