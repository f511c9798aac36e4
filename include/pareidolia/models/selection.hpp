// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
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

/// Images which[0], which[1], ... of some, with their labels if they have any. Errors: an index that none has.
[[nodiscard]] inline labelled_images selected(labelled_images const& images, std::span<std::size_t const> which) {
  auto const all = as_view(images.images);
  auto shape = all.shape;
  shape[0] = which.size();
  labelled_images result{filled<float, 4>(shape), {}};
  for (std::size_t k = 0; k < which.size(); ++k) {
    if (which[k] >= images.size()) detail::fail("selected: image ", which[k], " is wanted of ", images.size());
    copy(all.rows(which[k], 1), as_view(result.images).rows(k, 1));
    if (!images.labels.empty()) result.labels.push_back(images.labels[which[k]]);
  }
  return result;
}

/// The first n images, or all if there are fewer.
[[nodiscard]] inline labelled_images first_images(labelled_images const& images, std::size_t n) {
  std::vector<std::size_t> which(std::min(n, images.size()));
  std::iota(which.begin(), which.end(), std::size_t{0});
  return selected(images, which);
}

/// n of the images, or all if there are fewer, evenly spread over them: data sets are often sorted by class.
[[nodiscard]] inline labelled_images spread_images(labelled_images const& images, std::size_t n) {
  std::size_t const count = std::min(n, images.size());
  std::vector<std::size_t> which;
  for (std::size_t k = 0; k < count; ++k) which.push_back(k * images.size() / count);
  return selected(images, which);
}

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
  return selected(images, right);
}

}  // namespace pareidolia
