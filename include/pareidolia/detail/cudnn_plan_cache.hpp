// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/version.hpp>
#include <pareidolia/detail/cuda_cache.hpp>
#include <pareidolia/detail/cudnn_convolution.hpp>

#include <filesystem>
#include <ios>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

// Plans of convolutions in files. cuDNN's heuristics take milliseconds for each, and timing tens of them; a plan that is known is read in a
// fraction of one, and stays the same from run to run.

namespace pareidolia::detail::cudnn {

/// All that the choice of a plan depends on, as a line of text.
[[nodiscard]] inline std::string plan_key(convolution_problem const& p, target const& on, bool timed) {
  auto const& [way, count, in, out, kernel, stride, padding, groups, tensor_cores, stored, biased, slope] =
      p;  // a new member must be added below
  std::ostringstream key;
  key << "pareidolia " << version << ", cuDNN " << cudnnGetVersion() << ", " << on.name() << (timed ? ", timed" : "") << ": convolution "
      << static_cast<int>(way) << ", " << count << " images " << to_text(in) << " to " << to_text(out) << ", kernel " << kernel[0] << 'x'
      << kernel[1] << ", stride " << stride[0] << 'x' << stride[1] << ", padding " << padding[0] << 'x' << padding[1] << ", groups "
      << groups << (tensor_cores ? ", tensor cores" : "") << ", number " << static_cast<int>(stored) << (biased ? ", bias" : "")
      << std::hexfloat;
  if (slope) key << ", slope " << *slope;
  key << '\n';
  return key.str();
}

/// The plan of a problem: from its file in `folder`, or what `find()` finds, an optional one, which is put there. Files of other problems,
/// other versions or damaged ones are no plans, and are written anew. That there is none is not kept.
template <class Find>
[[nodiscard]] std::optional<convolution_plan> cached_plan(convolution_problem const& p, target const& on, bool timed,
                                                          std::filesystem::path const& folder, Find const& find) {
  namespace cache = cuda::cache;
  if (folder.empty()) return find();
  std::string const key = plan_key(p, on, timed);
  auto const file = folder / text("convolution-", std::hex, cache::checksum(key), ".plan");
  if (std::string const kept = cache::read(file); kept.starts_with(key))
    if (auto plan = restored_plan(std::string_view(kept).substr(key.size()), on)) return plan;
  std::optional<convolution_plan> found = find();
  if (found)
    if (std::string const json = found->json(); !json.empty()) cache::write(file, key + json);
  return found;
}

}  // namespace pareidolia::detail::cudnn
