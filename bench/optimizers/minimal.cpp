// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// The attacks that look for the shortest perturbation, against LeNet. Counters: `network`, the share of the time that is spent in the
// model; `forwards` and `backwards`, passes for each image; `images/s`.
#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/optimizers/carlini_wagner.hpp>
#include <pareidolia/optimizers/decoupled_norm.hpp>
#include <pareidolia/optimizers/lbfgs.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

using namespace pareidolia;

namespace {

constexpr std::size_t count = 100;

// Images of noise with the classes that the network gives them.
template <class M>
labelled_images noise(M const& model) {
  image_shape const s = model.input();
  labelled_images all{filled<float, 4>({count, s[0], s[1], s[2]}), std::vector<int>(count)};
  for (std::size_t i = 0; i < count; ++i) {
    auto stream = rng(3).stream(i);
    for (float& v : as_view(all.images).row(i)) v = stream.uniform();
  }
  auto y = filled<float, 2>({count, model.classes()});
  auto workspace = model.prepare(count);
  model.forward(as_view(all.images), as_view(y), workspace);
  argmax(as_view(y), all.labels);
  return all;
}

template <class B, class O>
void shortest(benchmark::State& state, B const& objective, O const& optimizer) {
  network const lenet{cpu_engine{}, zoo::lenet5(), xavier(zoo::lenet5(), rng{1})};
  auto const images = noise(lenet);
  attack const least{perturbation{l2{}}, objective, optimizer};
  double all = 0, inside = 0, forwards = 0, backwards = 0;
  for (auto _ : state) {
    auto const found = run(least, lenet, images, rng{2});
    all += found.seconds;
    inside += found.model_seconds;
    for (std::size_t i = 0; i < count; ++i) forwards += found.forwards_spent[i], backwards += found.backwards_spent[i];
  }
  double const attacked = static_cast<double>(state.iterations()) * static_cast<double>(count);
  state.counters["network"] = inside / all;
  state.counters["forwards"] = forwards / attacked;
  state.counters["backwards"] = backwards / attacked;
  state.counters["images/s"] = benchmark::Counter(attacked, benchmark::Counter::kIsRate);
}

}  // namespace

BENCHMARK_CAPTURE(shortest, lenet / decoupled_norm, cross_entropy{}, decoupled_norm{})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(shortest, lenet / carlini_wagner, margin{}, carlini_wagner{})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(shortest, lenet / lbfgs, margin{}, lbfgs{})->UseRealTime()->Unit(benchmark::kMillisecond);
