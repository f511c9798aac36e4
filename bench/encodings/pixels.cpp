// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encodings/pixels.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

// One generation of 200 children on images of 28x28: what the direct encoding costs beside the network.

namespace {

using namespace pareidolia;

struct generation {
  pixels encoding;
  labelled_images canvas = blank({1, 28, 28});
  pixel_genes<space::host> parents = encoding.buffer(200, as_view(canvas.images)), children = parents;
  tensor<float, 4> images = filled<float, 4>({200, 1, 28, 28});

  explicit generation(pixels e) : encoding(e) { encoding.draw(parents, rng(1)); }
};

void draw(benchmark::State& state) {
  generation g{pixels{}};
  std::uint64_t i = 0;
  for (auto _ : state) g.encoding.draw(g.children, rng(1).fork(i++));
}
BENCHMARK(draw)->Unit(benchmark::kMicrosecond)->UseRealTime();

void vary(benchmark::State& state) {
  generation g{pixels{.rate = static_cast<float>(state.range(0)) / 1000}};
  std::uint64_t i = 0;
  for (auto _ : state) g.encoding.vary(g.parents, g.children, rng(1).fork(i++));
}
BENCHMARK(vary)->Arg(0)->Arg(1)->Arg(100)->Arg(1000)->ArgName("per_mille")->Unit(benchmark::kMicrosecond)->UseRealTime();

void vary_with_crossover(benchmark::State& state) {
  generation g{pixels{.crossover = 1}};
  std::uint64_t i = 0;
  for (auto _ : state) g.encoding.vary(g.parents, g.children, rng(1).fork(i++));
}
BENCHMARK(vary_with_crossover)->Unit(benchmark::kMicrosecond)->UseRealTime();

void decode(benchmark::State& state) {
  generation g{pixels{.levels = static_cast<std::size_t>(state.range(0))}};
  for (auto _ : state) g.encoding.decode(g.parents, as_view(g.canvas.images), as_view(g.images));
}
BENCHMARK(decode)->Arg(0)->Arg(256)->ArgName("levels")->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
