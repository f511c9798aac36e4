// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// The detector on images of LeNet and GoogLeNet. Boundaries of random networks are found as those of trained ones are.
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/probes/curvature_detector.hpp>

#include <benchmark/benchmark.h>

#include "bare_passes.hpp"

using namespace pareidolia;
using namespace pareidolia_bench;

BENCHMARK_CAPTURE(beside_bare_passes, lenet, zoo::lenet5(), 200, curvature_detector{.random = rng{3}, .batch = 64}, 64)
    ->Name("curvature_detector/lenet/200")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);
BENCHMARK_CAPTURE(beside_bare_passes, googlenet, zoo::googlenet(), 2, curvature_detector{.random = rng{3}, .batch = 16}, 16)
    ->Name("curvature_detector/googlenet/2")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
