// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Principal curvatures of the boundaries near images, by Lanczos and by the whole spectrum.
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/probes/principal_curvatures.hpp>

#include <benchmark/benchmark.h>

#include "bare_passes.hpp"

using namespace pareidolia;
using namespace pareidolia_bench;

BENCHMARK_CAPTURE(beside_bare_passes, lenet, zoo::lenet5(), 64, principal_curvatures{.extremes = 5, .products = 60}, 64)
    ->Name("principal_curvatures/lenet/64")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);
BENCHMARK_CAPTURE(beside_bare_passes, lenet_spectrum, zoo::lenet5(), 2,
                  principal_curvatures{.extent = curvature_extent::spectrum, .extremes = 5}, 64)
    ->Name("principal_curvatures/lenet/spectrum/2")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);
BENCHMARK_CAPTURE(beside_bare_passes, squeezenet, zoo::squeezenet_1_1(), 8,
                  principal_curvatures{.extremes = 3, .products = 40, .batch = 16}, 16)
    ->Name("principal_curvatures/squeezenet/8")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
