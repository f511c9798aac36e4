// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Images that a probe of patches shows to a model. Counter `of_bare`: how many a second, beside those that the bare model takes in batches
// of the same size. Both are timed in turns, in one run.
#include <pareidolia/attack.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/probes/spatial_response.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>

#include "bare_passes.hpp"

using namespace pareidolia;
using namespace pareidolia_bench;

namespace {

/// Speeds are those of the fastest iteration of each side, the bare model planned beforehand.
void placements_beside_bare_forwards(benchmark::State& state, graph const& architecture, std::size_t count, spatial_response const& probe) {
  network const net{cpu_engine{}, architecture, xavier(architecture, rng{1})};
  image_shape const s = net.input();
  auto const photos = noise_images(s, count);
  auto const batch = filled<float, 4>({probe.batch, s[0], s[1], s[2]}, .5f);
  auto y = filled<float, 2>({probe.batch, net.classes()});
  auto work = net.prepare(probe.batch);
  net.forward(as_view(batch), as_view(y), work);
  double with = 1e9, without = 1e9;  // seconds an image
  for (auto _ : state) {
    std::size_t forwards = 0;
    double const probing = seconds_of([&] { forwards = measure(probe, net, photos).forwards; });
    with = std::min(with, probing / static_cast<double>(forwards));
    std::size_t const batches = forwards / probe.batch;
    double const alone = seconds_of([&] {
      for (std::size_t b = 0; b < batches; ++b) net.forward(as_view(batch), as_view(y), work);
    });
    without = std::min(without, alone / static_cast<double>(batches * probe.batch));
  }
  state.counters["of_bare"] = without / with;
  state.counters["images/s"] = 1 / with;
}

}  // namespace

BENCHMARK_CAPTURE(placements_beside_bare_forwards, lenet, zoo::lenet5(), 50, spatial_response{.size = 8, .stride = 2, .local_stride = 2})
    ->Name("spatial_response/lenet/50")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(20);
BENCHMARK_CAPTURE(placements_beside_bare_forwards, squeezenet, zoo::squeezenet_1_1(), 12,
                  spatial_response{.size = 32, .stride = 32, .local_stride = 32})
    ->Name("spatial_response/squeezenet/12")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);
