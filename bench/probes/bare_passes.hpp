// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/cost.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

// Probes beside the bare passes of the model that they ask.

namespace pareidolia_bench {

using namespace pareidolia;

template <class Body>
double seconds_of(Body const& body) {
  auto const begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// `count` images of noise.
[[nodiscard]] inline labelled_images noise_images(image_shape const& s, std::size_t count) {
  labelled_images photos{filled<float, 4>({count, s[0], s[1], s[2]}), {}};
  auto stream = rng{2}.stream(0);
  for (float& v : photos.images) v = stream.uniform();
  return photos;
}

/// Passes that a probe with a cost makes on `count` images of noise. Counters: `of_bare`, how many a second, beside as many of the bare
/// model in full batches, both timed in turns in one run, the fastest iteration of each; `model`, the share of the probe's time that the
/// model took; `forwards` and `backwards` of an image.
template <class Probe>
void beside_bare_passes(benchmark::State& state, graph const& architecture, std::size_t count, Probe const& probe, std::size_t batch) {
  network const net{cpu_engine{}, architecture, xavier(architecture, rng{1})};
  auto const photos = noise_images(net.input(), count);
  auto const x = noise_images(net.input(), batch).images;
  auto dx = x;
  auto y = filled<float, 2>({batch, net.classes()});
  auto work = net.prepare(batch);
  net.forward(as_view(x), as_view(y), work);
  double with = 1e9, without = 1e9, share = 0;
  cost spent;
  for (auto _ : state) {
    with = std::min(with, seconds_of([&] { spent = measure(probe, net, photos).spent; }));
    share = std::max(share, spent.share_of_model());
    without = std::min(without, seconds_of([&] {
                         for (std::size_t b = 0; b < spent.forwards; b += batch) net.forward(as_view(x), as_view(y), work);
                         for (std::size_t b = 0; b < spent.backwards; b += batch)
                           net.backward(as_view(std::as_const(y)), as_view(dx), work);
                       }));
  }
  state.counters["of_bare"] = without / with;
  state.counters["model"] = share;
  state.counters["forwards"] = static_cast<double>(spent.forwards) / static_cast<double>(count);
  state.counters["backwards"] = static_cast<double>(spent.backwards) / static_cast<double>(count);
}

}  // namespace pareidolia_bench
