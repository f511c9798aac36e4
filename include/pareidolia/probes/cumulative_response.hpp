// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/filters.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/patch_trials.hpp>
#include <pareidolia/encodings/patch.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/background.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia {

/// In which order copies of a patch are pasted.
enum class pasting_order : std::uint8_t { best_first, worst_first, random };
inline constexpr std::array<std::string_view, 3> pasting_orders{"best first", "worst first", "random"};  ///< what they are called

/// What copies of one patch do together: the cumulative property of Ouarti and Carmona (2018).
///
/// Patch q of image x in each place u of a grid on its background B has the gain G(u) = log p_c(B with x[q] at u) - log p_c(B), c the label
/// of x, or what the model sees in x where there are no labels; q is chosen as spatial_response does. Then copies are pasted on B, one
/// after the other, by falling gain, by rising gain, and in a random order of all places; log10 p_c is kept after each copy. The gains are
/// those of single copies: they are not measured anew. A place where the copy would cover another one is left out, unless `overlap`, so
/// there may be fewer copies than wanted. Only the paper's abstract is known to us, so the protocol is ours, and so are its settings.
///
/// Cost: that of spatial_response, and up to 3 (copies - 1) forwards for each image. Memory as there; independent of `batch` as
/// local_response is. Errors: as spatial_response, no copies.
///
///     auto const found = measure(cumulative_response{.random = rng{1}, .size = 32}, googlenet, photos);
///     auto const median = found.quantile(pasting_order::best_first, .5);
struct cumulative_response {
  rng random;                            ///< of the random order: image i draws from its stream i
  std::size_t size = 32, stride = 8;     ///< pixels: of the patch, and between its places
  std::size_t local_stride = 8;          ///< between the windows among which the patch is sought
  std::vector<patch_window> given = {};  ///< the patch of each image, or one for all; empty: sought
  background where = {};
  std::size_t copies = 8;
  bool overlap = false;
  std::size_t batch = 64;

  struct result {
    window_grid grid;
    tensor<float, 3> curves;           ///< (images, 3, copies + 1), log10 p_c after each copy, from none on; after the last one it stays
    tensor<std::size_t, 2> pasted;     ///< (images, 3), copies that there was room for
    tensor<std::size_t, 3> places;     ///< (images, 3, copies), places of the grid in the order of pasting; the first pasted(i, o) count
    std::vector<patch_window> chosen;  ///< (images), the patch
    std::vector<int> classes;          ///< (images), c
    std::vector<double> whole;         ///< (images), log10 p_c of the image
    std::size_t forwards = 0;          ///< images that the model was shown

    [[nodiscard]] std::span<float const> curve(std::size_t i, pasting_order order) const {
      std::size_t const length = curves.shape()[2];
      return as_view(curves).row(i).subspan(static_cast<std::size_t>(order) * length, length);
    }
    /// What all copies of image i add, in decades.
    [[nodiscard]] double decades(std::size_t i, pasting_order order) const {
      auto const c = curve(i, order);
      return double{c.back()} - double{c.front()};
    }
    /// (copies + 1), the value below which the share q of the images' curves is, after each copy: 0.5 is their median.
    [[nodiscard]] std::vector<double> quantile(pasting_order order, double q) const {
      std::vector<double> line;
      for (std::size_t s = 0; s < curves.shape()[2]; ++s) {
        std::vector<float> values;
        for (std::size_t i = 0; i < curves.shape()[0]; ++i) values.push_back(curve(i, order)[s]);
        line.push_back(double{detail::percentile_of(std::move(values), static_cast<float>(100 * q))});
      }
      return line;
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      std::vector<named_figure> all;
      for (std::size_t o = 0; o < pasting_orders.size(); ++o) {
        auto const order = static_cast<pasting_order>(o);
        std::string const name(pasting_orders[o]);
        std::vector<float> added;
        for (std::size_t i = 0; i < classes.size(); ++i) added.push_back(static_cast<float>(decades(i, order)));
        auto const raised = std::count_if(added.begin(), added.end(), [](float d) { return d > 0; });
        all.emplace_back("median decades added, " + name, double{detail::percentile_of(added, 50)});
        all.emplace_back("share raised, " + name, static_cast<double>(raised) / static_cast<double>(added.size()));
      }
      return all;
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      named_array counts{prefix + "pasted", {pasted.shape()[0], pasted.shape()[1]}, {}};
      for (std::size_t const n : pasted) counts.values.push_back(static_cast<float>(n));
      return {named(prefix + "curves", curves), std::move(counts), detail::named_windows(prefix + "chosen", chosen),
              detail::named_values(prefix + "classes", classes), detail::named_values(prefix + "whole", whole)};
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    if (copies == 0) detail::fail("cumulative_response: copies is 0; give at least 1");
    where.check();
    window_grid const grid(detail::shape_of(x.shape), size, stride);
    detail::patch_trials trials("cumulative_response", model, x, labels, batch);
    auto const canvases = where.canvases(trials.images());
    auto const moved = trials.chosen(as_view(canvases), size, local_stride, given);
    auto const single = trials.placed(moved, as_view(canvases), grid);

    constexpr std::size_t orders = pasting_orders.size();
    std::size_t const n = trials.classes().size();
    result found{.grid = grid,
                 .curves = filled<float, 3>({n, orders, copies + 1}),
                 .pasted = filled<std::size_t, 2>({n, orders}),
                 .places = filled<std::size_t, 3>({n, orders, copies}),
                 .chosen = moved.windows(),
                 .classes = trials.classes(),
                 .whole = detail::log10_of(trials.whole())};
    std::vector<step> steps;  // from the second copy on: the first has been seen
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t o = 0; o < orders; ++o) {
        auto const places = chosen_places(grid, single.places(i), static_cast<pasting_order>(o), i);
        std::copy(places.begin(), places.end(), &found.places(i, o, 0));
        found.pasted(i, o) = places.size();
        for (std::size_t s = 2; s <= places.size(); ++s) steps.push_back({i, o, s});
      }
    auto const p =
        trials.answers({.sources = moved.sources}, as_view(canvases), copies, steps.size(), [&](std::size_t k, std::span<placement> list) {
          auto const& [i, o, s] = steps[k];
          for (std::size_t c = 0; c < s; ++c) list[c] = trials.placed_at(moved.index[i], grid(found.places(i, o, c)));
          return i;
        });
    for (std::size_t i = 0, k = 0; i < n; ++i)
      for (std::size_t o = 0; o < orders; ++o) {
        double value = single.log_p(i, grid.count());
        for (std::size_t c = 0; c <= copies; ++c) {
          if (c == 1) value = single.log_p(i, found.places(i, o, 0));
          if (c > 1 && c <= found.pasted(i, o)) value = p[k++];
          found.curves(i, o, c) = static_cast<float>(detail::decades_per_unit * value);
        }
      }
    found.forwards = trials.forwards();
    return found;
  }

 private:
  struct step {
    std::size_t image, order, copies;
  };

  /// The places of image i that get a copy, in order; of equal gains the first place comes first.
  [[nodiscard]] std::vector<std::size_t> chosen_places(window_grid const& grid, std::span<double const> gain, pasting_order order,
                                                       std::size_t i) const {
    std::vector<std::size_t> all(grid.count()), result;
    std::iota(all.begin(), all.end(), std::size_t{0});
    if (order == pasting_order::random) {
      auto stream = random.stream(i);
      shuffle(std::span(all), stream);
    } else {
      double const sign = order == pasting_order::best_first ? 1 : -1;
      std::stable_sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) { return sign * gain[a] > sign * gain[b]; });
    }
    for (std::size_t const place : all) {
      if (result.size() == copies) break;
      if (overlap || std::none_of(result.begin(), result.end(), [&](std::size_t other) { return meet(grid(place), grid(other)); }))
        result.push_back(place);
    }
    return result;
  }
  [[nodiscard]] static bool meet(patch_window const& a, patch_window const& b) {
    return a.top < b.top + b.height && b.top < a.top + a.height && a.left < b.left + b.width && b.left < a.left + a.width;
  }
};

}  // namespace pareidolia
