// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// What boundaries' curvature and flatness cost.
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/probes/boundary_curvature.hpp>
#include <pareidolia/probes/boundary_flatness.hpp>

#include <benchmark/benchmark.h>

#include "bare_passes.hpp"

using namespace pareidolia;
using namespace pareidolia_bench;

BENCHMARK_CAPTURE(beside_bare_passes, lenet, zoo::lenet5(), 64, boundary_curvature{.random = rng{3}, .directions = 100}, 64)
    ->Name("boundary_curvature/lenet/64")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);
BENCHMARK_CAPTURE(beside_bare_passes, googlenet, zoo::googlenet(), 8, boundary_curvature{.random = rng{3}, .directions = 16, .batch = 8}, 8)
    ->Name("boundary_curvature/googlenet/8")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
BENCHMARK_CAPTURE(beside_bare_passes, lenet_flatness, zoo::lenet5(), 64, boundary_flatness{.random = rng{3}, .dimensions = {10, 100, 784}},
                  64)
    ->Name("boundary_flatness/lenet/64")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);
BENCHMARK_CAPTURE(beside_bare_passes, googlenet_flatness, zoo::googlenet(), 8,
                  boundary_flatness{.random = rng{3}, .dimensions = {1000, 30000}, .batch = 8}, 8)
    ->Name("boundary_flatness/googlenet/8")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
