// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/cuda_cache.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>
#include <pareidolia/detail/cudnn_convolution.hpp>
#include <pareidolia/detail/cudnn_plan_cache.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace pareidolia::detail::cuda {

/// A session of the calling thread on its current device, made when it is first needed: those of cuDNN may not be used by two threads at
/// once.
template <class Session>
[[nodiscard]] Session const& session_of_this_thread() {
  thread_local std::map<int, Session> sessions;
  return sessions.try_emplace(device_number()).first->second;
}

/// The fastest of some plans of a problem, on the current device and arrays of zeros; none where memory for that is short.
[[nodiscard]] inline std::optional<cudnn::convolution_plan> fastest(cudnn::convolution_problem const& p,
                                                                    std::vector<cudnn::convolution_plan> plans) {
  using plan = cudnn::convolution_plan;
  constexpr int runs = 5;
  std::size_t room = 0;
  for (plan const& candidate : plans) room = std::max(room, candidate.workspace());
  std::size_t const images_in = p.count * p.in[0] * p.in[1] * p.in[2], images_out = p.count * p.out[0] * p.out[1] * p.out[2],
                    weights = p.out[0] * p.in[0] / p.groups * p.kernel[0] * p.kernel[1];
  std::vector<buffer> memory;
  std::vector<void*> data;
  buffer workspace;
  try {
    for (std::size_t const size : {images_in, weights, images_out, p.out[0]}) {
      memory.emplace_back(size * sizeof(float), "timing a convolution");
      fill_zero(memory.back().as<float>(), size);
      data.push_back(memory.back().data());
    }
    workspace = buffer(room, "timing a convolution");
  } catch (error const&) {
    return std::nullopt;
  }
  std::vector<std::int64_t> arrays{plan::x, plan::w, plan::y, plan::bias};
  if (!p.biased) {
    arrays.pop_back();
    data.pop_back();
  }
  auto const& session = session_of_this_thread<cudnn::session>();
  plan* best = nullptr;
  double shortest = std::numeric_limits<double>::infinity();
  for (plan& candidate : plans) {
    auto const bound = candidate.bind(arrays, data, workspace.data());
    candidate.run(session, bound);  // loads its code
    stopwatch<space::device> watch;
    watch.start();
    for (int i = 0; i < runs; ++i) candidate.run(session, bound);
    watch.stop();
    if (double const seconds = watch.seconds(); seconds < shortest) {
      shortest = seconds;
      best = &candidate;
    }
  }
  return std::move(*best);
}

/// The plan of a convolution on the current device, found once and kept in the cache; null if cuDNN offers none. cuDNN's heuristics choose
/// it, or, `timed`, the clock among the ten that they think fastest, if there is memory to try them.
[[nodiscard]] inline std::shared_ptr<cudnn::convolution_plan const> shared_plan(cudnn::convolution_problem const& p, bool timed) {
  constexpr std::size_t tried = 10;
  static std::mutex mutex;
  static std::map<std::tuple<int, bool, cudnn::convolution_problem>, std::shared_ptr<cudnn::convolution_plan const>> known;
  std::lock_guard const lock(mutex);
  auto const key = std::tuple(device_number(), timed, p);
  if (auto const found = known.find(key); found != known.end()) return found->second;
  cudnn::target const device(session_of_this_thread<cudnn::session>());
  auto const choose = [&](bool by_clock) {
    return cudnn::cached_plan(p, device, by_clock, cache::folder(), [&]() -> std::optional<cudnn::convolution_plan> {
      auto plans = cudnn::find_plans(p, device, by_clock ? tried : 1);
      if (plans.empty()) return std::nullopt;
      if (by_clock) return fastest(p, std::move(plans));
      return std::move(plans.front());
    });
  };
  auto plan = choose(timed);
  if (!plan && timed) plan = choose(false);
  auto const chosen = plan ? std::make_shared<cudnn::convolution_plan const>(*std::move(plan)) : nullptr;
  known.emplace(key, chosen);
  return chosen;
}

}  // namespace pareidolia::detail::cuda
