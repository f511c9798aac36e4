// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
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

/// A square window and the distance between neighbouring ones, in pixels.
struct window_size {
  std::size_t size = 32, stride = 16;
};

/// How much each part of an image, alone, evokes the image's class: the local property of Ouarti and Carmona (2018).
///
/// For each window w of image x, on its background B: L(w) = log10 p_c(B with x in w), c its label, or what the model sees in x where there
/// are no labels. Only the paper's abstract is known to us, so the protocol is ours, and so are sizes, strides and background.
///
/// Cost: one forward for each window, one for each image and one for each background and size of window. Memory: a copy of the images and
/// their backgrounds, a batch of images. The result does not depend on `batch`, but for the rounding of a model that computes batches of
/// another size otherwise. Errors: a window that is larger than the image, labels that are not one for each image.
///
///     auto const found = measure(local_response{.windows = {{32, 16}, {64, 16}}}, googlenet, photos);
///     double const decades = found.maps[0].decades(0);
struct local_response {
  std::vector<window_size> windows{window_size{}};
  background where = {};
  std::size_t batch = 64;

  struct result {
    std::vector<response_map> maps;    ///< log10 p_c of the windows, for each of their sizes
    std::vector<int> classes;          ///< (images), c
    std::vector<double> whole, empty;  ///< (images), log10 p_c of the image and of its background
    std::size_t forwards = 0;          ///< images that the model was shown

    [[nodiscard]] std::vector<named_figure> figures() const {
      std::vector<named_figure> all;
      for (auto const& map : maps) detail::add_decades(all, map, suffix(map, " of ", "/"));
      return all;
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      std::vector<named_array> all;
      for (auto const& map : maps) all.push_back(named(prefix + "map" + suffix(map, "_", "_"), map.values));
      all.push_back(detail::named_values(prefix + "classes", classes));
      all.push_back(detail::named_values(prefix + "whole", whole));
      all.push_back(detail::named_values(prefix + "empty", empty));
      return all;
    }

   private:
    /// Tells sizes apart where there are several.
    [[nodiscard]] std::string suffix(response_map const& map, char const* first, char const* between) const {
      return maps.size() == 1 ? "" : detail::text(first, map.grid.size, between, map.grid.stride);
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    if (windows.empty()) detail::fail("local_response: no sizes of windows; give at least one");
    where.check();
    std::vector<window_grid> grids;
    for (auto const& w : windows) grids.emplace_back(detail::shape_of(x.shape), w.size, w.stride);
    detail::patch_trials trials("local_response", model, x, labels, batch);
    auto const canvases = where.canvases(trials.images());
    patches const sources = trials.windows_of(grids);
    result found;
    std::size_t first = 0;  // source of this size
    for (window_grid const& grid : grids) {
      auto const p =
          trials.placed(sources, as_view(canvases), grid, [&](std::size_t i, std::size_t k) { return first + i * grid.count() + k; });
      first += trials.classes().size() * grid.count();
      found.maps.push_back(p.decades());
      found.empty = detail::log10_of(p.bare());
    }
    found.classes = trials.classes();
    found.whole = detail::log10_of(trials.whole());
    found.forwards = trials.forwards();
    return found;
  }
};

}  // namespace pareidolia
