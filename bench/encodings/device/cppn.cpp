// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/device/cppn.hpp>

#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

// 400 networks drawn at 3x227x227, after as many generations without selection as the argument says. nodes/s counts values of nodes that
// reach an output, pixel by pixel.

namespace {

using namespace pareidolia;

void decode(benchmark::State& state) {
  if (detail::cuda::device_count() == 0) return state.SkipWithError("no CUDA device");
  cppn const e{.connection_deletion = 0, .node_deletion = 0};
  storage<float, 4, space::device> const canvas({1, 3, 227, 227}), images({400, 3, 227, 227});
  auto networks = e.buffer(400, canvas.view()), children = networks;
  e.draw(networks, rng(1));
  for (std::int64_t g = 0; g < state.range(0); ++g) {
    e.vary(networks, children, rng(1).fork(static_cast<std::uint64_t>(g)));
    std::swap(networks, children);
  }
  std::size_t nodes = 0;
  detail::cppn_program program;
  for (auto const& network : networks.networks) {
    program.compile(network, e.weight_range);
    nodes += program.steps.size();
  }
  for (auto _ : state) {
    e.decode(networks, canvas.view(), images.view());
    detail::cuda::synchronize();
  }
  auto const rate = [&](std::size_t work) {
    return benchmark::Counter(static_cast<double>(work) * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  };
  state.counters["images/s"] = rate(400);
  state.counters["nodes/s"] = rate(nodes * 227 * 227);
}

BENCHMARK(decode)->Arg(0)->Arg(20)->Arg(100)->UseRealTime();

}  // namespace
