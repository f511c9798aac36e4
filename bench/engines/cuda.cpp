// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Networks of the zoo on the cuda engine, images and scores in device memory: scores alone, and scores with the gradient of the image. The
// counter FLOP/s counts two operations for each multiplication of a forward, and as many again for the gradient. Random weights: the time
// does not depend on them.
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>
#include <pareidolia/detail/cuda_transfers.hpp>
#include <pareidolia/engines/cuda.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

using namespace pareidolia;
namespace cuda = pareidolia::detail::cuda;

namespace {

template <graph (*Named)(), arithmetic Compute, bool Gradient>
void passes(benchmark::State& state) {
  if (cuda::device_count() == 0) return state.SkipWithError("no CUDA device");
  auto const count = static_cast<std::size_t>(state.range(0));
  graph const g = Named();
  network const net{cuda_engine{.compute = Compute}, g, xavier(g, rng{1})};
  image_shape const s = net.input();
  std::size_t const pixels = count * s[0] * s[1] * s[2], scores = count * net.classes();
  std::vector<float> values(pixels);
  auto r = rng{2}.stream(0);
  for (float& v : values) v = r.uniform();
  cuda::buffer const x(pixels * sizeof(float), "images"), dx(pixels * sizeof(float), "gradients"), y(scores * sizeof(float), "scores");
  cuda::upload(std::span<float const>(values), x.as<float>());
  std::array<std::size_t, 4> const images{count, s[0], s[1], s[2]};
  auto work = net.prepare(count);
  auto const once = [&] {
    net.forward({x.as<float>(), images}, {y.as<float>(), {count, net.classes()}}, work);
    if constexpr (Gradient) net.backward({y.as<float>(), {count, net.classes()}}, {dx.as<float>(), images}, work);
    cuda::synchronize();
  };
  once();  // plans, compiles and allocates
  once();
  for (auto _ : state) once();
  double const operations = (Gradient ? 4. : 2.) * static_cast<double>(multiplications(net.structure()) * count);
  auto const rate = [&](double each) {
    return benchmark::Counter(each * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  };
  state.counters["images/s"] = rate(static_cast<double>(count));
  state.counters["FLOP/s"] = rate(operations);
}

template <graph (*Named)()>
void add(std::string const& name) {
  auto const one = [&](std::string const& how, auto* what) {
    benchmark::RegisterBenchmark((name + how).c_str(), what)->Arg(1)->Arg(32)->Arg(256)->UseRealTime()->Unit(benchmark::kMillisecond);
  };
  one("/fp32/forward", passes<Named, arithmetic::fp32, false>);
  one("/fp32/forward_backward", passes<Named, arithmetic::fp32, true>);
  one("/tf32/forward", passes<Named, arithmetic::tf32, false>);
  one("/tf32/forward_backward", passes<Named, arithmetic::tf32, true>);
  one("/bf16/forward", passes<Named, arithmetic::bf16, false>);
  one("/bf16/forward_backward", passes<Named, arithmetic::bf16, true>);
  one("/fp16/forward", passes<Named, arithmetic::fp16, false>);
  one("/fp16/forward_backward", passes<Named, arithmetic::fp16, true>);
}

bool const added = [] {
  add<zoo::alexnet>("alexnet");
  add<zoo::vgg16>("vgg16");
  add<zoo::vgg19>("vgg19");
  add<zoo::googlenet>("googlenet");
  add<zoo::resnet50>("resnet50");
  return true;
}();

}  // namespace
