// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// The detector on images of LeNet and GoogLeNet. Counter `network`: the share of the time that is spent in the model; `forwards` and
// `backwards`: of an image. Boundaries of random networks are found as those of trained ones are.
#include <pareidolia/attack.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/probes/curvature_detector.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>

using namespace pareidolia;

namespace {

void detections(benchmark::State& state, graph const& architecture, std::size_t count, std::size_t batch) {
  network const net{cpu_engine{}, architecture, xavier(architecture, rng{1})};
  image_shape const s = net.input();
  labelled_images photos{filled<float, 4>({count, s[0], s[1], s[2]}), {}};
  auto stream = rng{2}.stream(0);
  for (float& v : photos.images) v = stream.uniform();
  curvature_detector const detector{.random = rng{3}, .batch = batch};
  cost all;
  for (auto _ : state) all += measure(detector, net, photos).spent;
  auto const images = static_cast<double>(count) * static_cast<double>(state.iterations());
  state.counters["network"] = all.share_of_model();
  state.counters["forwards"] = static_cast<double>(all.forwards) / images;
  state.counters["backwards"] = static_cast<double>(all.backwards) / images;
  state.counters["images/s"] = images / all.seconds;
}

}  // namespace

BENCHMARK_CAPTURE(detections, lenet, zoo::lenet5(), 200, 64)
    ->Name("curvature_detector/lenet/200")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);
BENCHMARK_CAPTURE(detections, googlenet, zoo::googlenet(), 2, 16)
    ->Name("curvature_detector/googlenet/2")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
