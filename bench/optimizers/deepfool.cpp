// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// DeepFool on LeNet (1000 images) and GoogLeNet (50 images). Counter `network`: the share of the time that is spent in the model;
// `forwards` and `backwards`: passes of an image. The least are 9 backwards and a forward for each step and the forward that ends it; to
// try x + (1 + overshoot) r before going on from x + r costs another forward a step. The networks are those of PAREIDOLIA_DATA where it is
// set, else random ones.
#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/misclassification.hpp>
#include <pareidolia/optimizers/deepfool.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>

using namespace pareidolia;

namespace {

std::filesystem::path data() {
  char const* const named = std::getenv("PAREIDOLIA_DATA");
  return named != nullptr ? named : "";
}

network<cpu_engine> net(graph const& g, char const* weights) {
  if (data().empty()) return {cpu_engine{}, g, xavier(g, rng{1})};
  return {cpu_engine{}, g, read_weights(data() / weights)};
}

template <class M>
labelled_images noise(M const& model, std::size_t count) {
  auto const s = model.input();
  labelled_images result{filled<float, 4>({count, s[0], s[1], s[2]}), {}};
  auto stream = rng{2}.stream(0);
  for (float& v : result.images) v = stream.uniform();
  result.labels = classified(model, result.images, 32);
  return result;
}

void deepfools(benchmark::State& state, graph const& g, char const* weights, std::size_t count) {
  auto const model = net(g, weights);
  auto images = noise(model, count);
  if (!data().empty() && g.input[0] == 1)
    images = correctly_classified(model, read_mnist(data() / "mnist/t10k-images-idx3-ubyte.gz", data() / "mnist/t10k-labels-idx1-ubyte.gz"),
                                  count);
  attack const nearest{perturbation{l2{}}, misclassification{}, deepfool{}};
  double all = 0, inside = 0, forwards = 0, backwards = 0;
  for (auto _ : state) {
    auto const found = run(nearest, model, images, rng{3});
    all += found.seconds;
    inside += found.model_seconds;
    forwards += std::accumulate(found.forwards_spent.begin(), found.forwards_spent.end(), 0.);
    backwards += std::accumulate(found.backwards_spent.begin(), found.backwards_spent.end(), 0.);
  }
  double const attacked = static_cast<double>(state.iterations()) * static_cast<double>(count);
  state.counters["network"] = inside / all;
  state.counters["images/s"] = benchmark::Counter(attacked, benchmark::Counter::kIsRate);
  state.counters["forwards"] = forwards / attacked;
  state.counters["backwards"] = backwards / attacked;
}

}  // namespace

BENCHMARK_CAPTURE(deepfools, lenet, zoo::lenet5(), "models/lenet/lenet_iter_10000", 1000)
    ->Name("deepfool/lenet")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
BENCHMARK_CAPTURE(deepfools, googlenet, zoo::googlenet(), "models/googlenet/bvlc_googlenet.caffemodel", 50)
    ->Name("deepfool/googlenet")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);
