// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/report/hanging.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/io/findings.hpp>
#include <pareidolia/io/heat_map.hpp>
#include <pareidolia/probes/activation_inhibition.hpp>
#include <pareidolia/probes/cumulative_response.hpp>
#include <pareidolia/probes/local_response.hpp>
#include <pareidolia/probes/spatial_response.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

// What the probes of patches found, as parts of a report.

namespace pareidolia {
namespace detail {

/// The images that a gallery shows, numbers of those of a map: at most `most`, half of them those with the most decades, in falling order,
/// half of them those with the least.
[[nodiscard]] inline std::vector<std::size_t> extremes(response_map const& map, std::size_t most) {
  std::vector<std::size_t> all(map.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::stable_sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) { return map.decades(a) > map.decades(b); });
  std::size_t const shown = std::min(most, all.size()), first = (shown + 1) / 2;
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(first), all.end() - static_cast<std::ptrdiff_t>(shown - first));
  return all;
}

/// Image i of a batch alone: (channels, height, width).
[[nodiscard]] inline tensor<float, 3> image_of(labelled_images const& images, std::size_t i) {
  auto const& s = images.images.shape();
  auto result = filled<float, 3>({s[1], s[2], s[3]});
  auto const pixels = as_view(images.images).row(i);
  std::copy(pixels.begin(), pixels.end(), result.begin());
  return result;
}

/// The image, faded and in grey but for a window.
[[nodiscard]] inline tensor<float, 3> only_window(tensor<float, 3> image, patch_window const& w) {
  auto const [channels, height, width] = as_view(image).shape;
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      if (y >= w.top && y < w.top + w.height && x >= w.left && x < w.left + w.width) continue;
      float const faded = .4f + .35f * grey_at(as_view(image), y, x);
      for (std::size_t c = 0; c < channels; ++c) image(c, y, x) = faded;
    }
  return image;
}

/// The rectangle over which a map spreads, so that each block has a window's centre in its middle.
[[nodiscard]] inline map_extent extent_of(window_grid const& g) {
  auto const number = [](std::size_t n) { return static_cast<double>(n); };
  double const margin = (number(g.size) - number(g.stride)) / 2;
  return {number(g.top) + margin, number(g.left) + margin, number(g.rows * g.stride), number(g.columns * g.stride)};
}

[[nodiscard]] inline picture map_picture(std::string caption, tensor<float, 3> image, response_map const& map, std::size_t i,
                                         heat_scale scale) {
  auto values = filled<float, 2>({map.grid.rows, map.grid.columns});
  std::copy(map.of(i).begin(), map.of(i).end(), values.begin());
  return {std::move(caption), std::move(image), std::move(values), std::move(scale), extent_of(map.grid)};
}

/// A probability as a percentage, from its logarithm to the base 10: small ones with two digits.
[[nodiscard]] inline std::string percentage_of(double log10_p) {
  return log10_p < -2 ? general(100 * std::pow(10., log10_p), 2) + " %" : percentage(-std::expm1(log10_p * std::numbers::ln10));
}

[[nodiscard]] inline std::string image_caption(std::size_t i, int k, double log10_p, std::span<std::string const> class_names) {
  return "image " + std::to_string(i) + ": " + class_text(k, class_names) + ", " + percentage_of(log10_p);
}

/// Errors: images that are not those of a map and of the patches chosen for it.
inline void check_gallery(response_map const& map, labelled_images const& images, std::vector<patch_window> windows = {}) {
  if (map.size() != images.size())
    fail("gallery_of: ", images.size(), " images for a result of ", map.size(), "; give those that were measured");
  auto const& s = images.images.shape();
  windows.push_back(map.grid(map.grid.count() - 1));
  for (patch_window const& w : windows)
    if (w.image >= s[0] || w.top + w.height > s[2] || w.left + w.width > s[3])
      fail("gallery_of: a window of ", w.height, "x", w.width, " at (", w.top, ", ", w.left, ") of image ", w.image, " is not in the ",
           s[0], " images of ", s[2], "x", s[3], "; give those that were measured");
}

}  // namespace detail

/// What windows evoke alone, in pictures: of each image and size of windows the image, the map of log10 p over it, the window that
/// evokes the class most and the one that does least.
///
/// `images` are those that were measured; of them at most `most` are shown, half of them with the most, half with the least decades
/// (of the first size). Each map has its own scale. Errors: images of another number than the result's.
[[nodiscard]] inline gallery gallery_of(std::string title, local_response::result const& found, labelled_images const& images,
                                        std::size_t most, std::span<std::string const> class_names = {}) {
  if (found.maps.empty()) detail::fail("gallery_of: the result has no maps; give what local_response found");
  gallery g{std::move(title), "Each block is a window, alone on a background, and its colour how probable the class is then."};
  for (response_map const& map : found.maps) detail::check_gallery(map, images);
  for (std::size_t const i : detail::extremes(found.maps.front(), most)) {
    auto const image = detail::image_of(images, i);
    for (response_map const& map : found.maps) {
      auto const window = [&](char const* which, std::size_t place) {
        g.pictures.push_back({which + detail::percentage_of(double{map.of(i)[place]}), detail::only_window(image, map.grid(place))});
      };
      g.pictures.push_back({detail::image_caption(i, found.classes[i], found.whole[i], class_names), image});
      g.pictures.push_back(
          detail::map_picture(detail::fixed(map.decades(i), 2) + " decades between windows of " + std::to_string(map.grid.size) + " pixels",
                              image, map, i, {.unit = "log10 p"}));
      window("best window: ", map.best(i));
      window("worst window: ", map.worst(i));
    }
  }
  return g;
}

/// How many windows of all images evoke their class how much: a histogram of log10 p for each size of windows, in 40 equal parts. Errors: a
/// result without maps.
[[nodiscard]] inline chart chart_of(std::string title, local_response::result const& found) {
  if (found.maps.empty()) detail::fail("chart_of: the result has no maps; give what local_response found");
  chart c{std::move(title), "How many windows of all images evoke their class how much.", "log10 probability of the class", "windows"};
  constexpr std::size_t bins = 40;
  double low = -1;
  for (response_map const& map : found.maps)
    low = std::min(low, std::floor(double{*std::min_element(map.values.begin(), map.values.end())}));
  for (response_map const& map : found.maps) {
    line l{"windows of " + std::to_string(map.grid.size) + " pixels", {}, {}};
    for (std::size_t const n : map.histogram(low, 0, bins)) {
      l.x.push_back(low * (1 - (static_cast<double>(l.x.size()) + .5) / bins));
      l.y.push_back(static_cast<double>(n));
    }
    c.lines.push_back(std::move(l));
  }
  return c;
}

/// What a patch evokes in each place, in pictures: of each image the patch in the image that it is from, and the map of log10 p, where each
/// block is a place of the patch's centre on the background.
///
/// `images`, `most` and errors as above.
[[nodiscard]] inline gallery gallery_of(std::string title, spatial_response::result const& found, labelled_images const& images,
                                        std::size_t most, std::span<std::string const> class_names = {}) {
  gallery g{std::move(title), "Each block is a place of the patch, alone on a background, and its colour how probable the class is then."};
  detail::check_gallery(found.map, images, found.chosen);
  auto const& s = images.images.shape();
  for (std::size_t const i : detail::extremes(found.map, most)) {
    patch_window const& patch = found.chosen[i];
    g.pictures.push_back({"the patch of " + detail::image_caption(i, found.classes[i], found.whole[i], class_names),
                          detail::only_window(detail::image_of(images, patch.image), patch)});
    g.pictures.push_back(detail::map_picture(detail::fixed(found.map.decades(i), 2) + " decades between places",
                                             filled<float, 3>({1, s[2], s[3]}, .5f), found.map, i, {.unit = "log10 p"}));
  }
  return g;
}

/// Where a patch activates and where it inhibits, in pictures: of each image the patch in the image that it is from, and the map of the
/// gain, red where the patch raises the probability, blue where it lowers it, over what it was added to if that was the image (`base`, as
/// the probe was given).
///
/// `images`, `most` and errors as above.
[[nodiscard]] inline gallery gallery_of(std::string title, activation_inhibition::result const& found, labelled_images const& images,
                                        std::size_t most, std::span<std::string const> class_names = {},
                                        base_kind base = base_kind::background) {
  gallery g{std::move(title),
            "Each block is a place of the patch, and its colour what the patch adds to ln p there: red activates, blue inhibits."};
  detail::check_gallery(found.gain, images, found.chosen);
  auto const& s = images.images.shape();
  for (std::size_t const i : detail::extremes(found.gain, most)) {
    patch_window const& patch = found.chosen[i];
    g.pictures.push_back({"the patch of " + detail::image_caption(i, found.classes[i], found.whole[i] / std::numbers::ln10, class_names),
                          detail::only_window(detail::image_of(images, patch.image), patch)});
    g.pictures.push_back(
        detail::map_picture(detail::plural(found.activators(i), "activator") + ", " + detail::plural(found.inhibitors(i), "inhibitor") +
                                " of " + detail::plural(found.gain.grid.count(), "place"),
                            base == base_kind::image ? detail::image_of(images, i) : filled<float, 3>({1, s[2], s[3]}, .5f), found.gain, i,
                            {.colours = palette::diverging, .unit = "ln p"}));
  }
  return g;
}

/// What copies of a patch do together: the median over the images after each copy, between quartiles, in each order.
[[nodiscard]] inline chart chart_of(std::string title, cumulative_response::result const& found) {
  chart c{std::move(title), "Median and quartiles of " + detail::plural(found.classes.size(), "image") + ".", "copies of the patch",
          "log10 probability of the class"};
  for (std::size_t o = 0; o < pasting_orders.size(); ++o) {
    auto const order = static_cast<pasting_order>(o);
    line l{std::string(pasting_orders[o]), {}, found.quantile(order, .5), found.quantile(order, .25), found.quantile(order, .75)};
    for (std::size_t copies = 0; copies < l.y.size(); ++copies) l.x.push_back(static_cast<double>(copies));
    c.lines.push_back(std::move(l));
  }
  return c;
}

}  // namespace pareidolia
