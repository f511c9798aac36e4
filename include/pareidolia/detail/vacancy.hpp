// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/pasting.hpp>
#include <pareidolia/encodings/patch.hpp>

#include <cstddef>
#include <optional>

namespace pareidolia::detail {

/// What `patch` would still show on a canvas, as a list of placements grows.
class vacancy {
 public:
  vacancy(patch const& encoding, image_shape const& canvas) : canvas_(canvas), overlap_(encoding.overlap) {
    auto const all = static_cast<double>(canvas[1] * canvas[2]);
    most_ = static_cast<std::size_t>(double{encoding.area} * all * (1 + 1e-7));
    if (!overlap_ || encoding.area < 1) covered_.emplace(canvas[1], canvas[2]);
  }

  [[nodiscard]] bool takes(pasted const& p) const {
    if (!covered_) return true;
    covered_box const box(p, canvas_[1], canvas_[2]);
    std::size_t const fresh = covered_->fresh(box);
    return (overlap_ || fresh == box.area()) && covered_->covered() + fresh <= most_;
  }
  void take(pasted const& p) {
    if (covered_) covered_->cover({p, canvas_[1], canvas_[2]});
  }

 private:
  image_shape canvas_;
  bool overlap_;
  std::size_t most_;
  std::optional<coverage> covered_;  // where it matters
};

}  // namespace pareidolia::detail
