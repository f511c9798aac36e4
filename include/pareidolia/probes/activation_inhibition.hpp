// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/patch_trials.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/background.hpp>
#include <pareidolia/probes/response_map.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace pareidolia {

/// What a patch is added to.
enum class base_kind {
  background,  ///< that of its image
  image,       ///< the image it comes from
  others,      ///< images of the caller's
};

/// Where a patch raises the probability of a class and where it lowers it: the activators and inhibitors of Ouarti and Carmona (2018).
///
/// The gain of patch q of image x at place u of a grid: G(u) = log p_c(base with x[q] at u) - log p_c(base), natural logarithms, c the
/// label of x, or what the model sees in x where there are no labels. A place is an activator where G(u) > threshold, an inhibitor where
/// G(u) < -threshold. q is chosen as spatial_response does. Only the paper's abstract is known to us, so the protocol is ours: the default
/// threshold, 0.1, is a change of the probability by a tenth.
///
/// Cost and memory as spatial_response; independent of `batch` as local_response is. Errors: as spatial_response, a negative threshold,
/// other images that are not as many as the images or one, or of another shape.
///
///     auto const found = measure(activation_inhibition{.size = 32, .base = base_kind::image}, googlenet, photos);
///     auto const inhibitors = found.inhibitors(0);
struct activation_inhibition {
  std::size_t size = 32, stride = 8;     ///< pixels: of the patch, and between its places
  std::size_t local_stride = 8;          ///< between the windows among which the patch is sought
  std::vector<patch_window> given = {};  ///< the patch of each image, or one for all; empty: sought
  background where = {};                 ///< on which the patch is sought, and the base
  base_kind base = base_kind::background;
  tensor<float, 4> others = filled<float, 4>({0, 0, 0, 0});  ///< (images or 1, channels, height, width) in [0, 1], for base_kind::others
  double threshold = .1;
  std::size_t batch = 64;

  struct result {
    response_map gain;                 ///< G, natural logarithms
    double threshold = 0;              ///< as it was measured with
    std::vector<patch_window> chosen;  ///< (images), the patch
    std::vector<int> classes;          ///< (images), c
    std::vector<double> whole, base;   ///< (images), log p_c of the image and of the base, natural logarithms
    std::size_t forwards = 0;          ///< images that the model was shown

    /// How many places of image i are activators, and inhibitors.
    [[nodiscard]] std::size_t activators(std::size_t i) const { return count(i, 1); }
    [[nodiscard]] std::size_t inhibitors(std::size_t i) const { return count(i, -1); }
    /// The same as shares of all places of all images.
    [[nodiscard]] double share_of_activators() const { return share(1); }
    [[nodiscard]] double share_of_inhibitors() const { return share(-1); }
    /// Share of the images that have activators and inhibitors.
    [[nodiscard]] double share_with_both() const {
      std::size_t both = 0;
      for (std::size_t i = 0; i < gain.size(); ++i) both += activators(i) > 0 && inhibitors(i) > 0;
      return static_cast<double>(both) / static_cast<double>(gain.size());
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      return {{"share of activators", share_of_activators()},
              {"share of inhibitors", share_of_inhibitors()},
              {"share of images with both", share_with_both()}};
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      return {named(prefix + "gain", gain.values), detail::named_windows(prefix + "chosen", chosen),
              detail::named_values(prefix + "classes", classes), detail::named_values(prefix + "whole", whole),
              detail::named_values(prefix + "base", base)};
    }

   private:
    [[nodiscard]] std::size_t count(std::size_t i, double sign) const {
      return static_cast<std::size_t>(
          std::count_if(gain.of(i).begin(), gain.of(i).end(), [&](float g) { return sign * double{g} > threshold; }));
    }
    [[nodiscard]] double share(double sign) const {
      std::size_t sum = 0;
      for (std::size_t i = 0; i < gain.size(); ++i) sum += count(i, sign);
      return static_cast<double>(sum) / static_cast<double>(gain.values.size());
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    check(x.shape);
    where.check();
    window_grid const grid(detail::shape_of(x.shape), size, stride);
    detail::patch_trials trials("activation_inhibition", model, x, labels, batch);
    auto const canvases = where.canvases(trials.images());
    auto const moved = trials.chosen(as_view(canvases), size, local_stride, given);
    auto const below = base == base_kind::background ? as_view(canvases) : base == base_kind::image ? trials.images() : as_view(others);
    auto const p = trials.placed(moved, below, grid);
    return {.gain = p.gains(),
            .threshold = threshold,
            .chosen = moved.windows(),
            .classes = trials.classes(),
            .whole = trials.whole(),
            .base = p.bare(),
            .forwards = trials.forwards()};
  }

 private:
  void check(std::array<std::size_t, 4> const& images) const {
    if (!(threshold >= 0)) detail::fail("activation_inhibition: threshold is ", threshold, "; give natural logarithms, at least 0");
    if (base != base_kind::others) return;
    auto const& s = others.shape();
    if ((s[0] != images[0] && s[0] != 1) || !std::equal(images.begin() + 1, images.end(), s.begin() + 1))
      detail::fail("activation_inhibition: others are ", s[0], " images of ", s[1], "x", s[2], "x", s[3],
                   "; give one, or as many as there are images, of their shape ", images[1], "x", images[2], "x", images[3]);
    if (!std::all_of(others.begin(), others.end(), [](float v) { return v >= 0 && v <= 1; }))
      detail::fail("activation_inhibition: a pixel of others is not in [0, 1]; scale them");
  }
};

}  // namespace pareidolia
