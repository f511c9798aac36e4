// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/device/pixels.hpp>

#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>

// 400 genotypes of 3x227x227 in device memory; bytes_per_second counts genes read and written once.

namespace {

using namespace pareidolia;

constexpr std::array<std::size_t, 4> shape{400, 3, 227, 227};

struct generation {
  storage<float, 4, space::device> canvas{{1, shape[1], shape[2], shape[3]}}, images{shape};
  pixel_genes<space::device> parents, children;

  explicit generation(pixels const& e) : parents(e.buffer(shape[0], canvas.view())), children(e.buffer(shape[0], canvas.view())) {
    e.draw(parents, rng(1));
  }
};

template <class Work>
void each(benchmark::State& state, pixels const& e, Work const& work) {
  if (detail::cuda::device_count() == 0) return state.SkipWithError("no CUDA device");
  generation g(e);
  work(g);
  detail::cuda::synchronize();
  for (auto _ : state) {
    work(g);
    detail::cuda::synchronize();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(2 * sizeof(float) * g.images.view().size()) * state.iterations());
}

void decode(benchmark::State& state) {
  pixels const e;
  each(state, e, [&](generation& g) { e.decode(g.parents, g.canvas.view(), g.images.view()); });
}
void draw(benchmark::State& state) {
  pixels const e;
  each(state, e, [&](generation& g) { e.draw(g.children, rng(2)); });
}
void vary(benchmark::State& state, pixels const& e) {
  each(state, e, [&](generation& g) { e.vary(g.parents, g.children, rng(3)); });
}

BENCHMARK(decode)->UseRealTime();
BENCHMARK(draw)->UseRealTime();
BENCHMARK_CAPTURE(vary, mutation, pixels{})->UseRealTime();
BENCHMARK_CAPTURE(vary, rare_mutation, pixels{.rate = 1e-4f})->UseRealTime();
BENCHMARK_CAPTURE(vary, crossover, pixels{.crossover = 0.5f})->UseRealTime();

}  // namespace
