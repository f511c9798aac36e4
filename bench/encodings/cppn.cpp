// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encodings/cppn.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

// Images rendered a second, and what evolving them costs. Networks have 30 nodes and 60 connections, all of which reach an output; `scalar`
// is the plain loop over pixels and nodes in the same binary, so the ratio of the two is what the vectors bring.

namespace {

using namespace pareidolia;
using index = cppn_network::index;

constexpr index nodes = 30;
constexpr std::size_t connections = 60, batch = 64;

/// Every hidden node is read by a random later one or by an output; the other connections enter random nodes from earlier ones.
cppn_network random_network(index outputs, random_stream& r) {
  cppn_network n{outputs, std::vector<cppn_activation>(nodes - cppn_network::inputs), {}};
  for (auto& a : n.activations) a = static_cast<cppn_activation>(r.below(4));
  index const first_hidden = cppn_network::inputs + outputs;
  for (index node = first_hidden; node < nodes; ++node) {
    index const later = nodes - node - 1, k = r.below(later + outputs);
    n.connections.push_back({node, k < later ? node + 1 + k : cppn_network::inputs + k - later, r.uniform()});
  }
  while (n.connections.size() < connections) {
    index const to = cppn_network::inputs + r.below(nodes - cppn_network::inputs);
    index const earlier = to < first_hidden ? nodes - outputs : to - outputs, k = r.below(earlier);
    n.connections.push_back({k < cppn_network::inputs ? k : k + outputs, to, r.uniform()});
  }
  return n;
}

struct scene {
  cppn encoding;
  labelled_images canvas;
  cppn_population<space::host> networks = encoding.buffer(batch, as_view(canvas.images));
  tensor<float, 4> images;

  explicit scene(image_shape const& s) : canvas(blank(s)), images(filled<float, 4>({batch, s[0], s[1], s[2]})) {
    for (std::size_t i = 0; i < batch; ++i) {
      auto r = rng(1).stream(i);
      networks.networks[i] = random_network(networks.networks[i].outputs, r);
    }
  }
};

float activate(cppn_activation activation, float p) {
  switch (activation) {
    case cppn_activation::sine:
      return std::sin(p);
    case cppn_activation::sigmoid:
      return 2 * (1 / (1 + std::exp(-p)) - 0.5f);
    case cppn_activation::gaussian:
      return std::exp(-p * p);
    default:
      return std::clamp(p, -3.f, 3.f) / 3;
  }
}

/// One network by the formulas, pixel by pixel and node by node in an order found beforehand.
void render(cppn const& encoding, cppn_network const& network, view<float, 3> image) {
  detail::cppn_program program;
  program.compile(network, encoding.weight_range);
  auto const [channels, height, width] = image.shape;
  float const levels = static_cast<float>(encoding.levels - 1);
  std::vector<float> value(3 + program.steps.size());
  for (std::size_t i = 0; i < height * width; ++i) {
    value[0] = 2 * static_cast<float>(i % width) / static_cast<float>(width - 1) - 1;
    value[1] = 2 * static_cast<float>(i / width) / static_cast<float>(height - 1) - 1;
    value[2] = std::sqrt(value[0] * value[0] + value[1] * value[1]);
    for (std::size_t k = 0; k < program.steps.size(); ++k) {
      auto const& step = program.steps[k];
      float p = step.constant;
      for (auto t = step.first; t < step.last; ++t) p += program.terms[t].weight * value[program.terms[t].plane];
      value[3 + k] = activate(step.activation, p);
    }
    float v[3];
    for (std::size_t c = 0; c < channels; ++c) v[c] = std::trunc(std::min(std::abs(value[program.outputs[c]]), 1.f) * levels) / levels;
    for (std::size_t c = 0; c < channels; ++c) {
      float rgb = v[c];
      if (channels == 3) {
        float const k = std::fmod(static_cast<float>(5 - 2 * c) + 6 * v[0], 6.f);
        rgb = std::round((v[2] - v[2] * v[1] * std::clamp(std::min(k, 4 - k), 0.f, 1.f)) * levels) / levels;
      }
      image.data[c * height * width + i] = rgb;
    }
  }
}

image_shape shape_of(benchmark::State const& state) {
  auto const channels = static_cast<std::size_t>(state.range(0)), side = static_cast<std::size_t>(state.range(1));
  return {channels, side, side};
}
void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"channels", "side"})->Args({1, 28})->Args({3, 227})->Unit(benchmark::kMillisecond)->UseRealTime();
}
void count_images(benchmark::State& state) {
  state.counters["images"] = benchmark::Counter(static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate);
}

void scalar(benchmark::State& state) {
  scene s(shape_of(state));
  auto const x = as_view(s.images);
  for (auto _ : state)
    parallel_for(batch, [&](std::size_t i, std::size_t) {
      render(s.encoding, s.networks.networks[i], {x.row(i).data(), {x.shape[1], x.shape[2], x.shape[3]}});
    });
  count_images(state);
}
BENCHMARK(scalar)->Apply(shapes);

void vectors(benchmark::State& state) {
  scene s(shape_of(state));
  for (auto _ : state) s.encoding.decode(s.networks, as_view(s.canvas.images), as_view(s.images));
  count_images(state);
}
BENCHMARK(vectors)->Apply(shapes);

/// The derivatives of all images by the genes of their networks: 3 to 5 times what `vectors` takes for the images themselves.
void pullback(benchmark::State& state) {
  scene s(shape_of(state));
  auto slopes = s.networks;
  std::fill(s.images.begin(), s.images.end(), 1.f);
  for (auto _ : state) s.encoding.pullback(s.networks, as_view(s.canvas.images), as_view(s.images), slopes);
  count_images(state);
}
BENCHMARK(pullback)->Apply(shapes);

void vary(benchmark::State& state) {
  scene s({3, 28, 28});
  auto children = s.networks;
  for (auto _ : state) s.encoding.vary(s.networks, children, rng(1));
  count_images(state);
}
BENCHMARK(vary)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
