// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// MAP-Elites beside the bare network, 28x28 and 224x224, for 10 to 10,000 cells; and on a model that costs next to nothing. Weights are
// random. Counters: `images/s` that the search evaluates; `bare`, those that the network alone evaluates, in batches of the same size;
// `outside`, the share of the search's time that is not spent in the model, and `ms_outside`, this time for one generation.
#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>

using namespace pareidolia;

namespace {

/// The score of a class is one pixel.
struct glance {
  static constexpr space memory = space::host;
  struct workspace {};
  image_shape shape;
  std::size_t cells;

  [[nodiscard]] image_shape input() const { return shape; }
  [[nodiscard]] std::size_t classes() const { return cells; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<space::host> x, score_view<space::host> y, workspace&) const {
    for (std::size_t i = 0; i < x.shape[0]; ++i)
      for (std::size_t k = 0; k < cells; ++k) y.row(i)[k] = x.row(i)[k % x.stride()];
  }
};

template <class M>
double bare_images_per_second(M const& model, std::size_t children) {
  auto const input = model.input();
  auto const x = filled<float, 4>({children, input[0], input[1], input[2]}, 0.5f);
  auto y = filled<float, 2>({children, model.classes()});
  auto workspace = model.prepare(children);
  model.forward(as_view(x), as_view(y), workspace);
  std::size_t passes = 0;
  double seconds = 0;
  auto const begin = std::chrono::steady_clock::now();
  for (; seconds < 1; ++passes) {
    model.forward(as_view(x), as_view(y), workspace);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  return static_cast<double>(passes * children) / seconds;
}

/// The generations of children: those at the beginning, of which each replaces many champions. The random one is not counted.
template <class E, class M>
void evolve(benchmark::State& state, E const& encoding, M const& model, std::size_t children, std::size_t generations) {
  attack const fool{encoding, class_probability{}, map_elites{.children = children, .generations = generations}};
  step first, last;
  for (auto _ : state) {
    auto const watch = [&](step const& now) { (now.where.step == 0 ? first : last) = now; };
    benchmark::DoNotOptimize(run(fool, model, blank(model.input()), rng{1}, watch));
    state.SetIterationTime(last.seconds - first.seconds);
  }
  double const seconds = last.seconds - first.seconds, images = static_cast<double>(children * generations);
  state.counters["images/s"] = images / seconds;
  state.counters["bare"] = bare_images_per_second(model, children);
  state.counters["outside"] = 1 - (last.model_seconds - first.model_seconds) / seconds;
  state.counters["ms_outside"] = 1000 * (seconds - last.model_seconds + first.model_seconds) / static_cast<double>(generations);
}

/// `make` gives the model, which only a benchmark that runs needs.
template <class E, class Make>
void add(std::string const& name, E const& encoding, Make const& make, std::size_t children, std::size_t generations) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { evolve(state, encoding, make(), children, generations); })
      ->Unit(benchmark::kMillisecond)
      ->UseManualTime()
      ->Iterations(1);
}

/// Makes a network with random weights; one that ends with an inner product gets as many classes as asked for.
auto random_network(graph g, std::size_t classes) {
  if (auto* const last = std::get_if<layer::inner_product>(&g.nodes.back().what)) last->outputs = classes;
  g.labels.clear();
  return [g] { return network{cpu_engine{}, g, xavier(g, rng{1})}; };
}

[[maybe_unused]] bool const added = [] {
  for (std::size_t const cells : {10u, 1000u, 10'000u}) {
    auto const name = [&](char const* what) { return what + std::to_string(cells); };
    auto const lenet = random_network(zoo::lenet5(), cells);
    add(name("lenet/direct/"), pixels{}, lenet, 200, 50);
    add(name("lenet/cppn/"), cppn{}, lenet, 200, 50);
    add(
        name("trivial/direct/"), pixels{},
        [cells] {
          return glance{{1, 28, 28}, cells};
        },
        200, 50);
    add(
        name("trivial/cppn/"), cppn{},
        [cells] {
          return glance{{1, 28, 28}, cells};
        },
        200, 50);
  }
  add("squeezenet/direct/1000", pixels::paper(), random_network(zoo::squeezenet_1_1(), 1000), 200, 3);
  add("squeezenet/cppn/1000", cppn{}, random_network(zoo::squeezenet_1_1(), 1000), 200, 3);
  add("googlenet/direct/1000", pixels::paper(), random_network(zoo::googlenet(), 1000), 200, 3);
  add("googlenet/cppn/1000", cppn{}, random_network(zoo::googlenet(), 1000), 200, 3);
  add("googlenet/cppn/10000", cppn{}, random_network(zoo::googlenet(), 10'000), 200, 3);
  return true;
}();

}  // namespace
