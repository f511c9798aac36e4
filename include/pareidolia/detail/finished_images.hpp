// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace pareidolia::detail {

/// What is kept of a run that goes image by image: the images that are done, their answers and what was spent on them.
struct finished_images {
  std::vector<std::size_t> which;  ///< ascending
  tensor<float, 4> answers;
  std::vector<std::uint32_t> forwards, backwards;  ///< spent on each
  std::vector<std::uint8_t> succeeded;

  finished_images(outcome const& of, std::vector<std::uint8_t> const& seen, std::vector<std::size_t> done) : which(std::move(done)) {
    auto const& shape = of.images.shape();
    answers = filled<float, 4>({which.size(), shape[1], shape[2], shape[3]});
    for (std::size_t k = 0; k < which.size(); ++k) {
      std::ranges::copy(as_view(of.images).row(which[k]), as_view(answers).row(k).begin());
      forwards.push_back(of.forwards_spent[which[k]]);
      backwards.push_back(of.backwards_spent[which[k]]);
      succeeded.push_back(seen[which[k]]);
    }
  }

  template <class A>
  void state(A& a) {
    a("finished", which);
    a("answers", answers);
    a("forwards spent", forwards);
    a("backwards spent", backwards);
    a("succeeded", succeeded);
  }

  /// Back to where they were. Errors: images that `to` does not have, or of another shape.
  void put(outcome& to, std::vector<std::uint8_t>& seen) const {
    std::size_t const n = which.size(), stride = as_view(to.images).stride();
    bool const ascending = std::ranges::adjacent_find(which, std::ranges::greater_equal{}) == which.end();
    if (!ascending || (n != 0 && which.back() >= seen.size()) || answers.shape()[0] != n || answers.size() != n * stride ||
        forwards.size() != n || backwards.size() != n || succeeded.size() != n)
      fail("run: the images that were kept as finished are damaged; begin anew");
    for (std::size_t k = 0; k < n; ++k) {
      std::ranges::copy(as_view(answers).row(k), as_view(to.images).row(which[k]).begin());
      to.forwards_spent[which[k]] = forwards[k];
      to.backwards_spent[which[k]] = backwards[k];
      seen[which[k]] = succeeded[k];
    }
  }
};

}  // namespace pareidolia::detail
