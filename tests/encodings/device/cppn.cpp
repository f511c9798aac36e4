// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/device/cppn.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace pareidolia_test {
namespace {

using here = cppn_population<space::host>;
using there = cppn_population<space::device>;

/// n networks that evolved for some generations.
there evolved(cppn const& e, std::size_t n, image_shape const& shape, std::size_t generations, std::uint64_t seed = 1) {
  auto const canvas = on_device(blank(shape).images);
  auto p = e.buffer(n, canvas.view()), children = p;
  e.draw(p, rng(seed));
  for (std::size_t g = 1; g <= generations; ++g) {
    e.vary(p, children, rng(seed).fork(g));
    std::swap(p, children);
  }
  return p;
}

/// Images of the same networks by host and device.
struct both {
  tensor<float, 4> host, device;
};
both decoded(cppn const& e, there const& p, image_shape const& s, std::size_t count) {
  auto const canvas = filled<float, 4>({count, s[0], s[1], s[2]});
  auto const start = on_device(canvas), images = on_device(canvas);
  both x{canvas, canvas};
  e.decode(static_cast<here const&>(p), as_view(canvas), as_view(x.host));
  e.decode(p, start.view(), images.view());
  x.device = on_host(images.view());
  return x;
}

}  // namespace

TEST_CASE("networks are drawn and varied for a device as for the host") {
  if (!has_device()) return;
  cppn const e;
  auto const canvas = blank({3, 4, 4});
  auto const p = evolved(e, 5, {3, 4, 4}, 3);
  here q = e.buffer(5, as_view(canvas.images)), children = q;
  e.draw(q, rng(1));
  for (std::size_t g = 1; g <= 3; ++g) {
    e.vary(q, children, rng(1).fork(g));
    std::swap(q, children);
  }
  for (std::size_t i = 0; i < 5; ++i) {
    REQUIRE(p.networks[i].connections.size() == q.networks[i].connections.size());
    for (std::size_t c = 0; c < p.networks[i].connections.size(); ++c)
      CHECK(p.networks[i].connections[c].gene == q.networks[i].connections[c].gene);
  }
}

TEST_CASE("networks drawn on the device give the host's images") {
  if (!has_device()) return;
  for (auto const colours : {cppn_colours::grey, cppn_colours::hsv, cppn_colours::hls})
    for (image_shape const& shape : {image_shape{3, 13, 31}, image_shape{1, 40, 16}, image_shape{3, 1, 1}})
      for (std::size_t generations : {0u, 4u, 40u}) {
        CAPTURE(static_cast<int>(colours));
        CAPTURE(shape[1]);
        CAPTURE(generations);
        cppn const e{.connection_deletion = 0.1f, .node_deletion = 0.1f, .colours = colours, .hue_turns = 1.4f, .levels = 0};
        auto const x = decoded(e, evolved(e, 6, shape, generations), shape, 6);
        CHECK(largest_difference(x.host, x.device) < (generations > 10 ? 1e-4f : 1e-5f));  // rounding grows from node to node
      }
}

TEST_CASE("rounding to levels is the host's but where an answer lies between two") {
  if (!has_device()) return;
  for (cppn const& e : {cppn{}, cppn::released_code()}) {
    auto const x = decoded(e, evolved(e, 4, {3, 20, 20}, 1), {3, 20, 20}, 4);
    std::size_t different = 0;
    for (std::size_t j = 0; j < x.host.size(); ++j) different += std::abs(x.host.data()[j] - x.device.data()[j]) > 1e-6f;
    CHECK(different <= x.host.size() / 200);
  }
}

TEST_CASE("each of many canvases shows its genotype") {
  if (!has_device()) return;
  cppn const e{.levels = 0};
  auto const x = decoded(e, evolved(e, 2, {1, 6, 6}, 2), {1, 6, 6}, 6);
  CHECK(largest_difference(x.host, x.device) < 1e-5f);
}

TEST_CASE("a network with more values at once than the device has room for is drawn by the host") {
  if (!has_device()) return;
  // One hidden node after another that all feed the output, and before it each other.
  cppn_network wide{1, {cppn_activation::linear}, {}};
  using index = cppn_network::index;
  constexpr index nodes = 60, output = cppn_network::inputs;
  for (index k = 0; k < nodes; ++k) {
    wide.activations.push_back(cppn_activation::sine);
    wide.connections.push_back({k % 3, output + 1 + k, 0.5f + static_cast<float>(k) / 150});
  }
  for (index k = 0; k < nodes; ++k) wide.connections.push_back({output + 1 + k, output, 0.6f});
  detail::cppn_program program;
  program.compile(wide, 1);
  detail::cuda::cppn_programs batch;
  CHECK_FALSE(batch.append(program));
  CHECK(batch.steps.empty());
  CHECK(batch.terms.empty());

  cppn const e{.levels = 0};
  auto p = evolved(e, 3, {1, 9, 9}, 1);
  p.networks[1] = wide;
  auto const x = decoded(e, p, {1, 9, 9}, 3);
  CHECK(x.device == x.host);
}

TEST_CASE("slots are used again: a long chain needs few") {
  cppn_network chain{1, {cppn_activation::linear}, {}};
  using index = cppn_network::index;
  constexpr index nodes = 200, output = cppn_network::inputs;
  for (index k = 0; k < nodes; ++k) {
    chain.activations.push_back(cppn_activation::sigmoid);
    chain.connections.push_back({k == 0 ? 0 : output + k, output + 1 + k, 0.9f});
  }
  chain.connections.push_back({output + nodes, output, 0.7f});
  detail::cppn_program program;
  program.compile(chain, 2);
  detail::cuda::cppn_programs batch;
  CHECK(batch.append(program));
  for (auto const& step : batch.steps) CHECK(step.slot <= 4);
}

TEST_CASE("gradients of images on the device come to networks as the host's do") {
  if (!has_device()) return;
  cppn const e;
  auto const p = evolved(e, 3, {3, 20, 15}, 10);
  auto const dx = random_values<4>({6, 3, 20, 15}, 4, -1);
  auto const there = on_device(dx);
  auto dp = p;
  e.pullback(p, there.view(), const_image_view<space::device>(there.view()), dp);
  here expected{p.networks};
  e.pullback(static_cast<here const&>(p), as_view(dx), as_view(dx), expected);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 0; k < p.networks[i].connections.size(); ++k)
      CHECK(dp.networks[i].connections[k].gene == expected.networks[i].connections[k].gene);
}

TEST_CASE("networks for another canvas are refused on the device too") {
  if (!has_device()) return;
  cppn const e;
  CHECK_THROWS_WITH_AS(decoded(e, evolved(e, 1, {1, 4, 4}, 0), {3, 4, 4}, 1), doctest::Contains("cppn: a network has 1 outputs"), error);
}

}  // namespace pareidolia_test
