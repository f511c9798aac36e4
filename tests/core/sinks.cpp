// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/sinks.hpp>

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

static_assert(Sink<progress> && Sink<progress&> && Sink<recorder> && Sink<stop_on_interrupt> && Sink<stop_on_interrupt&>);
static_assert(Sink<void (*)(step const&)> && !Sink<int> && !Sink<int (*)(step const&)> && !Sink<void (*)()>);

namespace {

struct closer {
  void operator()(std::FILE* f) const { std::fclose(f); }
};

// What progress writes to a file in a run of `steps` steps that says it has `announced`.
std::string written(std::string title, std::size_t steps, std::size_t announced, std::span<figure const> figures = {}) {
  std::unique_ptr<std::FILE, closer> const file(std::tmpfile());
  REQUIRE(file);
  {
    progress sink(std::move(title), file.get());
    for (std::size_t i = 1; i <= steps; ++i) sink(step{{i, announced, figures}, 0.25 * static_cast<double>(i), 0});
  }
  std::string text(static_cast<std::size_t>(std::ftell(file.get())), '\0');
  std::rewind(file.get());
  REQUIRE(std::fread(text.data(), 1, text.size(), file.get()) == text.size());
  return text;
}

std::vector<std::string> lines(std::string const& text) {
  std::vector<std::string> found;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    found.push_back(text.substr(begin, end - begin));
  return found;
}

}  // namespace

TEST_CASE("progress writes a line for each tenth of a run into a file") {
  auto const all = lines(written("dream", 200, 200));
  REQUIRE(all.size() == 10);
  CHECK(all[4] == "dream [##########..........]   100/200  25.0 s");
  CHECK(all[9] == "dream [####################]   200/200  50.0 s");
}

TEST_CASE("progress shows the figures of the search") {
  std::array const figures{figure{"replaced", 3}, figure{"median", 0.999824}};
  CHECK(written("", 1, 1, figures) == " [####################]     1/1  0.2 s  replaced 3  median 0.999824\n");
}

TEST_CASE("progress writes a line for every hundred steps of a run without an end") {
  auto const all = lines(written("t", 250, 0));
  REQUIRE(all.size() == 2);
  CHECK(all[1] == "t   200  50.0 s");
}

TEST_CASE("a recorder keeps the figures of each step") {
  history log;
  recorder sink(log);
  for (std::size_t i = 0; i < 3; ++i) {
    std::array const figures{figure{"replaced", 10.0 - static_cast<double>(i)}, figure{"median", 0.5 * static_cast<double>(i)}};
    sink(step{{i, 3, figures}, 0, 0});
  }
  CHECK(log.names == std::vector<std::string>{"replaced", "median"});
  CHECK(log.steps == std::vector<std::size_t>{0, 1, 2});
  CHECK(log.column("replaced") == std::vector<double>{10, 9, 8});
  CHECK(log.column("median") == std::vector<double>{0, 0.5, 1});
  CHECK(log.column("mean").empty());
}

TEST_CASE("every sink is told of a step, and one that says stop is enough") {
  int told = 0;
  auto watch = [&](step const&) { ++told; };
  auto stop = [&](step const&) { return ++told, verdict::stop; };
  auto go_on = [&](step const&) { return ++told, verdict::go_on; };
  CHECK(detail::inform(step{}));
  CHECK(detail::inform(step{}, watch, go_on));
  CHECK_FALSE(detail::inform(step{}, stop, watch, go_on));
  CHECK_FALSE(detail::inform(step{}, go_on, stop));
  CHECK(told == 7);
}

TEST_CASE("a time limit ends a run once its time is over") {
  CHECK(time_limit(1e6)(step{}) == verdict::go_on);
  CHECK(time_limit(1e-9)(step{}) == verdict::stop);
  CHECK_THROWS_WITH_AS(time_limit(0), "time_limit: seconds is 0; give more than 0", error);
}

TEST_CASE("a recorder's history is kept and taken up") {
  history log, other;
  recorder sink(log);
  std::array figures{figure{"replaced", 10}, figure{"median", 0.25}};
  for (std::size_t i = 0; i < 3; ++i) sink(step{{i, 3, figures}, 0, 0});
  saved_state kept;
  state_writer writer(kept);
  sink.state(writer);
  recorder again(other);
  state_reader reader(kept, "kept");
  again.state(reader);
  reader.finish();
  CHECK(other.names == log.names);
  CHECK(other.steps == log.steps);
  CHECK(other.rows == log.rows);
  kept.arrays["steps"].shape = {2};
  kept.arrays["steps"].bytes.resize(16);
  CHECK_THROWS_WITH_AS(again.state(reader), "recorder: the history that was kept is damaged; begin anew", error);
}

TEST_CASE("stop_on_interrupt stops at the first SIGINT and gives the handler back") {
  static int former = 0;
  auto const before = std::signal(SIGINT, [](int) { ++former; });
  {
    stop_on_interrupt const outer;
    {
      stop_on_interrupt const inner;
      CHECK(inner(step{}) == verdict::go_on);
      CHECK_FALSE(stop_on_interrupt::interrupted());
      std::raise(SIGINT);
      CHECK(inner(step{}) == verdict::stop);
    }
    CHECK(outer(step{}) == verdict::stop);
    CHECK(stop_on_interrupt::interrupted());
    CHECK(former == 0);
  }
  std::raise(SIGINT);  // reaches the handler that was there before
  CHECK(former == 1);
  std::signal(SIGINT, before);
}
