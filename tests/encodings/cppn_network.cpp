// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/cppn_network.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

using index = cppn_network::index;

/// x (0) to hidden 5 to hidden 6 to the output 4; y (1) to the output.
cppn_network chain() {
  using enum cppn_activation;
  return {1, {linear, sine, gaussian}, {{0, 5, .1f}, {5, 6, .2f}, {6, 4, .3f}, {1, 4, .4f}}};
}

}  // namespace

TEST_CASE("ancestors are all nodes that a path leads from") {
  CHECK(chain().ancestors(4) == std::vector<bool>{true, true, false, false, true, true, true});
  CHECK(chain().ancestors(5) == std::vector<bool>{true, false, false, false, false, true, false});
}

TEST_CASE("a new connection closes no cycle, enters no input and is not there yet; in time every place is taken") {
  cppn_network n = chain();
  auto r = random_stream(1, 0);
  for (int i = 0; i < 500; ++i) n.add_connection(r);
  std::set<std::pair<index, index>> seen;
  for (auto const& c : n.connections) {
    CHECK(c.to >= cppn_network::inputs);
    CHECK(seen.emplace(c.from, c.to).second);
    CHECK(!n.ancestors(c.from)[c.to]);
  }
  CHECK(n.connections.size() == 4 * 3 + 3);  // four inputs to three nodes, and the three pairs that an order of those allows
}

TEST_CASE("a split keeps the gene on both halves and the path between") {
  cppn_network n{1, {cppn_activation::linear}, {{2, 4, .25f}}};
  auto r = random_stream(1, 0);
  n.split_connection(cppn_activation::sine, r);
  CHECK(n.hidden() == 1);
  CHECK(n.activations.back() == cppn_activation::sine);
  REQUIRE(n.connections.size() == 2);
  CHECK(n.connections[0].to == 5);
  CHECK(n.connections[1].from == 5);
  CHECK(n.connections[1].to == 4);
  CHECK(n.connections[0].gene == .25f);
  CHECK(n.connections[1].gene == .25f);
}

TEST_CASE("a deleted node takes its connections with it and the nodes behind it move up") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    cppn_network n = chain();
    auto r = random_stream(seed, 0);
    n.delete_node(r);
    CHECK(n.nodes() == 6);
    REQUIRE(n.connections.size() == 2);  // one end of the chain, and y's
    for (auto const& c : n.connections) CHECK((c.from < 6 && c.to < 6));
    bool const first_went = n.activations.back() == cppn_activation::gaussian;
    CHECK(n.connections[0].from == (first_went ? 5 : 0));
    CHECK(n.connections[0].to == (first_went ? 4 : 5));
  }
}

TEST_CASE("operations do nothing where there is nothing to do it to") {
  cppn_network n{1, {cppn_activation::linear}, {}};
  auto r = random_stream(1, 0);
  n.delete_connection(r);
  n.delete_node(r);
  n.split_connection(cppn_activation::sine, r);
  CHECK(n.nodes() == 5);
  CHECK(n.connections.empty());
}
