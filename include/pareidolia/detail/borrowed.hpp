// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

// What models in front of models share.

namespace pareidolia::detail {

/// A model that is used and not owned.
template <Model M>
class borrowed {
 public:
  borrowed(M const& model) : model_(&model) {}
  borrowed(M const&&) = delete;  // would be gone before its first forward

  M const& operator*() const { return *model_; }
  M const* operator->() const { return model_; }
  [[nodiscard]] std::size_t classes() const { return static_cast<std::size_t>(model_->classes()); }

 private:
  M const* model_;
};

/// A view of n rows in `room`, which grows when it must.
inline image_view<space::host> images_in(std::vector<float>& room, std::size_t n, image_shape const& s) {
  room.resize(std::max(room.size(), n * s[0] * s[1] * s[2]));
  return {room.data(), {n, s[0], s[1], s[2]}};
}
inline score_view<space::host> scores_in(std::vector<float>& room, std::size_t n, std::size_t classes) {
  room.resize(std::max(room.size(), n * classes));
  return {room.data(), {n, classes}};
}

}  // namespace pareidolia::detail
