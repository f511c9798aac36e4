// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Scores in bfloat16 beside those in float. Each iteration of a race runs both, one after the other:
//
//     googlenet/forward/8   time: in bfloat16; float_ms, ms: medians of both; of_float: speed over that of float, the median
//     googlenet/agreement   of the 1000 images of PAREIDOLIA_DATA: same: share with the same likeliest class; top1, float_top1: right ones
#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/loaders/image.hpp>
#include <pareidolia/models/crops.hpp>
#include <pareidolia/models/fold.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

template <class Body>
double seconds(Body const& body) {
  auto const begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void race(benchmark::State& state, std::string const& name) {
  auto const batch = static_cast<std::size_t>(state.range(0));
  graph const g = plan_folding(zoo::named(name)).network;
  weights const w = xavier(g, rng{1});
  network const exact{cpu_engine{}, g, w}, rounded{cpu_engine{.bfloat16 = true}, g, w};
  auto exact_work = exact.prepare(batch), rounded_work = rounded.prepare(batch);
  auto x = filled<float, 4>({batch, g.input[0], g.input[1], g.input[2]});
  auto r = rng{2}.stream(0);
  for (float& v : x) v = r.uniform();
  auto y = filled<float, 2>({batch, exact.classes()});
  auto const run = [&] { rounded.forward(as_view(std::as_const(x)), as_view(y), rounded_work); };
  auto const run_exact = [&] { exact.forward(as_view(std::as_const(x)), as_view(y), exact_work); };
  run();
  run_exact();
  std::vector<double> in_float, in_bfloat16, ratio;
  for (auto _ : state) {
    in_bfloat16.push_back(seconds(run));
    in_float.push_back(seconds(run_exact));
    ratio.push_back(in_float.back() / in_bfloat16.back());
    state.SetIterationTime(in_bfloat16.back());
  }
  state.counters["ms"] = 1e3 * median(in_bfloat16);
  state.counters["float_ms"] = 1e3 * median(in_float);
  state.counters["of_float"] = median(ratio);
}

void agreement(benchmark::State& state, graph const& g, std::string const& file) {
  char const* const data = std::getenv("PAREIDOLIA_DATA");
  if (data == nullptr) return state.SkipWithError("set PAREIDOLIA_DATA to the folder with the images");
  std::filesystem::path const root = data;
  weights const w = read_caffemodel(root / file);
  network const exact{cpu_engine{}, g, w}, rounded{cpu_engine{.bfloat16 = true}, g, w};
  center_crop const exact_centre{exact, 256, 256}, rounded_centre{rounded, 256, 256};
  constexpr std::size_t batch = 20;
  auto exact_work = exact_centre.prepare(batch), rounded_work = rounded_centre.prepare(batch);
  auto x = filled<float, 4>({batch, 3, 256, 256});
  auto y = filled<float, 2>({batch, exact.classes()});
  std::vector<int> labels(batch), exact_class(batch), rounded_class(batch);
  std::size_t total = 0, same = 0, exact_right = 0, rounded_right = 0;
  for (auto _ : state) {
    std::ifstream list(root / "imagenet/samples_labels.txt");
    std::string image;
    for (std::size_t i = 0; list >> image >> labels[i];) {
      auto const pixels = read_image(root / "imagenet/samples256" / image);
      std::copy(pixels.begin(), pixels.end(), x.data() + i * pixels.size());
      if (++i < batch) continue;
      i = 0;
      exact_centre.forward(as_view(std::as_const(x)), as_view(y), exact_work);
      argmax(as_view(std::as_const(y)), exact_class);
      rounded_centre.forward(as_view(std::as_const(x)), as_view(y), rounded_work);
      argmax(as_view(std::as_const(y)), rounded_class);
      for (std::size_t k = 0; k < batch; ++k) {
        ++total;
        same += exact_class[k] == rounded_class[k];
        exact_right += exact_class[k] == labels[k];
        rounded_right += rounded_class[k] == labels[k];
      }
    }
  }
  auto const share = [&](std::size_t count) { return static_cast<double>(count) / static_cast<double>(total); };
  state.counters["images"] = static_cast<double>(total);
  state.counters["same"] = share(same);
  state.counters["top1"] = share(rounded_right);
  state.counters["float_top1"] = share(exact_right);
}

bool const registered = [] {
  for (std::string const name : {"googlenet", "squeezenet_1_1", "resnet50", "alexnet", "vgg16"})
    for (long batch : {1, 8})
      benchmark::RegisterBenchmark((name + "/forward").c_str(), [=](benchmark::State& state) { race(state, name); })
          ->Arg(batch)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
  auto const compare = [](char const* name, graph const& g, std::string const& file) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { agreement(state, g, file); })
        ->Iterations(1)
        ->Unit(benchmark::kSecond);
  };
  compare("googlenet/agreement", zoo::googlenet(), "models/googlenet/bvlc_googlenet.caffemodel");
  compare("squeezenet_1_1/agreement", zoo::squeezenet_1_1(), "models/squeezenet_v1.1/squeezenet_v1.1.caffemodel");
  return true;
}();

}  // namespace
