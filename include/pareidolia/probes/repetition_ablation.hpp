// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/class_confidence.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/detail/repetition.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// Repeated elements of one image, and what a model says when they are removed one after the other.
struct ablation {
  std::vector<patch_window> elements;  ///< in the order of removal; fewer than two: nothing is repeated, and none is listed
  tensor<float, 2> colours = filled<float, 2>({0, 0});  ///< (elements, channels), what each is painted with
  std::vector<float> confidence;                        ///< (elements + 1), softmax of the image's class after so many removals
  std::vector<int> labels;                              ///< (elements + 1), what the model sees

  /// The confidence after the share of all elements was removed, rounded down: 0 the image, 1 without any.
  [[nodiscard]] double after(double share) const {
    return double{confidence[static_cast<std::size_t>(share * static_cast<double>(elements.size()) + 1e-9)]};
  }

  /// Paints over the first `count` elements in an image (channels, height, width) of that shape.
  void remove(std::size_t count, image_shape const& shape, std::span<float> image) const {
    for (std::size_t k = 0; k < count; ++k)
      for (std::size_t c = 0; c < shape[0]; ++c)
        for (std::size_t y = elements[k].top; y < elements[k].top + elements[k].height; ++y)
          std::fill_n(image.begin() + static_cast<std::ptrdiff_t>((c * shape[1] + y) * shape[2] + elements[k].left), elements[k].width,
                      colours(k, c));
  }
};

/// How much of a class is in the repetition of elements: Nguyen, Yosinski and Clune (CVPR 2015, figure 10) removed them by hand from images
/// of CPPNs, which lowered the confidence a little (lipstick 99.94 to 99.80 %, ruler 99.90 to 99.40 %, oboe 99.91 to 99.89 %).
///
/// Here elements are found, so that results can be repeated and counted. In a thumbnail of at most 64 pixels a side, every square of a few
/// sizes is compared with the squares everywhere by normalised cross-correlation; squares that are at least `similarity` alike and do not
/// meet are one group. The group counts that repeats most of the image: the greatest sum of similarity^2 times variance over all its
/// squares but the one that the others resemble. So elements are shifted copies, neither turned, mirrored nor scaled, and of a pattern
/// without gaps they are square pieces. They are removed, the least similar first, the one that the others resemble last. A removed element
/// is painted in the colour around it: of the pixels of the frame, an eighth of the side wide, that belong to no other element (where all
/// do, of all) the one that is nearest to their median.
///
/// The class is the label of an image, or what the model sees in it where there are no labels; of an outcome the class that was to be
/// reached, or what an image of an untargeted attack was taken for.
///
/// Cost: one forward for each removal and one for each image; finding elements takes some tenths of a second for each image of 224x224, on
/// one thread. Errors: an option out of range, images of less than 8 pixels a side.
struct repetition_ablation {
  float similarity = .8f;  ///< least normalised cross-correlation, in (0, 1]
  float contrast = .05f;   ///< least standard deviation of an element's values: what is flat is no element
  float smallest = .1f,
        greatest = 1 / 3.f;  ///< sides of elements as shares of the image's shorter side; between them sides of half a power of 2
  std::size_t batch = 64;

  struct result {
    std::vector<ablation> images;
    std::vector<int> classes;  ///< (images)
    std::size_t forwards = 0;  ///< images that the model was shown

    /// Images with repeated elements.
    [[nodiscard]] std::vector<std::size_t> repetitive() const {
      std::vector<std::size_t> which;
      for (std::size_t i = 0; i < images.size(); ++i)
        if (!images[i].elements.empty()) which.push_back(i);
      return which;
    }
    /// The value below which the share q of these images are when the share `removed` of their elements is gone.
    [[nodiscard]] double quantile(double removed, double q) const {
      std::vector<double> values;
      for (std::size_t const i : repetitive()) values.push_back(images[i].after(removed));
      return detail::quantile_of(std::move(values), q);
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      auto const which = repetitive();
      std::vector<double> counts, left;
      double kept = 0;
      for (std::size_t const i : which) {
        std::size_t const n = images[i].elements.size();
        counts.push_back(static_cast<double>(n));
        left.push_back(double{images[i].confidence[n - 1]});
        kept += images[i].labels[n - 1] == classes[i];
      }
      return {{"images", static_cast<double>(images.size())},
              {"with repeated elements", static_cast<double>(which.size())},
              {"median elements", detail::quantile_of(counts, .5)},
              {"median confidence", quantile(0, .5)},
              {"half removed", quantile(.5, .5)},
              {"all but one removed", detail::quantile_of(left, .5)},
              {"all removed", quantile(1, .5)},
              {"share seen as the class with one element", kept / static_cast<double>(which.size())}};
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      std::size_t most = 0;
      std::vector<patch_window> all;
      for (std::size_t i = 0; i < images.size(); ++i) {
        most = std::max(most, images[i].confidence.size());
        for (patch_window w : images[i].elements) w.image = i, all.push_back(w);
      }
      named_array curves{prefix + "confidence", {images.size(), most}, {}};
      for (ablation const& a : images) {
        curves.values.insert(curves.values.end(), a.confidence.begin(), a.confidence.end());
        curves.values.resize(curves.values.size() + most - a.confidence.size(), std::numeric_limits<float>::quiet_NaN());
      }
      return {std::move(curves), detail::named_windows(prefix + "elements", all), detail::named_values(prefix + "classes", classes)};
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    if constexpr (M::memory == space::host) {
      return ablate(model, x, labels);
    } else {
      auto images = filled<float, 4>(x.shape);
      copy(x, as_view(images));
      return ablate(model, as_view(std::as_const(images)), labels);
    }
  }

  template <Model M>
  [[nodiscard]] result measure(M const& model, outcome const& found) const {
    return ablate(model, as_view(found.images), detail::classes_of(found));
  }

 private:
  void check(image_shape const& shape) const {
    if (!(similarity > 0 && similarity <= 1)) detail::fail("repetition_ablation: similarity is ", similarity, "; give a value in (0, 1]");
    if (!(contrast > 0)) detail::fail("repetition_ablation: contrast is ", contrast, "; give a positive value");
    if (!(smallest > 0 && smallest <= greatest && greatest <= .5f))
      detail::fail("repetition_ablation: elements from ", smallest, " to ", greatest,
                   " of a side; give shares in (0, 1/2], the smaller first");
    if (batch == 0) detail::fail("repetition_ablation: batch is 0; give at least 1");
    if (std::min(shape[1], shape[2]) < 8)
      detail::fail("repetition_ablation: images of ", shape[1], "x", shape[2], " have no room for elements; give at least 8 pixels a side");
  }

  template <Model M>
  [[nodiscard]] result ablate(M const& model, const_image_view<space::host> x, label_view labels) const {
    image_shape const shape{x.shape[1], x.shape[2], x.shape[3]};
    check(shape);
    std::size_t const n = x.shape[0];
    result found{.images = std::vector<ablation>(n), .classes = {labels.begin(), labels.end()}};
    parallel_for(n, [&](std::size_t i, std::size_t) { found.images[i] = elements_of(i, x.row(i), shape); });
    if (labels.empty()) {
      auto const seen =
          detail::confidence_of(model, n, {}, batch, [&](std::size_t i, std::span<float> to) { std::ranges::copy(x.row(i), to.begin()); });
      found.classes = seen.labels;
      found.forwards += n;
    }
    std::vector<std::size_t> owner, removed;
    std::vector<int> asked;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k <= found.images[i].elements.size(); ++k)
        owner.push_back(i), removed.push_back(k), asked.push_back(found.classes[i]);
    auto const answers = detail::confidence_of(model, owner.size(), asked, batch, [&](std::size_t j, std::span<float> to) {
      std::ranges::copy(x.row(owner[j]), to.begin());
      found.images[owner[j]].remove(removed[j], shape, to);
    });
    found.forwards += owner.size();
    for (std::size_t j = 0; j < owner.size(); ++j) {
      found.images[owner[j]].confidence.push_back(answers.probabilities[j]);
      found.images[owner[j]].labels.push_back(answers.labels[j]);
    }
    return found;
  }

  [[nodiscard]] ablation elements_of(std::size_t i, std::span<float const> image, image_shape const& shape) const {
    detail::thumbnail const small(image, shape, 64);
    auto const shorter = static_cast<float>(std::min(small.height, small.width));
    std::vector<std::size_t> sides;
    for (float side = smallest * shorter; side <= greatest * shorter * 1.001f; side *= std::sqrt(2.f))
      if (auto const s = static_cast<std::size_t>(std::lround(side)); s >= 2 && (sides.empty() || s > sides.back())) sides.push_back(s);
    auto const group = detail::most_repeated(small, sides, similarity, contrast);
    ablation a;
    if (group.places.size() < 2) return a;
    std::size_t const side = group.side * small.scale;
    for (auto place = group.places.rbegin(); place != group.places.rend(); ++place)
      a.elements.push_back({i, place->top * small.scale, place->left * small.scale, side, side});
    a.colours = filled<float, 2>({a.elements.size(), shape[0]});
    for (std::size_t k = 0; k < a.elements.size(); ++k) paint(a, k, image, shape);
    return a;
  }

  // The colour around element k.
  static void paint(ablation& a, std::size_t k, std::span<float const> image, image_shape const& shape) {
    patch_window const& w = a.elements[k];
    std::size_t const frame = std::max<std::size_t>(1, w.height / 8);
    auto const inside = [](patch_window const& e, std::size_t y, std::size_t x) {
      return y >= e.top && y < e.top + e.height && x >= e.left && x < e.left + e.width;
    };
    std::vector<std::size_t> around, between;  // pixels of the frame; of them those of no element
    for (std::size_t y = w.top - std::min(w.top, frame); y < std::min(shape[1], w.top + w.height + frame); ++y)
      for (std::size_t x = w.left - std::min(w.left, frame); x < std::min(shape[2], w.left + w.width + frame); ++x) {
        if (inside(w, y, x)) continue;
        around.push_back(y * shape[2] + x);
        if (std::ranges::none_of(a.elements, [&](patch_window const& e) { return inside(e, y, x); })) between.push_back(around.back());
      }
    auto const& frame_pixels = between.empty() ? around : between;
    std::size_t const area = shape[1] * shape[2];
    std::vector<double> values(frame_pixels.size()), distance(frame_pixels.size());  // of each pixel, and how far from the median of all
    for (std::size_t c = 0; c < shape[0]; ++c) {
      for (std::size_t j = 0; j < values.size(); ++j) values[j] = double{image[c * area + frame_pixels[j]]};
      double const median = detail::quantile_of(values, .5);
      for (std::size_t j = 0; j < values.size(); ++j) distance[j] += std::abs(values[j] - median);
    }
    std::size_t const nearest = frame_pixels[static_cast<std::size_t>(std::ranges::min_element(distance) - distance.begin())];
    for (std::size_t c = 0; c < shape[0]; ++c) a.colours(k, c) = image[c * area + nearest];
  }
};

}  // namespace pareidolia
