// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/device/batch.hpp>

#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>
#include <pareidolia/objectives/device/class_probability.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

// Primitives on 400 rows of 1000 scores, and on 400 images of 3x227x227. bytes_per_second counts what must be read and written once;
// compare it with the device's bandwidth. Scores are so few that a launch takes longer than they do.

namespace {

using namespace pareidolia;

constexpr std::size_t count = 400, classes = 1000;
constexpr std::array<std::size_t, 2> images{count, 3 * 227 * 227};

template <class Work>
void each(benchmark::State& state, std::size_t bytes, Work const& work) {
  work();
  detail::cuda::synchronize();
  for (auto _ : state) {
    work();
    detail::cuda::synchronize();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}
template <class Bench>
auto on_device(Bench const& bench) {
  return [bench](benchmark::State& state) {
    if (detail::cuda::device_count() == 0) return state.SkipWithError("no CUDA device");
    bench(state);
  };
}

void softmax(benchmark::State& state) {
  storage<float, 2, space::device> const y({count, classes}), p({count, classes});
  each(state, 2 * sizeof(float) * y.view().size(), [&] { softmax_rows(y.view(), p.view()); });
}
void seeds(benchmark::State& state) {
  storage<float, 2, space::device> const y({count, classes}), dy({count, classes});
  std::vector<int> const targets(count, 7);
  each(state, 2 * sizeof(float) * y.view().size(), [&] { class_probability{}.seed(y.view(), targets, dy.view()); });
}
void champions(benchmark::State& state) {
  storage<float, 2, space::device> const v({count, classes});
  std::vector<std::size_t> row(classes);
  std::vector<float> best(classes);
  each(state, sizeof(float) * v.view().size(), [&] { best_rows(v.view(), row, best); });
}
void gather(benchmark::State& state) {
  storage<float, 2, space::device> const from(images), to(images);
  std::vector<std::size_t> rows(count), backwards(count);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::iota(backwards.rbegin(), backwards.rend(), std::size_t{0});
  each(state, 2 * sizeof(float) * from.view().size(), [&] { copy_rows(from.view(), rows, to.view(), backwards); });
}

[[maybe_unused]] bool const registered = [] {
  benchmark::RegisterBenchmark("softmax", on_device(softmax))->UseRealTime();
  benchmark::RegisterBenchmark("class_probability.seed", on_device(seeds))->UseRealTime();
  benchmark::RegisterBenchmark("best_rows", on_device(champions))->UseRealTime();
  benchmark::RegisterBenchmark("copy_rows", on_device(gather))->UseRealTime();
  return true;
}();

}  // namespace
