// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/report/strips.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>
#include <pareidolia/io/histogram.hpp>
#include <pareidolia/io/model_table.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/boundary_curvature.hpp>
#include <pareidolia/probes/boundary_flatness.hpp>
#include <pareidolia/probes/region_convexity.hpp>
#include <pareidolia/probes/region_path.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

// What the probes of classification regions found, as parts of a report: a line or histogram for each model.

namespace pareidolia {
namespace detail {

/// The paths that a gallery shows, numbers of those of a result: at most `most`, half of them those that are least straight, in falling
/// order, half of them those that are most.
[[nodiscard]] inline std::vector<std::size_t> paths_shown(region_path::result const& found, std::size_t most) {
  std::vector<std::size_t> all;
  for (std::size_t p = 0; p < found.paths.size(); ++p)
    if (found.paths[p].anchors.shape()[0] > 1) all.push_back(p);
  auto const bent = [&](std::size_t p) { return found.paths[p].connected ? found.paths[p].straightness : INFINITY; };
  std::ranges::stable_sort(all, [&](std::size_t a, std::size_t b) { return bent(a) > bent(b); });
  std::size_t const shown = std::min(most, all.size()), first = (shown + 1) / 2;
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(first), all.end() - static_cast<std::ptrdiff_t>(shown - first));
  return all;
}

[[nodiscard]] inline std::string path_caption(region_path::path const& p, std::span<std::string const> class_names) {
  std::string const from = class_text(p.label, class_names) + ": image " + std::to_string(p.first) + " to " +
                           (p.second == region_path::path::no_image ? "noise" : "image " + std::to_string(p.second)) + ", ";
  if (!p.connected) return from + "not connected; as far as a path was found";
  std::size_t const anchors = p.anchors.shape()[0];
  return from + (anchors == 2 ? "straight" : plural(anchors, "anchor") + ", straightness " + figure_text(p.straightness));
}

}  // namespace detail

/// Paths in pictures: `length` images along each, evenly spaced, from one end to the other. Values outside [0, 1] are shown as the nearest
/// end.
///
/// At most `most` paths are shown, half of them the least straight ones, first of all those of pairs that were not connected. `shape` is
/// that of the images. Errors: those of path_strip.
[[nodiscard]] inline gallery gallery_of(std::string title, region_path::result const& found, image_shape const& shape, std::size_t most,
                                        std::span<std::string const> class_names = {}, std::size_t length = 9) {
  gallery g{std::move(title), "Each row is a path inside one region, from end to end."};
  g.wide = true;
  for (std::size_t const p : detail::paths_shown(found, most))
    g.pictures.push_back({detail::path_caption(found.paths[p], class_names), detail::strip_of(path_strip(found.paths[p], shape, length))});
  return g;
}

/// How straight paths are: which share of all pairs is connected by a path at most so much longer than the straight line. A line starts at
/// the share that is connected by the straight line itself and ends at the share that is connected at all.
[[nodiscard]] inline chart chart_of(std::string title, std::vector<measurement<region_path::result>> const& found) {
  chart c{std::move(title),
          "Pairs connected by a path that is at most so much longer than the straight line between them. Lines start at the share that the "
          "straight line connects, and end at the share that any path connects.",
          "straightness − 1", "share of pairs"};
  c.x_scale = axis_scale::logarithmic;
  c.y_shown = {0, 1};
  double low = INFINITY, high = 0;
  std::vector<std::vector<double>> excesses;
  for (auto const& [model, result] : found) {
    excesses.emplace_back();
    for (auto const& p : result.paths)
      if (p.connected && p.straightness - 1 > 1e-7) excesses.back().push_back(p.straightness - 1);
    std::ranges::sort(excesses.back());
    if (excesses.back().empty()) continue;
    low = std::min(low, excesses.back().front());
    high = std::max(high, excesses.back().back());
  }
  low = high > 0 ? std::pow(10., std::floor(std::log10(low))) : 1e-4;
  high = std::max(std::pow(10., std::ceil(std::log10(std::max(high, low)))), 10 * low);
  for (std::size_t k = 0; k < found.size(); ++k) {
    auto const& [model, result] = found[k];
    double const pairs = static_cast<double>(result.paths.size()), connected = result.share_connected();
    line l{model, {}, {}};
    if (result.paths.empty()) continue;
    auto const level = [&](double x, double y) { l.x.push_back(x), l.y.push_back(y); };
    std::size_t const bent = excesses[k].size();
    auto const share = [&](std::size_t i) { return connected - static_cast<double>(bent - i) / pairs; };
    level(low, share(0));
    for (std::size_t i = 0; i < bent; ++i) level(excesses[k][i], share(i)), level(excesses[k][i], share(i + 1));
    level(high, connected);
    c.lines.push_back(std::move(l));
  }
  return c;
}

/// How convex regions are: the share of combinations inside over the number of images combined, with its standard error.
[[nodiscard]] inline chart chart_of(std::string title, std::vector<measurement<region_convexity::result>> const& found) {
  chart c{std::move(title), "Random convex combinations of images of one class that are of the class too. Bars: one standard error.",
          "images combined", "share in the region"};
  c.y_shown = {1};
  for (auto const& [model, result] : found) {
    line l{model, {}, {}, {}, {}, line_style::joined_points};
    for (auto const& e : result.entries) {
      l.x.push_back(static_cast<double>(e.k));
      l.y.push_back(e.share);
      l.low.push_back(std::max(0., e.share - e.standard_error));
      l.high.push_back(std::min(1., e.share + e.standard_error));
    }
    c.lines.push_back(std::move(l));
  }
  return c;
}

/// How flat boundaries are: median and quartiles of ||r_S|| / (sqrt(d/m) ||r||) over m. Dimensions are left out in whose subspaces less
/// than half of the boundaries were found; where less than three quarters were, the band ends at the greatest ratio.
[[nodiscard]] inline chart chart_of(std::string title, std::vector<measurement<boundary_flatness::result>> const& found) {
  chart c{std::move(title),
          "Distance of the boundary within a random subspace, beside that of a flat boundary: below 1 it bends around the images, above 1 "
          "away from them. Median and quartiles.",
          "dimension m of the subspace", "distance, flat boundary = 1"};
  c.x_scale = axis_scale::logarithmic;
  c.references = {{"flat boundary", {-INFINITY, INFINITY}, {1, 1}}};
  for (auto const& [model, result] : found) {
    std::vector<std::size_t> order(result.dimensions.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&r = result](std::size_t k) { return r.dimensions[k]; });
    line l{model, {}, {}};
    for (std::size_t const k : order) {
      double const median = result.quantile(k, .5), high = result.quantile(k, .75);
      if (!std::isfinite(median)) continue;
      double greatest = median;
      for (std::size_t const i : result.boundary.found())
        for (std::size_t s = 0; s < result.restricted.shape()[1]; ++s)
          if (std::isfinite(result.ratio(k, s, i))) greatest = std::max(greatest, result.ratio(k, s, i));
      l.x.push_back(static_cast<double>(result.dimensions[k]));
      l.y.push_back(median);
      l.low.push_back(result.quantile(k, .25));
      l.high.push_back(std::min(high, greatest));
    }
    c.lines.push_back(std::move(l));
  }
  return c;
}

/// How boundaries bend on average: a histogram of the images' mean curvature over random tangents.
[[nodiscard]] inline chart chart_of(std::string title, std::vector<measurement<boundary_curvature::result>> const& found) {
  std::vector<sample> samples;
  for (auto const& [model, result] : found) samples.push_back({model, result.mean});
  chart c = histogram_of(std::move(title), "mean curvature", samples);
  c.note =
      "Mean over random tangents, of each image. Positive: the boundary bends around the image. What is beyond is in the outermost parts.";
  c.y_name = "share of images";
  c.references = {{"flat boundary", {0, 0}, {-INFINITY, INFINITY}}};
  return c;
}

}  // namespace pareidolia
