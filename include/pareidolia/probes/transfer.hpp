// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/class_confidence.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// Whether images that were found for one model fool another one too (Szegedy et al. 2013, section 4.2; Nguyen et al. 2015, section 3.5).
///
///     auto const other = measure(transfer{}, vgg, run(attack, lenet, digits, rng{1}));
///
/// An image counts for `left` where the other model sees another class than the first one saw in the canvas, `before`; where canvases are
/// classified right, that is its error. It counts for `reached` where it sees the class that the image has for the first model. Only images
/// that succeeded on the first model count (`all` of them otherwise, as Szegedy's tables do with images that are successes throughout).
///
/// Cost: one forward of each image, in batches of `batch`. Errors: an outcome without images, a model of another number of classes.
struct transfer {
  bool all = false;  ///< images that failed on the first model count too
  std::size_t batch = 64;

  struct result {
    std::vector<int> labels;           ///< (count), what the other model sees
    std::vector<float> probabilities;  ///< (count), its softmax for the class that the image has for the first model
    std::size_t counted = 0;           ///< images that count
    double left = 0, reached = 0;      ///< shares of them
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, outcome const& found) const {
    auto const classes = static_cast<std::size_t>(model.classes());
    if (classes != found.scores.shape()[1])
      detail::fail("transfer: the images were found for ", found.scores.shape()[1], " classes, the other model has ", classes);
    if (batch == 0) detail::fail("transfer: batch is 0; give at least 1");
    auto const images = as_view(found.images);
    std::size_t const count = images.shape[0];
    auto answers = detail::confidence_of(model, count, found.labels, batch,
                                         [&](std::size_t i, std::span<float> to) { std::ranges::copy(images.row(i), to.begin()); });
    result r{std::move(answers.labels), std::move(answers.probabilities)};
    for (std::size_t i = 0; i < count; ++i) {
      if (!all && found.success[i] == 0) continue;
      ++r.counted;
      r.left += r.labels[i] != found.before[i];
      r.reached += r.labels[i] == found.labels[i];
    }
    if (r.counted != 0) {
      r.left /= static_cast<double>(r.counted);
      r.reached /= static_cast<double>(r.counted);
    }
    return r;
  }
};

}  // namespace pareidolia
