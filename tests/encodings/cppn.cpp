// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/cppn.hpp>

#include <pareidolia/core/tensor.hpp>

#include <doctest/doctest.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace pareidolia;
using index = cppn_network::index;
using host_population = cppn_population<space::host>;

static_assert(EvolvableEncoding<cppn, space::host>);
static_assert(!Encoding<cppn, space::device>);

constexpr index x_input = 0, y_input = 1, bias = cppn_network::bias, output = cppn_network::inputs;

/// Without selection, deletions soon leave outputs without inputs; tests of rendering want networks that only grow.
constexpr cppn growing{.connection_deletion = 0, .node_deletion = 0};

/// n networks that evolved for some generations, with what `encoding` draws and varies.
host_population evolved(cppn const& encoding, std::size_t n, std::size_t channels, std::size_t generations, std::uint64_t seed = 1) {
  auto const canvas = blank({channels, 1, 1});
  rng const random(seed);
  auto p = encoding.buffer(n, as_view(canvas.images)), children = p;
  encoding.draw(p, random.fork(0));
  for (std::size_t g = 1; g <= generations; ++g) {
    encoding.vary(p, children, random.fork(g));
    std::swap(p, children);
  }
  return p;
}

tensor<float, 4> decoded(cppn const& encoding, host_population const& p, image_shape const& s, std::size_t canvases = 1) {
  auto const canvas = filled<float, 4>({canvases, s[0], s[1], s[2]});
  auto images = filled<float, 4>({std::max(p.size(), canvases), s[0], s[1], s[2]});
  encoding.decode(p, as_view(canvas), as_view(images));
  return images;
}

bool same(tensor<float, 4> const& a, tensor<float, 4> const& b) {
  return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

/// What a network answers, in double, by recursion, and how far floats may be from it: the error of each sum and activation, carried along
/// the weights and the largest slopes of the activations.
struct answer {
  double value, error;
};
answer evaluate(cppn_network const& network, double range, index node, std::array<double, 4> const& inputs) {
  constexpr double rounding = 0x1p-23;
  if (node < cppn_network::inputs) return {inputs[node], rounding * std::abs(inputs[node])};
  double p = 0, error = 0, magnitude = 0, terms = 1;
  for (auto const& c : network.connections)
    if (c.to == node) {
      double const weight = range * (2 * double{c.gene} - 1);
      auto const source = evaluate(network, range, c.from, inputs);
      p += weight * source.value;
      error += std::abs(weight) * source.error + range * 0x1p-24 * std::abs(source.value);
      magnitude += std::abs(weight * source.value);
      ++terms;
    }
  error += terms * rounding * magnitude;
  constexpr double own = 4e-7;
  switch (network.activations[node - cppn_network::inputs]) {
    case cppn_activation::sine:
      return {std::sin(p), error + own};
    case cppn_activation::sigmoid:
      return {2 * (1 / (1 + std::exp(-p)) - 0.5), error / 2 + own};
    case cppn_activation::gaussian:
      return {std::exp(-p * p), 0.86 * error + 0x1p-23 * p * p * std::exp(-p * p) + own};
    default:
      return {std::clamp(p, -3., 3.) / 3, error / 3 + own};
  }
}

/// One grey image of |answers|, by the instructions of `set`.
std::vector<float> rendered(detail::instruction_set set, cppn_network const& network, float range, std::size_t side) {
  detail::cppn_program program;
  program.compile(network, range);
  std::vector<detail::cppn_tile> scratch(3 + program.steps.size());
  std::vector<float> image(side * side);
  detail::dispatch<detail::cppn_kernel>(set, program, detail::cppn_planes(side, side, false),
                                        detail::cppn_colouring{cppn_colours::grey, 1, 0}, std::span(scratch), std::span(image));
  return image;
}

std::vector<detail::instruction_set> available() {
  std::vector<detail::instruction_set> sets;
  for (auto set : {detail::instruction_set::baseline, detail::instruction_set::avx2, detail::instruction_set::avx512})
    if (set <= detail::best_instruction_set()) sets.push_back(set);
  return sets;
}

/// N(0, 1) for each value.
tensor<float, 4> noise(std::array<std::size_t, 4> const& shape) {
  auto values = filled<float, 4>(shape);
  auto stream = rng(9).stream(0);
  for (float& v : values) v = stream.normal();
  return values;
}

/// What a network answers in double, the gene of its connection k changed by h.
double shifted(cppn_network const& network, double range, index node, std::array<double, 4> const& inputs, std::size_t k, double h,
               std::vector<double>& known) {
  if (node < cppn_network::inputs) return inputs[node];
  if (!std::isnan(known[node])) return known[node];
  double p = 0;
  for (std::size_t c = 0; c < network.connections.size(); ++c)
    if (auto const& connection = network.connections[c]; connection.to == node)
      p += range * (2 * (double{connection.gene} + (c == k ? h : 0)) - 1) * shifted(network, range, connection.from, inputs, k, h, known);
  switch (network.activations[node - cppn_network::inputs]) {
    case cppn_activation::sine:
      return known[node] = std::sin(p);
    case cppn_activation::sigmoid:
      return known[node] = 2 * (1 / (1 + std::exp(-p)) - 0.5);
    case cppn_activation::gaussian:
      return known[node] = std::exp(-p * p);
    default:
      return known[node] = std::clamp(p, -3., 3.) / 3;
  }
}

/// <image, seeds> of that network, with seeds (channels, height, width) and the image as cppn has it without levels.
double product(cppn const& encoding, cppn_network const& network, std::size_t k, double h, std::span<float const> seeds, std::size_t height,
               std::size_t width) {
  std::size_t const area = height * width, channels = seeds.size() / area;
  double sum = 0;
  for (std::size_t i = 0; i < area; ++i) {
    double const x = 2. * static_cast<double>(i % width) / static_cast<double>(width - 1) - 1;
    double const y = 2. * static_cast<double>(i / width) / static_cast<double>(height - 1) - 1;
    std::vector<double> known(network.nodes(), std::nan(""));
    std::array<double, 3> v{};
    for (index c = 0; c < network.outputs; ++c)
      v[c] = std::min(std::abs(shifted(network, double{encoding.weight_range}, output + c, {x, y, std::hypot(x, y), 1}, k, h, known)), 1.);
    for (std::size_t c = 0; c < channels; ++c) {
      double const hue = v[0] * double{encoding.hue_turns};
      double value = v[0];
      if (network.outputs == 3 && encoding.colours == cppn_colours::hsv) {
        double const a = std::fmod(5. - 2 * static_cast<double>(c) + 6 * hue, 6.);
        value = v[2] - v[2] * v[1] * std::clamp(std::min(a, 4 - a), 0., 1.);
      } else if (network.outputs == 3) {
        double const a = std::fmod(std::array{0., 8., 4.}[c] + 12 * hue, 12.);
        value = v[1] - v[2] * std::min(v[1], 1 - v[1]) * std::clamp(std::min(a - 3, 9 - a), -1., 1.);
      }
      sum += value * double{seeds[c * area + i]};
    }
  }
  return sum;
}

/// Outputs that are constant: output c of `answers` is that value, in [0, 1], with a weight range of 3.
host_population constant(std::vector<float> const& answers) {
  cppn_network n{static_cast<index>(answers.size()), std::vector(answers.size(), cppn_activation::linear), {}};
  for (index c = 0; c < n.outputs; ++c) n.connections.push_back({bias, output + c, (1 + answers[c]) / 2});
  return {{n}};
}

/// Whether the network keeps the promises of cppn_network.
bool sound(cppn_network const& n) {
  std::set<std::pair<index, index>> pairs;
  for (auto const& c : n.connections) {
    if (c.from >= n.nodes() || c.to >= n.nodes() || c.to < cppn_network::inputs || !(c.gene >= 0 && c.gene <= 1)) return false;
    if (!pairs.emplace(c.from, c.to).second) return false;
  }
  // Without cycles, taking away nodes that nothing enters ends with none.
  std::vector<bool> gone(n.nodes());
  for (index round = 0; round < n.nodes(); ++round)
    for (index node = 0; node < n.nodes(); ++node)
      if (std::ranges::none_of(n.connections, [&](auto const& c) { return c.to == node && !gone[c.from]; })) gone[node] = true;
  return std::ranges::find(gone, false) == gone.end();
}

/// An encoding whose children are copies of their parents, for tests to switch one operator on.
constexpr cppn idle() {
  return {.weight_mutation = 0,
          .activation_mutation = 0,
          .connection_addition = 0,
          .connection_deletion = 0,
          .connection_split = 0,
          .node_deletion = 0};
}

/// Share of 4000 children of `parent` for which `changed` holds.
template <class Changed>
double share(cppn const& encoding, cppn_network const& parent, Changed const& changed) {
  host_population const parents{std::vector(4000, parent)};
  auto children = parents;
  encoding.vary(parents, children, rng(5));
  return static_cast<double>(std::ranges::count_if(children.networks, changed)) / 4000;
}

template <class F>
std::string message_of(F const& f) {
  try {
    f();
  } catch (error const& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a rendered network differs from double evaluation by no more than rounding explains, on every instruction set") {
  constexpr std::size_t side = 19;  // a whole tile and a part
  cppn const encoding;
  std::size_t precise = 0, values = 0;
  for (auto const& network : evolved(growing, 100, 1, 30).networks)
    for (auto set : available()) {
      auto const image = rendered(set, network, encoding.weight_range, side);
      bool within = true;
      for (std::size_t i = 0; i < side * side; ++i) {
        double const x = 2. * static_cast<double>(i % side) / (side - 1) - 1, y = 2. * static_cast<double>(i / side) / (side - 1) - 1;
        auto const [value, bound] = evaluate(network, encoding.weight_range, output, {x, y, std::hypot(x, y), 1});
        double const error = std::abs(double{image[i]} - std::min(std::abs(value), 1.));
        within = within && error <= bound;
        precise += error <= 1e-5;
        ++values;
      }
      CHECK(within);
    }
  MESSAGE("within 1e-5: " << precise << " of " << values);
  CHECK(precise >= values * 99 / 100);  // weights of 5 along paths of many nodes may make more of a rounding error
}

TEST_CASE("young networks are within 1e-5 of double evaluation, and all instruction sets within 1e-5 of each other") {
  constexpr std::size_t side = 33;
  cppn const encoding;
  double largest = 0, apart = 0;
  for (auto const& network : evolved(growing, 200, 1, 6).networks) {
    auto const first = rendered(detail::instruction_set::baseline, network, encoding.weight_range, side);
    for (auto set : available()) {
      auto const image = rendered(set, network, encoding.weight_range, side);
      for (std::size_t i = 0; i < side * side; ++i) {
        double const x = 2. * static_cast<double>(i % side) / (side - 1) - 1, y = 2. * static_cast<double>(i / side) / (side - 1) - 1;
        double const value = evaluate(network, encoding.weight_range, output, {x, y, std::hypot(x, y), 1}).value;
        largest = std::max(largest, std::abs(double{image[i]} - std::min(std::abs(value), 1.)));
        apart = std::max(apart, std::abs(double{image[i]} - double{first[i]}));
      }
    }
  }
  CHECK(largest <= 1e-5);
  CHECK(apart <= 1e-5);
}

TEST_CASE("an even function of x draws an image that is its own mirror image") {
  // y and a Gaussian of x, through a sigmoid.
  cppn_network const network{1,
                             {cppn_activation::sigmoid, cppn_activation::gaussian},
                             {{x_input, output + 1, 0.7f}, {output + 1, output, 0.8f}, {y_input, output, 0.35f}}};
  for (std::size_t side : {std::size_t{28}, std::size_t{227}}) {
    auto const image = decoded(cppn{.levels = 0}, {{network}}, {1, side, side});
    bool mirrored = true, flipped = true;
    for (std::size_t row = 0; row < side; ++row)
      for (std::size_t column = 0; column < side; ++column) {
        mirrored = mirrored && image(0, 0, row, column) == image(0, 0, row, side - 1 - column);
        flipped = flipped && image(0, 0, row, column) == image(0, 0, side - 1 - row, column);
      }
    CHECK(mirrored);
    CHECK_FALSE(flipped);
  }
}

TEST_CASE("coordinates are the outermost pixels' centres at -1 and 1, or pixel indices; d is always normalised") {
  detail::cppn_planes const normalised(3, 5, false), raw(3, 5, true);
  auto const at = [](detail::cppn_planes const& p, std::size_t input, std::size_t i) { return p.inputs[input][0].values[i]; };
  CHECK(at(normalised, 0, 0) == -1);
  CHECK(at(normalised, 0, 4) == 1);
  CHECK(at(normalised, 1, 4) == -1);
  CHECK(at(normalised, 1, 14) == 1);
  CHECK(at(raw, 0, 4) == 4);
  CHECK(at(raw, 1, 14) == 2);
  for (auto const* planes : {&normalised, &raw}) {
    CHECK(at(*planes, 2, 7) == 0);
    CHECK(at(*planes, 2, 0) == doctest::Approx(std::sqrt(2)));
  }
  CHECK(detail::cppn_planes(1, 1, false).inputs[0][0].values[0] == 0);
}

TEST_CASE("nodes that reach no output are not evaluated") {
  cppn_network const network{1,
                             {cppn_activation::sine, cppn_activation::linear, cppn_activation::linear},
                             {{x_input, output, 1}, {x_input, output + 1, 1}, {output, output + 2, 1}, {output + 1, output + 2, 1}}};
  detail::cppn_program program;
  program.compile(network, 1);
  CHECK(program.steps.size() == 1);
  CHECK(program.terms.size() == 1);
}

TEST_CASE("networks stay feed-forward, without parallel connections, over 2000 mutations") {
  for (std::size_t channels : {std::size_t{1}, std::size_t{3}}) {
    // Additions that outweigh deletions, so that the graphs are dense.
    cppn const encoding{.connection_addition = 0.9f, .connection_deletion = 0.1f, .max_hidden_nodes = 20, .max_connections = 120};
    rng const random(9);
    auto p = evolved(encoding, 4, channels, 0), children = p;
    bool kept = true;
    std::size_t largest = 0;
    for (std::size_t g = 0; g < 2000; ++g) {
      encoding.vary(p, children, random.fork(g));
      std::swap(p, children);
      for (auto const& n : p.networks) {
        if (g % 10 == 0) kept = kept && sound(n);
        kept = kept && n.outputs == channels && n.hidden() <= 20 && n.connections.size() <= 120;
        largest = std::max(largest, n.connections.size());
      }
    }
    CHECK(kept);
    CHECK(largest > 40);
  }
}

TEST_CASE("growth stops at the limits") {
  cppn const encoding{.connection_deletion = 0, .connection_split = 1, .node_deletion = 0, .max_hidden_nodes = 7, .max_connections = 30};
  for (auto const& n : evolved(encoding, 10, 3, 200).networks) {
    CHECK(n.hidden() == 7);
    CHECK(n.connections.size() <= 30);
  }
  for (auto const& n : evolved(cppn{.connection_split = 1, .max_connections = 9}, 10, 1, 200).networks) CHECK(n.connections.size() <= 9);
}

TEST_CASE("the first networks are fully connected and have no hidden node") {
  for (std::size_t channels : {std::size_t{1}, std::size_t{3}}) {
    auto const p = evolved(cppn{}, 200, channels, 0);
    std::set<cppn_activation> seen;
    std::set<float> genes;
    for (auto const& n : p.networks) {
      CHECK(n.outputs == channels);
      CHECK(n.hidden() == 0);
      CHECK(n.connections.size() == 4 * channels);
      CHECK(sound(n));
      seen.insert(n.activations.begin(), n.activations.end());
      for (auto const& c : n.connections) genes.insert(c.gene);
    }
    CHECK(seen.size() == 4);
    CHECK(genes.size() > 790 * channels);  // 24 bits: hardly two the same
    CHECK(*genes.begin() < 0.02f);
    CHECK(*genes.rbegin() > 0.98f);
  }
}

TEST_CASE("activations come from the list") {
  for (auto const& n : evolved(cppn{.activations = {.sine = false, .linear = false}}, 20, 1, 100).networks)
    CHECK(std::ranges::all_of(n.activations, [](auto a) { return a == cppn_activation::sigmoid || a == cppn_activation::gaussian; }));
}

// Shares of 4000 children: a standard deviation of at most 0.008; the tolerance is five of them.
TEST_CASE("operators act at their rates, each on its own") {
  constexpr double tolerance = 0.04;
  // Ten hidden nodes side by side: there is a place for every operator.
  cppn_network parent{1, std::vector(11, cppn_activation::sine), {}};
  for (std::uint32_t hidden = output + 1; hidden < parent.nodes(); ++hidden) parent.connections.push_back({x_input, hidden, 0.25f});
  cppn encoding = idle();

  CHECK(share(encoding, parent, [&](auto const& n) { return n.connections.size() != 10 || n.hidden() != 10; }) == 0);
  SUBCASE("add a connection") {
    encoding.connection_addition = 0.5f;
    CHECK(std::abs(share(encoding, parent, [](auto const& n) { return n.connections.size() == 11 && n.hidden() == 10; }) - 0.5) <
          tolerance);
  }
  SUBCASE("delete a connection") {
    encoding.connection_deletion = 0.3f;
    CHECK(std::abs(share(encoding, parent, [](auto const& n) { return n.connections.size() == 9 && n.hidden() == 10; }) - 0.3) < tolerance);
  }
  SUBCASE("split a connection; both halves keep its weight") {
    encoding.connection_split = 0.5f;
    auto const split = [](auto const& n) {
      return n.connections.size() == 11 && n.hidden() == 11 &&
             std::ranges::all_of(n.connections, [](auto const& c) { return c.gene == 0.25f; });
    };
    CHECK(std::abs(share(encoding, parent, split) - 0.5) < tolerance);
  }
  SUBCASE("delete a hidden node and its connections") {
    encoding.node_deletion = 0.2f;
    CHECK(std::abs(share(encoding, parent, [](auto const& n) { return n.connections.size() == 9 && n.hidden() == 9 && sound(n); }) - 0.2) <
          tolerance);
  }
  SUBCASE("draw an activation again; a quarter stay what they were") {
    encoding.activation_mutation = 0.1f;
    double changed = 0;
    share(encoding, parent, [&](auto const& n) {
      changed += static_cast<double>(std::ranges::count_if(n.activations, [](auto a) { return a != cppn_activation::sine; })) / 11;
      return true;
    });
    CHECK(std::abs(changed / 4000 - 0.075) < 5 * std::sqrt(0.075 * 0.925 / 44000));
  }
  SUBCASE("mutate a weight: |delta| = 1 - u^(1/16) has mean 1/17 and no direction") {
    encoding.weight_mutation = 0.1f;
    for (auto& c : parent.connections) c.gene = 0.5f;
    double mutated = 0, step = 0, drift = 0;
    share(encoding, parent, [&](auto const& n) {
      for (auto const& c : n.connections)
        if (c.gene != 0.5f) {
          ++mutated;
          step += std::abs(double{c.gene} - 0.5);
          drift += double{c.gene} - 0.5;
        }
      return true;
    });
    CHECK(std::abs(mutated / 40000 - 0.1) < 5 * std::sqrt(0.09 / 40000));
    CHECK(std::abs(step / mutated - 1. / 17) < 5 * 0.056 / std::sqrt(4000));
    CHECK(std::abs(drift / mutated) < 5 * 0.08 / std::sqrt(4000));
  }
}

TEST_CASE("the presets are the authors' settings") {
  constexpr cppn paper = cppn::paper(), code = cppn::released_code();
  for (cppn const& e : {paper, code}) {
    CHECK(e.positions == cppn::coordinates::pixels);
    CHECK(e.weight_range == 10);
    CHECK(e.weight_mutation == 0.1f);
    CHECK(e.eta == 15);
    CHECK(e.activation_mutation == 0.1f);
    CHECK(e.connection_addition == 0.5f);
    CHECK(e.connection_deletion == 0.3f);
    CHECK(e.connection_split == 0.5f);
    CHECK(e.node_deletion == 0.2f);
    CHECK(e.levels == 256);
    CHECK((e.activations.sine && e.activations.sigmoid && e.activations.gaussian && e.activations.linear));
  }
  CHECK(paper.colours == cppn_colours::hsv);
  CHECK(paper.hue_turns == 1);
  CHECK(code.colours == cppn_colours::hls);
  CHECK(code.hue_turns == doctest::Approx(255. / 180));
}

TEST_CASE("answers become known colours") {
  auto const rgb = [](cppn encoding, std::vector<float> const& answers) {
    encoding.weight_range = 3;
    auto const image = decoded(encoding, constant(answers), {3, 2, 2});
    for (std::size_t c = 0; c < 3; ++c) CHECK(image(0, c, 0, 0) == image(0, c, 1, 1));
    return std::array{std::lround(255 * image(0, 0, 0, 0)), std::lround(255 * image(0, 1, 0, 0)), std::lround(255 * image(0, 2, 0, 0))};
  };
  using bytes = std::array<long, 3>;
  cppn const hsv, hls{.colours = cppn_colours::hls}, grey{.colours = cppn_colours::grey};
  auto const of = [](int byte) { return (static_cast<float>(byte) + 0.25f) / 255; };

  CHECK(rgb(hsv, {of(0), 1, 1}) == bytes{255, 0, 0});
  CHECK(rgb(hsv, {of(85), 1, 1}) == bytes{0, 255, 0});
  CHECK(rgb(hsv, {of(170), 1, 1}) == bytes{0, 0, 255});
  CHECK(rgb(hsv, {1, 1, 1}) == bytes{255, 0, 0});
  CHECK(rgb(hsv, {of(120), 0, of(100)}) == bytes{100, 100, 100});
  CHECK(rgb(hsv, {of(51), 1, of(200)}) == bytes{160, 200, 0});    // 72 degrees
  CHECK(rgb(hsv, {of(204), of(51), 1}) == bytes{245, 204, 255});  // 288 degrees, a fifth of the saturation

  CHECK(rgb(hls, {of(0), of(127), 1}) == bytes{254, 0, 0});
  CHECK(rgb(hls, {of(85), of(127), 1}) == bytes{0, 254, 0});
  CHECK(rgb(hls, {of(170), of(127), 1}) == bytes{0, 0, 254});
  CHECK(rgb(hls, {of(33), 1, 1}) == bytes{255, 255, 255});
  CHECK(rgb(hls, {of(0), of(204), 1}) == bytes{255, 153, 153});

  // OpenCV's hues of 8 bits: a turn is 180.
  cppn const opencv{.colours = cppn_colours::hls, .hue_turns = 255 / 180.f};
  CHECK(rgb(opencv, {of(60), of(127), 1}) == bytes{0, 254, 0});
  CHECK(rgb(opencv, {of(120), of(127), 1}) == bytes{0, 0, 254});
  CHECK(rgb(opencv, {of(180), of(127), 1}) == bytes{254, 0, 0});
  CHECK(rgb(opencv, {of(240), of(127), 1}) == bytes{0, 254, 0});

  CHECK(rgb(grey, {of(77)}) == bytes{77, 77, 77});
}

TEST_CASE("an answer is its absolute value, cut to the level below") {
  auto const value = [](float answer, std::size_t levels) {
    return decoded(cppn{.weight_range = 3, .levels = levels}, constant({answer}), {1, 1, 1})(0, 0, 0, 0);
  };
  CHECK(value(0.999f, 256) == 254 / 255.f);
  CHECK(value(-0.999f, 256) == 254 / 255.f);
  CHECK(value(1, 256) == 1);
  CHECK(value(0.75f, 3) == 0.5f);
  CHECK(value(0.75f, 0) == 0.75f);
}

TEST_CASE("every value of an image is one of 8 bits") {
  for (std::size_t channels : {std::size_t{1}, std::size_t{3}}) {
    auto const images = decoded(cppn::released_code(), evolved(cppn::released_code(), 30, channels, 30), {channels, 28, 28});
    CHECK(std::ranges::all_of(images, [](float v) { return v >= 0 && v <= 1 && v == std::round(255 * v) / 255; }));
  }
}

TEST_CASE("image i shows genotype i mod size, and the canvas's pixels do not matter") {
  auto const p = evolved(growing, 3, 1, 20);
  auto const once = decoded(cppn{}, p, {1, 20, 17}), repeated = decoded(cppn{}, p, {1, 20, 17}, 6);
  REQUIRE(repeated.shape()[0] == 6);
  for (std::size_t i = 0; i < 6; ++i) CHECK(std::ranges::equal(as_view(repeated).row(i), as_view(once).row(i % 3)));
  for (std::size_t i = 1; i < 3; ++i) CHECK_FALSE(std::ranges::equal(as_view(once).row(i), as_view(once).row(0)));
}

TEST_CASE("an image has the same bits alone and in a batch, on one thread and on two") {
  for (std::size_t channels : {std::size_t{1}, std::size_t{3}}) {
    image_shape const shape{channels, 30, 31};
    auto const p = evolved(growing, 40, channels, 30);
    auto const together = decoded(cppn{}, p, shape);
    for (std::size_t i = 0; i < p.size(); ++i)
      CHECK(std::ranges::equal(as_view(decoded(cppn{}, {{p.networks[i]}}, shape)).row(0), as_view(together).row(i)));
#ifdef _OPENMP
    int const before = omp_get_max_threads();
    for (int threads : {1, 2}) {
      omp_set_num_threads(threads);
      CHECK(same(decoded(cppn{}, evolved(growing, 40, channels, 30), shape), together));
    }
    omp_set_num_threads(before);
#endif
  }
}

TEST_CASE("gradients of images are those that differences of double evaluations give, in all colours") {
  struct look {
    std::size_t channels;
    cppn_colours colours;
    float turns;
  };
  image_shape const shape{0, 22, 18};  // a whole tile and a part; no pixel in the middle, where odd answers are 0 and |answer| has a kink
  for (look const& how : {look{1, cppn_colours::hsv, 1}, look{3, cppn_colours::grey, 1}, look{3, cppn_colours::hsv, 1},
                          look{3, cppn_colours::hsv, 1.4f}, look{3, cppn_colours::hls, 1}, look{3, cppn_colours::hls, 255 / 180.f}}) {
    cppn encoding = growing;
    encoding.weight_range = 3;
    encoding.colours = how.colours;
    encoding.hue_turns = how.turns;
    encoding.levels = 0;
    auto const p = evolved(encoding, 8, how.channels, 20);
    auto const dx = noise({p.size(), how.channels, shape[1], shape[2]});
    auto dp = encoding.buffer(p.size(), as_view(dx));
    encoding.pullback(p, as_view(dx), as_view(dx), dp);
    for (std::size_t i = 0; i < p.size(); ++i) {
      auto const& network = p.networks[i];
      REQUIRE(dp.networks[i].connections.size() == network.connections.size());
      std::vector<double> expected;
      double size = 0;
      for (std::size_t k = 0; k < network.connections.size(); ++k) {
        constexpr double h = 1e-6;
        expected.push_back((product(encoding, network, k, h, as_view(dx).row(i), shape[1], shape[2]) -
                            product(encoding, network, k, -h, as_view(dx).row(i), shape[1], shape[2])) /
                           (2 * h));
        size = std::max(size, std::abs(expected.back()));
      }
      for (std::size_t k = 0; k < expected.size(); ++k)
        CHECK(std::abs(double{dp.networks[i].connections[k].gene} - expected[k]) <= 2e-3 * size + 1e-2);
    }
  }
}

TEST_CASE("gradients are the same on every instruction set, but for rounding") {
  constexpr std::size_t side = 19;
  auto const seeds = noise({1, 3, side, side});
  for (auto const& network : evolved(growing, 20, 3, 20).networks) {
    std::vector<double> first;
    for (auto set : available()) {
      detail::cppn_program program;
      program.compile(network, 2);
      detail::cppn_gradient_scratch scratch;
      scratch.fit(program);
      detail::dispatch<detail::cppn_gradient>(set, program, detail::cppn_planes(side, side, false),
                                              detail::cppn_colouring{cppn_colours::hsv, 1, 0}, &scratch,
                                              std::span<float const>(as_view(seeds).row(0)));
      if (first.empty()) first = scratch.sums;
      for (std::size_t k = 0; k < first.size(); ++k)
        CHECK(std::abs(scratch.sums[k] - first[k]) <= 1e-3 * (1 + std::abs(*std::ranges::max_element(first))));
    }
  }
}

TEST_CASE("gradients of a genotype on several canvases add up, and connections that draw nothing have none") {
  auto p = evolved(growing, 3, 1, 10);
  auto& idle_network = p.networks[1];  // to which a node is added that nobody reads
  idle_network.activations.push_back(cppn_activation::sine);
  idle_network.connections.push_back({x_input, idle_network.nodes() - 1, 0.7f});
  auto const dx = noise({6, 1, 20, 17});
  auto sum = filled<float, 4>({3, 1, 20, 17});
  for (std::size_t i = 0; i < 3; ++i)
    std::ranges::transform(as_view(dx).row(i), as_view(dx).row(i + 3), as_view(sum).row(i).begin(), std::plus{});
  auto all = cppn{}.buffer(3, as_view(dx)), once = all;
  cppn{}.pullback(p, as_view(dx), as_view(dx), all);
  cppn{}.pullback(p, as_view(sum), as_view(sum), once);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 0; k < p.networks[i].connections.size(); ++k) {
      auto const& connection = all.networks[i].connections[k];
      CHECK(connection.gene == once.networks[i].connections[k].gene);
      CHECK(connection.from == p.networks[i].connections[k].from);
      CHECK(connection.to == p.networks[i].connections[k].to);
    }
  CHECK(all.networks[1].connections.back().gene == 0);
  CHECK(std::ranges::any_of(all.networks[1].connections, [](auto const& c) { return c.gene != 0; }));
}

TEST_CASE("rounding to levels lets gradients through, and a batch has the gradients of each network alone on any number of threads") {
  auto const p = evolved(growing, 10, 3, 15);
  auto const dx = noise({10, 3, 24, 24});
  auto rounded = cppn{}.buffer(10, as_view(dx)), smooth = rounded;
  cppn{}.pullback(p, as_view(dx), as_view(dx), rounded);
  cppn{.levels = 0}.pullback(p, as_view(dx), as_view(dx), smooth);
  auto const genes = [](host_population const& q, std::size_t i) {
    std::vector<float> all;
    for (auto const& c : q.networks[i].connections) all.push_back(c.gene);
    return all;
  };
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(genes(rounded, i) == genes(smooth, i));
    auto alone = cppn{}.buffer(1, as_view(dx));
    cppn{}.pullback({{p.networks[i]}}, as_view(dx).rows(i, 1), as_view(dx).rows(i, 1), alone);
    CHECK(genes(alone, 0) == genes(rounded, i));
  }
#ifdef _OPENMP
  int const before = omp_get_max_threads();
  omp_set_num_threads(1);
  auto single = smooth;
  cppn{}.pullback(p, as_view(dx), as_view(dx), single);
  for (std::size_t i = 0; i < 10; ++i) CHECK(genes(single, i) == genes(rounded, i));
  omp_set_num_threads(before);
#endif
}

TEST_CASE("to climb is to move every gene by the length towards its slope, within [0, 1]") {
  host_population p{{cppn_network{
      1, {cppn_activation::linear}, {{x_input, output, 0.5f}, {y_input, output, 0.95f}, {2, output, 0.5f}, {bias, output, 0.5f}}}}};
  auto slopes = p;
  for (std::size_t k = 0; k < 4; ++k) slopes.networks[0].connections[k].gene = std::array{-3.f, 2.f, 0.f, 1e-9f}[k];
  cppn{}.climb(p, slopes, std::vector{0.1f});
  auto const& genes = p.networks[0].connections;
  CHECK(genes[0].gene == doctest::Approx(0.4));
  CHECK(genes[1].gene == 1);
  CHECK(genes[2].gene == 0.5f);
  CHECK(genes[3].gene == doctest::Approx(0.6));
}

TEST_CASE("the same seed draws and varies the same networks, and child i depends on parent i alone") {
  image_shape const shape{3, 16, 16};
  CHECK(same(decoded(cppn{}, evolved(growing, 20, 3, 10), shape), decoded(cppn{}, evolved(growing, 20, 3, 10), shape)));
  CHECK_FALSE(same(decoded(cppn{}, evolved(growing, 20, 3, 10), shape), decoded(cppn{}, evolved(growing, 20, 3, 10, 2), shape)));
  auto few = evolved(growing, 5, 3, 10), many = evolved(growing, 20, 3, 10);
  many.networks.resize(5);
  CHECK(same(decoded(cppn{}, few, shape), decoded(cppn{}, many, shape)));
}

TEST_CASE("assign copies genotypes between populations") {
  auto const source = evolved(growing, 4, 1, 10);
  auto target = cppn{}.buffer(3, as_view(blank({1, 8, 8}).images));
  std::array<std::size_t, 2> const to{2, 0}, from{1, 3};
  target.assign(to, source, from);
  auto const a = decoded(cppn{}, target, {1, 8, 8}), b = decoded(cppn{}, source, {1, 8, 8});
  CHECK(std::ranges::equal(as_view(a).row(2), as_view(b).row(1)));
  CHECK(std::ranges::equal(as_view(a).row(0), as_view(b).row(3)));
  CHECK(std::ranges::all_of(as_view(a).row(1), [](float v) { return v == 0; }));
}

TEST_CASE("errors name what is wrong and what to do") {
  auto const buffer = [](cppn const& e, std::size_t channels) {
    return message_of([&] { (void)e.buffer(1, as_view(blank({channels, 4, 4}).images)); });
  };
  CHECK(buffer(cppn{}, 2) == "cppn: images of 2 channels; it draws images of 1 (grey) or 3 (RGB)");
  CHECK(buffer(cppn{.node_deletion = 1.5f}, 1) == "cppn: node_deletion is 1.5; it is a probability, give a value in [0, 1]");
  CHECK(buffer(cppn{.weight_range = 0}, 1).find("weight_range is 0") != std::string::npos);
  CHECK(buffer(cppn{.eta = -1}, 1).find("eta is -1") != std::string::npos);
  CHECK(buffer(cppn{.levels = 1}, 1).find("levels is 1") != std::string::npos);
  CHECK(buffer(cppn{.hue_turns = -1}, 1).find("hue_turns is -1") != std::string::npos);
  CHECK(buffer(cppn{.activations = {false, false, false, false}}, 1).find("activations has none") != std::string::npos);
  CHECK(message_of([] { decoded(cppn{}, evolved(cppn{}, 1, 1, 0), {3, 4, 4}); }).find("a network has 1 outputs") != std::string::npos);
  cppn_network const cyclic{1, {cppn_activation::sine, cppn_activation::sine}, {{output, output + 1, 1}, {output + 1, output, 1}}};
  CHECK(message_of([&] { decoded(cppn{}, {{cyclic}}, {1, 4, 4}); }).find("has a cycle") != std::string::npos);
}
