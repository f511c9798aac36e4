// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Large networks on the cpu engine beside the same network as plain calls of oneDNN. Each iteration runs both, one after the other, so that
// whatever else the machine does slows both alike:
//
//     vgg16/forward_backward/8   time, images/s: the engine's; raw_ms: of the plain calls; of_raw: speed over that of the plain calls, the
//                                median of all iterations; best_of_raw: of the best iterations; ms: median time of the engine
//     vgg16/peak_memory/8        peak_MB: of a process that makes a network of weights which it then frees, and runs `forward` or both
//
// OPENBLAS_CORETYPE must not be set, and OMP_WAIT_POLICY=passive on a machine that does other work.
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/fold.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include "raw_network.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace pareidolia;
using pareidolia_bench::raw_network;

namespace {

/// A network of the zoo with its batch normalisations folded, which both sides are given.
graph network_named(std::string const& name) { return plan_folding(zoo::named(name)).network; }

tensor<float, 4> images(image_shape const& s, std::size_t count) {
  auto x = filled<float, 4>({count, s[0], s[1], s[2]});
  auto r = rng{2}.stream(0);
  for (float& v : x) v = r.uniform();
  return x;
}

/// The engine and the plain calls, built once for all repetitions of a benchmark.
class rivals {
 public:
  rivals(graph const& g, std::size_t batch, bool gradient)
      : gradient_(gradient),
        weights_(xavier(g, rng{1})),
        raw_(g, weights_, batch, gradient),
        net_(cpu_engine{}, g, weights_),
        work_(net_.prepare(batch)),
        x_(images(g.input, batch)),
        dx_(filled<float, 4>(x_.shape())),
        raw_dx_(dx_),
        y_(filled<float, 2>({batch, net_.classes()})),
        raw_y_(y_),
        dy_(filled<float, 2>({batch, net_.classes()}, 1.f)) {}

  void run() {
    net_.forward(as_view(std::as_const(x_)), as_view(y_), work_);
    if (gradient_) net_.backward(as_view(std::as_const(dy_)), as_view(dx_), work_);
  }
  void run_raw() {
    raw_.forward(x_.data(), raw_y_.data());
    if (gradient_) raw_.backward(dy_.data(), raw_dx_.data());
  }
  /// Whether both computed the same, but for decisions at near-ties.
  [[nodiscard]] bool agree() const { return near(y_, raw_y_, 1e-4) && near(dx_, raw_dx_, 5e-2); }

 private:
  template <class T>
  static bool near(T const& a, T const& b, double tolerance) {
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      double const u = static_cast<double>(a.data()[i]), v = static_cast<double>(b.data()[i]);
      difference += (u - v) * (u - v);
      norm += v * v;
    }
    return std::sqrt(difference) <= tolerance * std::sqrt(norm);
  }

  bool gradient_;
  weights weights_;
  raw_network raw_;
  network<cpu_engine> net_;
  network<cpu_engine>::workspace work_;
  tensor<float, 4> x_, dx_, raw_dx_;
  tensor<float, 2> y_, raw_y_, dy_;
};

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

void race(benchmark::State& state, graph const& g, bool gradient) {
  auto const batch = static_cast<std::size_t>(state.range(0));
  rivals both(g, batch, gradient);
  for (int warm = 0; warm < 2; ++warm) {
    both.run();
    both.run_raw();
  }
  if (!both.agree()) state.SkipWithError("the engine and the plain calls disagree");
  std::vector<double> engine, raw, ratio;
  for (auto _ : state) {
    engine.push_back(seconds([&] { both.run(); }));
    raw.push_back(seconds([&] { both.run_raw(); }));
    ratio.push_back(raw.back() / engine.back());
    state.SetIterationTime(engine.back());
  }
  if (engine.empty()) return;
  state.counters["images/s"] = static_cast<double>(batch) / median(engine);
  state.counters["ms"] = 1e3 * median(engine);
  state.counters["raw_ms"] = 1e3 * median(raw);
  state.counters["of_raw"] = median(ratio);
  state.counters["best_of_raw"] = *std::min_element(raw.begin(), raw.end()) / *std::min_element(engine.begin(), engine.end());
}

/// Largest resident memory of this process so far, in MB (2^20).
double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

/// A process that does nothing else; prints its peak.
void run_once(std::string const& name, std::size_t batch, bool gradient) {
  graph const g = network_named(name);
  auto made = std::make_unique<weights>(xavier(g, rng{1}));
  network const net{cpu_engine{}, g, *made};
  made.reset();
  auto work = net.prepare(batch);
  auto const x = images(g.input, batch);
  auto y = filled<float, 2>({batch, net.classes()});
  net.forward(as_view(x), as_view(y), work);
  if (gradient) {
    auto dx = filled<float, 4>(x.shape());
    net.backward(as_view(std::as_const(y)), as_view(dx), work);
  }
  std::printf("%.0f\n", peak_memory());
}

void measure_peak(benchmark::State& state, std::string const& name, bool gradient) {
  char self[4096] = {};
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return state.SkipWithError("cannot find this program");
  std::string const command =
      std::string(self) + " --peak-memory " + name + " " + std::to_string(state.range(0)) + (gradient ? " 1" : " 0");
  double peak = 0;
  for (auto _ : state) {
    FILE* const child = popen(command.c_str(), "r");
    if (!child || std::fscanf(child, "%lf", &peak) != 1) state.SkipWithError("the process that measures its memory failed");
    if (child) pclose(child);
  }
  state.counters["peak_MB"] = peak;
}

void add(std::string const& name) {
  std::vector<long> batches{1, 8};
  if (!name.starts_with("vgg")) batches.push_back(32);
  for (bool gradient : {false, true}) {
    std::string const what = gradient ? "forward_backward" : "forward";
    for (long batch : batches) {
      auto const race_it = [=](benchmark::State& state) { race(state, network_named(name), gradient); };
      benchmark::RegisterBenchmark((name + "/" + what).c_str(), race_it)->Arg(batch)->UseManualTime()->Unit(benchmark::kMillisecond);
      auto const measure_it = [=](benchmark::State& state) { measure_peak(state, name, gradient); };
      benchmark::RegisterBenchmark((name + "/peak_memory/" + what).c_str(), measure_it)->Arg(batch)->Iterations(1);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 5 && argv[1] == std::string_view("--peak-memory")) {
    run_once(argv[2], std::stoul(argv[3]), argv[4] == std::string_view("1"));
    return 0;
  }
  for (char const* name : {"alexnet", "caffenet", "vgg16", "nin", "googlenet", "squeezenet_1_1", "resnet50"}) add(name);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
