// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Principal curvatures of the boundaries near images. Counter `of_model`: the share of the time that the model takes, of which the rest is
// vectors and eigenpairs. Counter `of_bare`: passes a second, beside those of the bare model in full batches, timed in turns.
#include <pareidolia/attack.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/probes/principal_curvatures.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

using namespace pareidolia;

namespace {

template <class Body>
double seconds_of(Body const& body) {
  auto const begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Speeds are those of the fastest iteration of each side, the bare model planned beforehand.
void curvatures_beside_bare_passes(benchmark::State& state, graph const& architecture, std::size_t count,
                                   principal_curvatures const& probe) {
  network const net{cpu_engine{}, architecture, xavier(architecture, rng{1})};
  image_shape const s = net.input();
  labelled_images photos{filled<float, 4>({count, s[0], s[1], s[2]}), {}};
  auto stream = rng{2}.stream(0);
  for (float& v : photos.images) v = stream.uniform();
  auto const x = filled<float, 4>({probe.batch, s[0], s[1], s[2]}, .5f);
  auto dx = x;
  auto y = filled<float, 2>({probe.batch, net.classes()}), dy = y;
  auto work = net.prepare(probe.batch);
  auto const pass = [&] {
    net.forward(as_view(x), as_view(y), work);
    net.backward(as_view(dy), as_view(dx), work);
  };
  pass();
  double with = 1e9, without = 1e9, share = 0;  // seconds a pass
  for (auto _ : state) {
    auto const spent = measure(probe, net, photos).spent;
    with = std::min(with, spent.seconds / static_cast<double>(spent.backwards));
    share = std::max(share, spent.share_of_model());
    without = std::min(without, seconds_of(pass) / static_cast<double>(probe.batch));
  }
  state.counters["of_bare"] = without / with;
  state.counters["of_model"] = share;
}

}  // namespace

BENCHMARK_CAPTURE(curvatures_beside_bare_passes, lenet, zoo::lenet5(), 64, principal_curvatures{.extremes = 5, .products = 60})
    ->Name("principal_curvatures/lenet/64")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);
BENCHMARK_CAPTURE(curvatures_beside_bare_passes, lenet_spectrum, zoo::lenet5(), 2,
                  principal_curvatures{.extent = curvature_extent::spectrum, .extremes = 5})
    ->Name("principal_curvatures/lenet/spectrum/2")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);
BENCHMARK_CAPTURE(curvatures_beside_bare_passes, squeezenet, zoo::squeezenet_1_1(), 8,
                  principal_curvatures{.extremes = 3, .products = 40, .batch = 16})
    ->Name("principal_curvatures/squeezenet/8")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
