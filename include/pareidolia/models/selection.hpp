// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace pareidolia {
namespace detail {

/// Calls visit(i, c) for one image after the other with the class that the model says of it, until visit returns false; `batch` images
/// pass through the model together.
template <Model M, class Visit>
void each_class(M const& model, const_image_view<space::host> images, std::size_t batch, Visit const& visit) {
  constexpr space S = M::memory;
  std::size_t const n = images.shape[0], room = std::min(batch, n);
  auto shape = images.shape;
  shape[0] = room;
  storage<float, 4, S> x(shape);
  storage<float, 2, S> y({room, static_cast<std::size_t>(model.classes())});
  auto workspace = model.prepare(room);
  std::vector<int> found(room);
  for (std::size_t first = 0; first < n; first += room) {
    std::size_t const count = std::min(room, n - first);
    copy(images.rows(first, count), x.view().rows(0, count));
    model.forward(x.view().rows(0, count), y.view().rows(0, count), workspace);
    argmax(y.view().rows(0, count), std::span(found).first(count));
    for (std::size_t i = 0; i < count; ++i)
      if (!visit(first + i, found[i])) return;
  }
}

}  // namespace detail

/// The class that the model says of each image. Cost: one forward of each, `batch` at a time.
template <Model M>
[[nodiscard]] std::vector<int> classified(M const& model, tensor<float, 4> const& images, std::size_t batch = 256) {
  std::vector<int> labels;
  if (images.size() > 0)
    detail::each_class(model, as_view(images), batch, [&](std::size_t, int found) {
      labels.push_back(found);
      return true;
    });
  return labels;
}

/// The first n images that the model labels right, in their order: what attacks that leave classes start from.
///
/// Cost: forwards until n are found, `batch` images at a time. Errors: missing labels, fewer than n such images.
template <Model M>
[[nodiscard]] labelled_images correctly_classified(M const& model, labelled_images const& images, std::size_t n, std::size_t batch = 256) {
  if (n == 0 || images.labels.size() != images.size())
    detail::fail("correctly_classified: ", n, " of ", images.size(), " images with ", images.labels.size(), " labels are wanted");
  auto const all = as_view(images.images);
  std::vector<std::size_t> right;
  if (images.size() > 0)
    detail::each_class(model, all, batch, [&](std::size_t i, int found) {
      if (found == images.labels[i]) right.push_back(i);
      return right.size() < n;
    });
  if (right.size() < n) detail::fail("correctly_classified: ", n, " images are wanted, the model labels ", right.size(), " right");

  auto shape = all.shape;
  shape[0] = n;
  labelled_images result{filled<float, 4>(shape), {}};
  for (std::size_t k = 0; k < n; ++k) {
    std::copy_n(all.row(right[k]).data(), all.stride(), as_view(result.images).row(k).data());
    result.labels.push_back(images.labels[right[k]]);
  }
  return result;
}

}  // namespace pareidolia
