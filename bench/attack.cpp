// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// A MAP-Elites generation of 200 children against LeNet. Counter `network`: the share of the time that is spent in the model.
#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>

using namespace pareidolia;

namespace {

template <class E>
void generations(benchmark::State& state) {
  constexpr std::size_t per_run = 100;
  network const lenet{cpu_engine{}, zoo::lenet5(), xavier(zoo::lenet5(), rng{1})};
  attack const fool{E{}, class_probability{}, map_elites{.children = 200, .generations = per_run}};
  double all = 0, inside = 0;
  for (auto _ : state) {
    auto const found = run(fool, lenet, blank(lenet.input()), rng{2});
    all += found.seconds;
    inside += found.model_seconds;
  }
  state.counters["network"] = inside / all;
  state.counters["generations/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(per_run), benchmark::Counter::kIsRate);
}

}  // namespace

BENCHMARK(generations<pixels>)->Name("map_elites/lenet/direct")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(generations<cppn>)->Name("map_elites/lenet/cppn")->UseRealTime()->Unit(benchmark::kMillisecond);
