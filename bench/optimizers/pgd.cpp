// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Images attacked by PGD and Auto-PGD. Counters: `images/s`; `network`, the share of the time that is spent in the model; `forwards` and
// `backwards` of an image beside the least it takes, `least_forwards` (one for each step taken, one at the end) and `least_backwards`.
#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/apgd.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

using namespace pareidolia;

namespace {

double total(std::vector<std::uint32_t> const& spent) { return std::accumulate(spent.begin(), spent.end(), 0.); }

/// All the steps of each of `count` random images: speed does not depend on the weights.
template <class O>
void images(benchmark::State& state, graph const& architecture, std::size_t count, O const& optimizer) {
  network const net{cpu_engine{}, architecture, xavier(architecture, rng{1})};
  image_shape const s = net.input();
  labelled_images canvas{filled<float, 4>({count, s[0], s[1], s[2]}), std::vector<int>(count)};
  auto stream = rng{2}.stream(0);
  for (float& v : canvas.images) v = stream.uniform();
  attack const nudge{perturbation{linf{.1f}}, cross_entropy{}, optimizer};
  double all = 0, inside = 0, forwards = 0, backwards = 0;
  for (auto _ : state) {
    auto const found = run(nudge, net, canvas, rng{3});
    all += found.seconds;
    inside += found.model_seconds;
    forwards += total(found.forwards_spent);
    backwards += total(found.backwards_spent);
  }
  double const attacked = static_cast<double>(state.iterations()) * static_cast<double>(count);
  state.counters["images/s"] = benchmark::Counter(attacked, benchmark::Counter::kIsRate);
  state.counters["network"] = inside / all;
  state.counters["forwards"] = forwards / attacked;
  state.counters["backwards"] = backwards / attacked;
  state.counters["least_forwards"] = static_cast<double>(optimizer.steps) + 1;
  state.counters["least_backwards"] = static_cast<double>(optimizer.steps);
}

constexpr pgd plain{.steps = 10, .stop_early = false};
constexpr apgd adaptive{.steps = 10, .stop_early = false};

}  // namespace

BENCHMARK_CAPTURE(images, pgd_lenet, zoo::lenet5(), 1000, plain)->Name("pgd/lenet/1000")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(images, apgd_lenet, zoo::lenet5(), 1000, adaptive)->Name("apgd/lenet/1000")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(images, pgd_googlenet, zoo::googlenet(), 50, plain)
    ->Name("pgd/googlenet/50")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
