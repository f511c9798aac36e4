// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/cudnn_plan_cache.hpp>

#include "support/data.hpp"
#include "support/files.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia::detail;

namespace {

cudnn::target hopper() {
  std::ifstream file(pareidolia_test::data_path("../h200.json"));
  return cudnn::target(std::string{std::istreambuf_iterator<char>(file), {}});
}

/// Asks cuDNN's heuristics, and counts how often.
struct finder {
  cudnn::convolution_problem const& problem;
  cudnn::target const& device;
  int asked = 0;

  cudnn::convolution_plan operator()(std::filesystem::path const& folder, bool timed = false) {
    auto plan = cudnn::cached_plan(problem, device, timed, folder, [this]() -> std::optional<cudnn::convolution_plan> {
      ++asked;
      return std::move(cudnn::find_plans(problem, device).front());
    });
    REQUIRE(plan.has_value());
    return *std::move(plan);
  }
};

}  // namespace

TEST_CASE("data: a plan is found once and then read from its file, in every direction and with what is fused") {
  pareidolia_test::temporary_folder const folder;
  auto const device = hopper();
  cudnn::convolution_problem const plain{
      .count = 32, .in = {64, 56, 56}, .out = {96, 28, 28}, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}};
  std::vector<cudnn::convolution_problem> problems{plain, plain, plain, plain, plain};
  problems[1].tensor_cores = true;
  problems[2].way = cudnn::direction::backward_data;
  problems[3].way = cudnn::direction::backward_filter;
  problems[4].biased = true;
  problems[4].slope = 0.f;
  for (auto const& problem : problems) {
    finder find{problem, device};
    auto const first = find(folder / "plans"), second = find(folder / "plans");
    CHECK(find.asked == 1);
    CHECK(second.engine() == first.engine());
    CHECK(second.workspace() == first.workspace());
    CHECK(second.json() == first.json());
  }
  CHECK(folder.files() == problems.size());
}

TEST_CASE("data: a file that holds another plan, or a damaged one, is written anew") {
  pareidolia_test::temporary_folder const folder;
  auto const device = hopper();
  cudnn::convolution_problem const problem{.count = 8, .in = {64, 14, 14}, .out = {64, 14, 14}, .kernel = {3, 3}, .padding = {1, 1}};
  cudnn::convolution_problem other = problem;
  other.count = 9;
  finder find{problem, device}, find_other{other, device};
  auto const json = find(folder / "plans").json();
  auto const file = std::filesystem::directory_iterator(folder / "plans")->path();
  std::string const good = cuda::cache::read(file);

  auto const is_refused = [&](std::string const& contents) {
    int const before = find.asked;
    cuda::cache::write(file, contents);
    CHECK(find(folder / "plans").json() == json);
    CHECK(find.asked == before + 1);
    CHECK(cuda::cache::read(file) == good);
  };
  is_refused(cudnn::plan_key(other, device, false) + find_other(folder / "others").json());
  is_refused(cudnn::plan_key(problem, device, false) + json.substr(0, json.size() / 2));
  is_refused(cudnn::plan_key(problem, device, false) + "{}");
  is_refused("?");
  std::filesystem::resize_file(file, 100);
  CHECK(find(folder / "plans").json() == json);
  CHECK(cuda::cache::read(file) == good);

  int const before = find.asked;
  static_cast<void>(find(folder / "plans", true));  // one chosen by timing is another plan
  CHECK(find.asked == before + 1);
  CHECK(find(file / "no folder").json() == json);
  CHECK(find({}).json() == json);
  CHECK(find.asked == before + 3);
}
