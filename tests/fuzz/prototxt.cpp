// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/prototxt.hpp>

#include "fuzz.hpp"

// A graph that was read need not fit together: plan() says so, as it does for every graph.
extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  auto const planned = [](std::filesystem::path const& path) {
    auto graph = pareidolia::read_prototxt(path);
    pareidolia_test::allocations::watching = false;
    try {
      return pareidolia::plan(graph);
    } catch (pareidolia::error const&) {
      return pareidolia::planned_graph{};
    }
  };
  auto const fits = [](pareidolia::planned_graph const& plan) { return plan.out.size() == plan.source.nodes.size(); };
  pareidolia_test::fuzz({data, size}, pareidolia::detail::allocation_limit(size), planned, fits);
  return 0;
}
