// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/cudnn_convolution.hpp>

#include <pareidolia/models/zoo.hpp>

#include "support/data.hpp"
#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace pareidolia;
using namespace pareidolia::detail;

namespace {

/// Every problem that the engine may pose for the convolutions of a graph.
void collect(graph const& g, std::size_t count, std::set<cudnn::convolution_problem>& all) {
  planned_graph const p = plan(g);
  for (std::size_t k = 0; k < p.out.size(); ++k) {
    auto const* const c = std::get_if<layer::convolution>(&p.source.nodes[k].what);
    if (c == nullptr) continue;
    using cuda::number;
    for (auto const& [tensor_cores, stored] : {std::pair(false, number::float32), std::pair(true, number::float32),
                                               std::pair(true, number::bfloat16), std::pair(true, number::float16)}) {
      cudnn::convolution_problem problem{.count = count,
                                         .in = p.in[k],
                                         .out = p.out[k],
                                         .kernel = c->kernel,
                                         .stride = c->stride,
                                         .padding = c->padding,
                                         .groups = c->groups,
                                         .tensor_cores = tensor_cores,
                                         .stored = stored};
      for (auto way : {cudnn::direction::forward, cudnn::direction::backward_data, cudnn::direction::backward_filter}) {
        problem.way = way;
        all.insert(problem);
      }
      problem.way = cudnn::direction::forward;
      problem.biased = true;
      all.insert(problem);
      problem.slope = 0.f;
      all.insert(problem);
    }
  }
}

}  // namespace

TEST_CASE("data: every convolution of the zoo has a plan on a Hopper GPU, in both directions, for small and large batches") {
  std::ifstream file(pareidolia_test::data_path("../h200.json"));
  cudnn::target const hopper(std::string{std::istreambuf_iterator<char>(file), {}});
  std::set<cudnn::convolution_problem> problems;
  for (zoo::entry const& network : zoo::networks)
    for (std::size_t count : {1u, 32u, 256u}) collect(network.make(), count, problems);
  for (graph const& g : pareidolia_test::conformance_graphs()) collect(g, 5, problems);
  std::size_t planned = 0, largest = 0;
  std::map<cuda::number, std::size_t> fused, fusible;
  for (auto const& p : problems) {
    CAPTURE(to_text(p.in));
    CAPTURE(to_text(p.out));
    CAPTURE(p.count);
    CAPTURE(static_cast<int>(p.way));
    CAPTURE(p.tensor_cores);
    CAPTURE(static_cast<int>(p.stored));
    auto const plans = cudnn::find_plans(p, hopper);
    planned += plans.size();
    if (!plans.empty()) largest = std::max(largest, plans.front().workspace());
    if (!p.biased) CHECK(plans.size() == 1);  // one with bias and ReLU falls back on this
    if (p.biased) fused[p.stored] += plans.size(), ++fusible[p.stored];
  }
  MESSAGE(planned, " of ", problems.size(), " convolutions have a plan; largest workspace ", largest >> 20, " MB");
  for (auto const& [stored, all] : fusible) {
    MESSAGE(fused[stored], " of ", all, " with a bias have one, of ", 8 * cuda::bytes(stored), " bits");
    CHECK(fused[stored] > 0);
  }
}

TEST_CASE("data: a plan stays within its workspace, and takes tensor cores only where it may") {
  std::ifstream file(pareidolia_test::data_path("../h200.json"));
  cudnn::target const hopper(std::string{std::istreambuf_iterator<char>(file), {}});
  cudnn::convolution_problem problem{.count = 32, .in = {256, 56, 56}, .out = {256, 56, 56}, .kernel = {3, 3}, .padding = {1, 1}};
  auto const plain = cudnn::find_plans(problem, hopper);
  REQUIRE(plain.size() == 1);
  REQUIRE(plain.front().workspace() > 0);
  for (auto const& smaller : cudnn::find_plans(problem, hopper, 3, plain.front().workspace() - 1))
    CHECK(smaller.workspace() < plain.front().workspace());
  problem.tensor_cores = true;
  auto const several = cudnn::find_plans(problem, hopper, 5);
  CHECK(several.size() == 5);
  for (auto const& plan : several) CHECK(plan.engine() != plain.front().engine());
}

TEST_CASE("a description of a device that is none is an error") { CHECK_THROWS_AS(cudnn::target("{\"smVersion\": \"teapot\"}"), error); }
