// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// What a model sees in images.
struct class_confidence {
  std::vector<int> labels;           ///< (count), the class with the highest score
  std::vector<float> probabilities;  ///< (count), softmax of the class that was asked for; of `labels` where none was
};

/// Asks a model of any memory for images of the host's, `batch` at a time: fill(k, image) writes image k of `count`. classes (count), or
/// empty. One forward of each.
template <Model M, class Fill>
[[nodiscard]] class_confidence confidence_of(M const& model, std::size_t count, label_view classes, std::size_t batch, Fill const& fill) {
  if (count == 0) return {};
  constexpr space S = M::memory;
  image_shape const shape = model.input();
  std::size_t const room = std::min(batch, count), all = static_cast<std::size_t>(model.classes());
  auto images = filled<float, 4>({room, shape[0], shape[1], shape[2]});
  storage<float, 4, S> x({room, shape[0], shape[1], shape[2]});
  storage<float, 2, S> y({room, all});
  auto p = filled<float, 2>({room, all});
  auto workspace = model.prepare(room);
  class_confidence found{std::vector<int>(count), std::vector<float>(count)};
  for (std::size_t first = 0; first < count; first += room) {
    std::size_t const n = std::min(room, count - first);
    for (std::size_t i = 0; i < n; ++i) fill(first + i, as_view(images).row(i));
    copy(view<float const, 4>(as_view(images).rows(0, n)), x.view().rows(0, n));
    model.forward(x.view().rows(0, n), y.view().rows(0, n), workspace);
    auto const labels = std::span(found.labels).subspan(first, n);
    argmax(y.view().rows(0, n), labels);
    softmax_rows(y.view().rows(0, n), y.view().rows(0, n));
    copy(const_score_view<S>(y.view().rows(0, n)), as_view(p).rows(0, n));
    for (std::size_t i = 0; i < n; ++i)
      found.probabilities[first + i] = p(i, static_cast<std::size_t>(classes.empty() ? labels[i] : classes[first + i]));
  }
  return found;
}

/// The class that each image of an outcome stands for: the one that was to be reached, or what an image of an untargeted attack is taken
/// for; what success means tells which it was.
[[nodiscard]] inline std::vector<int> classes_of(outcome const& found) {
  std::vector<int> classes;
  for (std::size_t i = 0; i < found.size(); ++i) {
    bool const targeted = (found.labels[i] == found.targets[i]) == (found.success[i] != 0);
    classes.push_back(targeted ? found.targets[i] : found.labels[i]);
  }
  return classes;
}

}  // namespace pareidolia::detail
