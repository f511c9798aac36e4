// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encodings/patch.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <utility>

// Placements of patches with a fourth of the canvas's sides, by one thread. per_copy: how many times as long an image takes as a copy of
// its canvas; ns_besides: what it takes more. A network of 28x28 pixels takes some 8 us for an image, one of 3x224x224 some 10 ms.

namespace {

using namespace pareidolia;

// As few as one thread does by itself.
struct batch {
  patch encoding;
  std::size_t count;
  tensor<float, 4> canvas, images;
  placements lists;

  batch(patch e, image_shape const& s)
      : encoding(std::move(e)),
        count(s[1] == 28 ? 80 : 1),
        canvas(filled<float, 4>({1, s[0], s[1], s[2]}, .5f)),
        images(filled<float, 4>({count, s[0], s[1], s[2]})),
        lists(encoding.buffer(count, as_view(canvas))) {
    encoding.draw(lists, rng(1));
    for (placement& p : lists.all)
      if (p.source == placement::none) p = lists.all[0];
  }
};

patches donors(image_shape const& s) {
  auto images = filled<float, 4>({16, s[0], s[1], s[2]});
  auto stream = rng(2).stream(0);
  for (float& v : images) v = stream.uniform();
  return all_windows(std::move(images), s[1] / 4, 7);
}

template <class Work>
double seconds(Work const& work) {
  auto const begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void decode(benchmark::State& state, patch const& settings) {
  bool const small = state.range(0) == 28;
  image_shape const shape = small ? image_shape{1, 28, 28} : image_shape{3, 224, 224};
  patch e = settings;
  e.sources = donors(shape);
  e.copies = static_cast<std::size_t>(state.range(1));
  batch b(std::move(e), shape);
  auto const canvas = as_view(std::as_const(b.canvas));
  auto const images = as_view(b.images);
  double decoding = INFINITY, copying = INFINITY;
  for (auto _ : state) {
    copying = std::min(copying, seconds([&] {
                         for (std::size_t i = 0; i < b.count; ++i) std::copy_n(canvas.data, canvas.size(), images.row(i).data());
                         benchmark::ClobberMemory();
                       }));
    double const time = seconds([&] { b.encoding.decode(b.lists, canvas, images); });
    state.SetIterationTime(time);
    decoding = std::min(decoding, time);
  }
  state.counters["per_copy"] = decoding / copying;
  state.counters["ns_besides"] = (decoding - copying) * 1e9 / static_cast<double>(b.count);
}

patch settings() { return {.sources = donors({1, 28, 28})}; }
patch soft() {
  patch e = settings();
  e.feather = 2;
  return e;
}
patch resized() {
  patch e = settings();
  e.smallest = .5f;
  e.largest = 1.5f;
  e.faintest = .5f;
  return e;
}
patch apart() {
  patch e = settings();
  e.overlap = false;
  e.area = .3f;
  return e;
}

void sizes(benchmark::internal::Benchmark* b) { b->ArgNames({"side", "placements"})->ArgsProduct({{28, 224}, {1, 8}})->UseManualTime(); }

BENCHMARK_CAPTURE(decode, as_they_are, settings())->Apply(sizes);
BENCHMARK_CAPTURE(decode, without_overlap, apart())->Apply(sizes);
BENCHMARK_CAPTURE(decode, feathered, soft())->Apply(sizes);
BENCHMARK_CAPTURE(decode, resized, resized())->Apply(sizes);

}  // namespace
