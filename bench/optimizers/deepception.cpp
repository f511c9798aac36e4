// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Deepception on random images and weights, where no placement succeeds: the class to reach is far away. Counters: `placements/s` that
// run() looks at, `forwards/s` of the bare network in batches of the same size in the same time, `ratio` of the two, and `network`, the
// share of the time that is spent in the model.
//
// And on the digits of MNIST that a trained LeNet knows, if PAREIDOLIA_DATA has them: what the strategies need. Counters: share `fooled`
// within the budget, `queries` of an image, and those of one that was fooled (`to_success`).
#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/patch.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/opposite.hpp>
#include <pareidolia/optimizers/deepception.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

tensor<float, 4> noise(std::size_t count, image_shape const& s, std::uint64_t seed) {
  auto images = filled<float, 4>({count, s[0], s[1], s[2]});
  auto stream = rng{seed}.stream(0);
  for (float& v : images) v = stream.uniform();
  return images;
}

template <class M>
std::vector<int> farthest(M const& net, tensor<float, 4> const& images) {
  auto y = filled<float, 2>({images.shape()[0], static_cast<std::size_t>(net.classes())});
  auto w = net.prepare(images.shape()[0]);
  net.forward(as_view(images), as_view(y), w);
  std::vector<int> classes;
  for (std::size_t i = 0; i < images.shape()[0]; ++i) {
    auto const row = as_view(y).row(i);
    classes.push_back(static_cast<int>(std::min_element(row.begin(), row.end()) - row.begin()));
  }
  return classes;
}

/// `side`: of the patches. The budget of `count` images is spent.
template <class Strategy>
void placements_per_second(benchmark::State& state, graph const& architecture, std::size_t count, std::size_t budget, std::size_t side,
                           Strategy const& strategy) {
  network const net{cpu_engine{}, architecture, xavier(architecture, rng{1})};
  labelled_images canvas{noise(count, net.input(), 2), {}};
  canvas.labels = farthest(net, canvas.images);
  deepception<Strategy> const optimizer{.strategy = strategy, .queries = budget};
  attack const fool{patch{.sources = all_windows(noise(4, net.input(), 3), side, side), .copies = 30, .overlap = false, .area = .3f},
                    towards{margin{}}, optimizer};
  std::size_t const batch = optimizer.batch;
  auto const x = noise(batch, net.input(), 4);
  auto y = filled<float, 2>({batch, static_cast<std::size_t>(net.classes())});
  auto workspace = net.prepare(batch);
  net.forward(as_view(x), as_view(y), workspace);
  double all = 0, inside = 0, placed = 0, bare = 0, passed = 0;
  for (auto _ : state) {
    auto const found = run(fool, net, canvas, rng{5});
    all += found.seconds;
    inside += found.model_seconds;
    placed += std::accumulate(found.forwards_spent.begin(), found.forwards_spent.end(), 0.);
    double const begin = seconds();
    for (; passed < placed; passed += static_cast<double>(batch)) net.forward(as_view(x), as_view(y), workspace);
    bare += seconds() - begin;
  }
  state.counters["placements/s"] = placed / all;
  state.counters["forwards/s"] = passed / bare;
  state.counters["ratio"] = placed / all / (passed / bare);
  state.counters["network"] = inside / all;
}

/// Fools digits by windows of other ones, 5 pixels wide, on a tenth of their area.
template <class Strategy>
void queries_to_success(benchmark::State& state, Strategy const& strategy, std::size_t donors) {
  char const* const data = std::getenv("PAREIDOLIA_DATA");
  if (data == nullptr) return state.SkipWithError("set PAREIDOLIA_DATA to the folder with MNIST and LeNet");
  std::string const root = data;
  network const net{cpu_engine{}, zoo::lenet5(), read_weights(root + "/models/lenet/lenet_iter_10000")};
  auto const digits =
      correctly_classified(net, read_mnist(root + "/mnist/t10k-images-idx3-ubyte.gz", root + "/mnist/t10k-labels-idx1-ubyte.gz"), 600);
  constexpr std::size_t attacked = 500, side = 5, pixels = 28 * 28;
  labelled_images canvas{filled<float, 4>({attacked, 1, 28, 28}), {digits.labels.begin(), digits.labels.begin() + attacked}};
  std::copy_n(digits.images.data(), attacked * pixels, canvas.images.data());
  auto others = filled<float, 4>({digits.size() - attacked, 1, 28, 28});
  std::copy_n(digits.images.data() + attacked * pixels, others.size(), others.data());
  window_grid const middle({1, 28, 28}, side, side);
  std::vector<patch_window> windows;
  std::vector<int> evokes;
  for (std::size_t i = attacked; i < digits.size(); ++i)
    for (std::size_t k : {6u, 7u, 8u, 11u, 12u, 13u, 16u, 17u, 18u})
      windows.push_back(middle(k, i - attacked)), evokes.push_back(digits.labels[i]);
  deepception<Strategy> const optimizer{.strategy = strategy, .queries = 1000, .donors = donors};
  attack const fool{patch{.sources = patches(std::move(others), windows, evokes), .copies = 30, .overlap = false, .area = .1f}, margin{},
                    optimizer};
  double fooled = 0, spent = 0, to_success = 0;
  for (auto _ : state) {
    auto const found = run(fool, net, canvas, rng{6});
    fooled = spent = to_success = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      fooled += found.success[i];
      spent += found.forwards_spent[i];
      if (found.success[i] != 0) to_success += found.forwards_spent[i];
    }
  }
  state.counters["fooled"] = fooled / static_cast<double>(attacked);
  state.counters["queries"] = spent / static_cast<double>(attacked);
  state.counters["to_success"] = to_success / fooled;
}

}  // namespace

BENCHMARK_CAPTURE(placements_per_second, lenet / lazy_greedy, zoo::lenet5(), 64, 1000, 6, lazy_greedy{})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(placements_per_second, lenet / exhaustive, zoo::lenet5(), 64, 1000, 6, exhaustive{})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(placements_per_second, lenet / blind, zoo::lenet5(), 64, 1000, 6, blind{})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(placements_per_second, squeezenet / lazy_greedy, zoo::squeezenet_1_1(), 32, 100, 48, lazy_greedy{})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

BENCHMARK_CAPTURE(queries_to_success, lenet / lazy_greedy, lazy_greedy{}, 8)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK_CAPTURE(queries_to_success, lenet / exhaustive, exhaustive{}, 8)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK_CAPTURE(queries_to_success, lenet / sampled, sampled{}, 8)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK_CAPTURE(queries_to_success, lenet / coarse_to_fine, coarse_to_fine{}, 8)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
BENCHMARK_CAPTURE(queries_to_success, lenet / strongest_donor, blind{}, 1)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK_CAPTURE(queries_to_success, lenet / random, blind{}, 900)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1);
