// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/filters.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/patch_trials.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/background.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// Which patches of labelled images evoke their image's class most, alone on a background: the donors of a patch attack.
///
/// As local_response, for windows of one size; of each image the `per_image` strongest are kept, and of all these the strongest comes
/// first. Only the abstract of Ouarti and Carmona (2018) is known to us, so how donors are found is ours.
///
/// Cost, memory and errors as local_response; labels are needed.
///
///     auto const donors = measure(donor_ranking{.size = 48}, googlenet, photos).ranked;
///     attack const fool{patch{donors}, misclassification{}, map_elites{}};
struct donor_ranking {
  std::size_t size = 32, stride = 16;
  background where = {};
  std::size_t per_image = 1;
  std::size_t batch = 64;

  struct result {
    patches ranked;                     ///< strongest first: evokes = label of their image, strength = log10 p of it. They hold no more
                                        ///< than their own pixels: patch k is image k
    std::vector<patch_window> windows;  ///< of patch k, in the images that were measured
    std::size_t forwards = 0;           ///< images that the model was shown

    /// Median and greatest log10 p of the patches.
    [[nodiscard]] std::vector<named_figure> figures() const {
      auto const all = ranked.strength();
      return {{"strongest", double{all.front()}}, {"median strength", double{detail::percentile_of({all.begin(), all.end()}, 50)}}};
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      auto const images = ranked.images();
      return {{prefix + "patches", {images.shape.begin(), images.shape.end()}, {images.data, images.data + images.size()}},
              detail::named_windows(prefix + "windows", windows),
              detail::named_values(prefix + "evokes", std::vector<int>(ranked.evokes().begin(), ranked.evokes().end())),
              detail::named_values(prefix + "strength", std::vector<float>(ranked.strength().begin(), ranked.strength().end()))};
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    if (labels.empty()) detail::fail("donor_ranking: the images have no labels; give one for each, the class that its patches stand for");
    if (per_image == 0) detail::fail("donor_ranking: per_image is 0; give at least 1");
    where.check();
    window_grid const grid(detail::shape_of(x.shape), size, stride);
    detail::patch_trials trials("donor_ranking", model, x, labels, batch);
    auto const canvases = where.canvases(trials.images());
    patches const sources = trials.windows_of({grid});
    auto const p = trials.placed(sources, as_view(canvases), grid, [&](std::size_t i, std::size_t k) { return i * grid.count() + k; });

    struct candidate {
      double strength;
      std::size_t image, place;
    };
    auto const stronger = [](candidate const& a, candidate const& b) { return a.strength > b.strength; };
    std::vector<candidate> kept;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      std::vector<candidate> own;
      for (std::size_t k = 0; k < grid.count(); ++k) own.push_back({detail::decades_per_unit * p.places(i)[k], i, k});
      std::stable_sort(own.begin(), own.end(), stronger);
      own.resize(std::min(own.size(), per_image));
      kept.insert(kept.end(), own.begin(), own.end());
    }
    std::stable_sort(kept.begin(), kept.end(), stronger);

    std::vector<patch_window> windows, cut;
    std::vector<int> evokes;
    std::vector<float> strength;
    for (auto const& c : kept) {
      windows.push_back(grid(c.place, c.image));
      cut.push_back({cut.size(), 0, 0, size, size});
      evokes.push_back(labels[c.image]);
      strength.push_back(static_cast<float>(c.strength));
    }
    return {patches(pixels_of(trials.images(), windows), std::move(cut), std::move(evokes), std::move(strength)), std::move(windows),
            trials.forwards()};
  }

 private:
  /// (windows, channels, size, size)
  [[nodiscard]] tensor<float, 4> pixels_of(const_image_view<space::host> images, std::vector<patch_window> const& windows) const {
    auto const [count, channels, height, width] = images.shape;
    auto result = filled<float, 4>({windows.size(), channels, size, size});
    for (std::size_t k = 0; k < windows.size(); ++k) {
      auto const& w = windows[k];
      for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t y = 0; y < size; ++y)
          std::copy_n(images.row(w.image).data() + (c * height + w.top + y) * width + w.left, size, &result(k, c, y, 0));
    }
    return result;
  }
};

}  // namespace pareidolia
