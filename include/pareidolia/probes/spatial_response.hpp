// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/patch_trials.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/background.hpp>
#include <pareidolia/probes/response_map.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace pareidolia {

/// How much one and the same patch evokes a class according to where it is: the spatial property of Ouarti and Carmona (2018), who found
/// two, sometimes three, decades between places.
///
/// Patch q of image x, alone on its background B, in each place u of a grid: P(u) = log10 p_c(B with x[q] at u), c its label, or what the
/// model sees in x where there are no labels. q is the window that evokes c most in its own place (as local_response finds it), unless
/// windows are given. Only the paper's abstract is known to us, so the protocol is ours, and so are its settings.
///
/// Cost: one forward for each place and two for each image; besides, where the patch is sought, one for each window. Memory: a copy of the
/// images and their backgrounds, a batch of images. Independent of `batch` as local_response is. Errors: a window that is larger than the
/// image, given windows of another size or number, labels that are not one for each image.
///
///     double const share = measure(spatial_response{.size = 32}, googlenet, photos).map.share_above(2);
struct spatial_response {
  std::size_t size = 32, stride = 8;     ///< pixels: of the patch, and between its places
  std::size_t local_stride = 8;          ///< between the windows among which the patch is sought
  std::vector<patch_window> given = {};  ///< the patch of each image, or one for all; empty: sought
  background where = {};
  std::size_t batch = 64;

  struct result {
    response_map map;                  ///< log10 p_c of the patch in each place
    std::vector<patch_window> chosen;  ///< (images), the patch
    std::vector<int> classes;          ///< (images), c
    std::vector<double> whole, empty;  ///< (images), log10 p_c of the image and of its background
    std::size_t forwards = 0;          ///< images that the model was shown

    [[nodiscard]] std::vector<named_figure> figures() const {
      std::vector<named_figure> all;
      detail::add_decades(all, map, "");
      return all;
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      return {named(prefix + "map", map.values), detail::named_windows(prefix + "chosen", chosen),
              detail::named_values(prefix + "classes", classes), detail::named_values(prefix + "whole", whole),
              detail::named_values(prefix + "empty", empty)};
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    where.check();
    window_grid const grid(detail::shape_of(x.shape), size, stride);
    detail::patch_trials trials("spatial_response", model, x, labels, batch);
    auto const canvases = where.canvases(trials.images());
    auto const moved = trials.chosen(as_view(canvases), size, local_stride, given);
    auto const p = trials.placed(moved, as_view(canvases), grid);
    return {.map = p.decades(),
            .chosen = moved.windows(),
            .classes = trials.classes(),
            .whole = detail::log10_of(trials.whole()),
            .empty = detail::log10_of(p.bare()),
            .forwards = trials.forwards()};
  }
};

}  // namespace pareidolia
