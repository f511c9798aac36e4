// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cppn_program.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace pareidolia::detail::cuda {

/// Programs of many networks as the kernel of cuda_cppn.hpp reads them. A node's values are kept in a slot of fast memory until the last
/// node that needs them is done; then another node has it.
struct cppn_programs {
  static constexpr std::uint32_t slots = 48;  ///< that a thread has

  struct term {
    float weight;
    std::uint32_t slot;
  };
  struct step {
    std::uint32_t activation, slot;
    float constant;
    std::uint32_t last_term;
  };
  struct program {
    std::uint32_t first_step, last_step, first_term;
    std::array<std::uint32_t, 3> outputs;
  };

  std::vector<program> programs;
  std::vector<step> steps;
  std::vector<term> terms;

  /// Appends a program; false, and nothing is appended, if it needs more slots than there are.
  [[nodiscard]] bool append(cppn_program const& source) {
    constexpr std::uint32_t inputs = 3;
    constexpr auto never = std::numeric_limits<std::size_t>::max();
    // The step that needs a plane last. Inputs and outputs are kept to the end.
    std::vector<std::size_t> last_use(inputs + source.steps.size(), 0);
    for (std::size_t k = 0; k < source.steps.size(); ++k)
      for (std::uint32_t t = source.steps[k].first; t < source.steps[k].last; ++t) last_use[source.terms[t].plane] = k;
    std::fill_n(last_use.begin(), inputs, never);
    for (std::uint32_t const plane : source.outputs) last_use[plane] = never;

    std::vector<std::uint32_t> slot(last_use.size()), free(slots - inputs);
    std::iota(slot.begin(), slot.begin() + inputs, 0u);
    std::iota(free.rbegin(), free.rend(), inputs);
    program const added{kernel_count(steps.size()), kernel_count(steps.size() + source.steps.size()), kernel_count(terms.size()), {}};
    for (std::size_t k = 0; k < source.steps.size(); ++k) {
      auto const& from = source.steps[k];
      for (std::uint32_t t = from.first; t < from.last; ++t) {
        auto const [weight, plane] = source.terms[t];
        terms.push_back({weight, slot[plane]});
        if (last_use[plane] != k) continue;
        free.push_back(slot[plane]);  // the step reads all its terms before it writes
        last_use[plane] = never;
      }
      if (free.empty()) {
        steps.resize(added.first_step);
        terms.resize(added.first_term);
        return false;
      }
      slot[inputs + k] = free.back();
      free.pop_back();
      steps.push_back({static_cast<std::uint32_t>(from.activation), slot[inputs + k], from.constant, kernel_count(terms.size())});
    }
    programs.push_back(added);
    for (std::size_t c = 0; c < 3; ++c) programs.back().outputs[c] = slot[source.outputs[std::min(c, source.outputs.size() - 1)]];
    return true;
  }
};

}  // namespace pareidolia::detail::cuda
