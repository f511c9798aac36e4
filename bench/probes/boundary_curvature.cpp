// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Passes that a probe of geometry makes. Counters: `of_bare`, how many a second, beside as many of the bare model in full batches, both
// timed in turns in one run; `model`, the share of the probe's time that the model took.
#include <pareidolia/attack.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/probes/boundary_curvature.hpp>
#include <pareidolia/probes/boundary_flatness.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

using namespace pareidolia;

namespace {

template <class Body>
double seconds_of(Body const& body) {
  auto const begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Of the fastest iteration on each side, the bare model planned beforehand.
template <class Probe>
void probe_beside_bare_passes(benchmark::State& state, graph const& architecture, std::size_t count, Probe const& probe) {
  network const net{cpu_engine{}, architecture, xavier(architecture, rng{1})};
  image_shape const s = net.input();
  labelled_images photos{filled<float, 4>({count, s[0], s[1], s[2]}), {}};
  auto stream = rng{2}.stream(0);
  for (float& v : photos.images) v = stream.uniform();
  auto const batch = filled<float, 4>({probe.batch, s[0], s[1], s[2]}, .5f);
  auto dx = batch;
  auto y = filled<float, 2>({probe.batch, net.classes()});
  auto work = net.prepare(probe.batch);
  net.forward(as_view(batch), as_view(y), work);
  double with = 1e9, without = 1e9, share = 0;
  for (auto _ : state) {
    cost spent;
    double const probing = seconds_of([&] { spent = measure(probe, net, photos).spent; });
    double const alone = seconds_of([&] {
      for (std::size_t b = 0; b < spent.forwards; b += probe.batch) net.forward(as_view(batch), as_view(y), work);
      for (std::size_t b = 0; b < spent.backwards; b += probe.batch) net.backward(as_view(std::as_const(y)), as_view(dx), work);
    });
    with = std::min(with, probing);
    without = std::min(without, alone);
    share = std::max(share, spent.share_of_model());
  }
  state.counters["of_bare"] = without / with;
  state.counters["model"] = share;
}

}  // namespace

BENCHMARK_CAPTURE(probe_beside_bare_passes, lenet, zoo::lenet5(), 64, boundary_curvature{.random = rng{3}, .directions = 100})
    ->Name("boundary_curvature/lenet/64")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);
BENCHMARK_CAPTURE(probe_beside_bare_passes, googlenet, zoo::googlenet(), 8,
                  boundary_curvature{.random = rng{3}, .directions = 16, .batch = 8})
    ->Name("boundary_curvature/googlenet/8")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
BENCHMARK_CAPTURE(probe_beside_bare_passes, lenet_flatness, zoo::lenet5(), 64,
                  boundary_flatness{.random = rng{3}, .dimensions = {10, 100, 784}})
    ->Name("boundary_flatness/lenet/64")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);
BENCHMARK_CAPTURE(probe_beside_bare_passes, googlenet_flatness, zoo::googlenet(), 8,
                  boundary_flatness{.random = rng{3}, .dimensions = {1000, 30000}, .batch = 8})
    ->Name("boundary_flatness/googlenet/8")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
