// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/detail/report/hanging.hpp>
#include <pareidolia/detail/report/strips.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/curvature_ratio.hpp>
#include <pareidolia/probes/nearest_boundary.hpp>
#include <pareidolia/probes/subspace_noise.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

// What the probes of principal curvatures and of curved subspaces found, as parts of a report.

namespace pareidolia {

/// What principal_curvatures finds, by its members, so that reports need no eigenvalue solver.
template <class R>
concept PrincipalCurvatures = requires(R const& r, std::size_t i) {
  { r.boundary } -> std::convertible_to<boundary_points>;
  { r.extremes } -> std::convertible_to<std::size_t>;
  { r.curvatures } -> std::convertible_to<tensor<double, 2>>;
  { r.directions } -> std::convertible_to<tensor<float, 3>>;
  { r.curvature(i, i) } -> std::convertible_to<double>;
};

namespace detail {

/// A direction as a picture: 0 is mid-grey, and a value of the 99.5 % quantile of magnitudes is black or white, or full colour.
[[nodiscard]] inline tensor<float, 3> picture_of(std::span<float const> direction, image_shape const& shape) {
  std::vector<double> magnitudes;
  for (float const v : direction) magnitudes.push_back(std::abs(double{v}));
  double const full = quantile_of(std::move(magnitudes), .995);
  auto result = filled<float, 3>({shape[0], shape[1], shape[2]}, .5f);
  if (full > 0)
    std::ranges::transform(direction, result.begin(),
                           [&](float v) { return static_cast<float>(std::clamp(.5 + double{v} / (2 * full), 0., 1.)); });
  return result;
}

/// Ranks of n sorted values that tell how they fall: all near either end, and some between.
[[nodiscard]] inline std::vector<std::size_t> telling_ranks(std::size_t n) {
  constexpr std::size_t near = 60, between = 270;
  std::vector<std::size_t> ranks;
  if (n <= 2 * near + between) {
    ranks.resize(n);
    std::iota(ranks.begin(), ranks.end(), std::size_t{0});
    return ranks;
  }
  for (std::size_t j = 0; j < near; ++j) ranks.push_back(j);
  for (std::size_t j = 0; j < between; ++j) ranks.push_back(near + j * (n - 2 * near) / between);
  for (std::size_t j = n - near; j < n; ++j) ranks.push_back(j);
  return ranks;
}

/// Mean and quartiles over images of the curvatures of these columns.
template <class R>
[[nodiscard]] line profile_of(std::string name, R const& found, std::vector<std::size_t> const& columns, bool from_the_end) {
  line l{std::move(name), {}, {}};
  for (std::size_t const j : columns) {
    std::vector<double> values;
    for (std::size_t const i : found.boundary.found()) values.push_back(found.curvatures(i, j));
    if (values.empty()) continue;
    l.x.push_back(static_cast<double>(from_the_end ? found.curvatures.shape()[1] - j : j + 1));
    l.y.push_back(std::accumulate(values.begin(), values.end(), 0.) / static_cast<double>(values.size()));
    l.low.push_back(quantile_of(values, .25));
    l.high.push_back(quantile_of(values, .75));
  }
  return l;
}

}  // namespace detail

/// How principal curvatures fall: mean and quartiles over the images of the largest, of the next, and so on. Of extremes alone there are
/// two lines, the largest and the smallest, both from the outermost one.
template <PrincipalCurvatures R>
[[nodiscard]] chart chart_of(std::string title, std::vector<measurement<R>> const& found) {
  chart c{std::move(title),
          "Principal curvatures of the boundary, sorted: mean and quartiles over the images. Positive: it bends around the image.", "rank",
          "principal curvature"};
  c.references = {{"flat boundary", {-INFINITY, INFINITY}, {0, 0}}};
  for (auto const& [model, result] : found) {
    std::size_t const count = result.curvatures.shape()[1], d = result.directions.shape()[2];
    if (count + 1 == d) {
      c.lines.push_back(detail::profile_of(model, result, detail::telling_ranks(count), false));
      continue;
    }
    c.x_name = "rank, from either end";
    std::vector<std::size_t> columns(result.extremes);
    std::iota(columns.begin(), columns.end(), std::size_t{0});
    c.lines.push_back(detail::profile_of(model + ", largest", result, columns, false));
    for (std::size_t& j : columns) j = count - 1 - j;
    c.lines.push_back(detail::profile_of(model + ", smallest", result, columns, true));
  }
  return c;
}

/// The directions in which boundaries bend most, in pictures: a row for each image, with the image and `each` directions in the order of
/// |kappa|. Mid-grey is 0.
///
/// `images` are those that were measured; the first `most` whose boundary was found are shown. Errors: images of another number or shape.
template <PrincipalCurvatures R>
[[nodiscard]] gallery gallery_of(std::string title, R const& found, labelled_images const& images, std::size_t most, std::size_t each = 8) {
  auto const& s = images.images.shape();
  std::size_t const d = found.directions.shape()[2];
  if (images.size() != found.boundary.size() || s[1] * s[2] * s[3] != d)
    detail::fail("gallery_of: ", images.size(), " images of ", s[1], "x", s[2], "x", s[3], " for a result of ", found.boundary.size(),
                 " of ", d, " values; give those that were measured");
  gallery g{std::move(title), "Each image, and the directions in which the boundary near it bends most; mid-grey is 0."};
  g.wide = true;
  for (std::size_t const i : found.boundary.found()) {
    if (g.pictures.size() == most) break;
    std::vector<std::size_t> order(2 * found.extremes);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t j) { return std::abs(found.curvature(i, j)); });
    order.resize(std::min(order.size(), each));
    auto strip = filled<float, 4>({order.size() + 1, s[1], s[2], s[3]});
    std::ranges::copy(as_view(images.images).row(i), as_view(strip).row(0).begin());
    std::string caption = "image " + std::to_string(i) + ": curvatures";
    for (std::size_t k = 0; k < order.size(); ++k) {
      auto const shown = detail::picture_of(as_view(found.directions).row(i).subspan(order[k] * d, d), {s[1], s[2], s[3]});
      std::ranges::copy(shown, as_view(strip).row(k + 1).begin());
      caption += (k == 0 ? " " : ", ") + detail::scale_number(found.curvature(i, order[k]));
    }
    g.pictures.push_back({std::move(caption), detail::strip_of(strip)});
  }
  return g;
}

/// Directions of images, (m, d), in pictures: the first `most`. Mid-grey is 0. Errors: a shape of another number of values.
[[nodiscard]] inline gallery gallery_of(std::string title, tensor<float, 2> const& directions, image_shape const& shape, std::size_t most) {
  if (shape[0] * shape[1] * shape[2] != directions.shape()[1])
    detail::fail("gallery_of: directions have ", directions.shape()[1], " values, images of ", shape[0], "x", shape[1], "x", shape[2],
                 " do not");
  gallery g{std::move(title), "Mid-grey is 0."};
  for (std::size_t j = 0; j < std::min(most, directions.shape()[0]); ++j)
    g.pictures.push_back({"direction " + std::to_string(j + 1), detail::picture_of(as_view(directions).row(j), shape)});
  return g;
}

/// How much more boundaries bend in given directions than in random ones: median and quartiles over the images. Ratios below 1/1000 are
/// drawn there.
[[nodiscard]] inline chart chart_of(std::string title, std::vector<measurement<curvature_ratio::result>> const& found) {
  chart c{std::move(title), "Curvature in given directions, beside its mean over random ones. Median and quartiles of the images.",
          "direction", "ratio of curvatures"};
  c.y_scale = axis_scale::logarithmic;
  c.references = {{"random directions", {-INFINITY, INFINITY}, {1, 1}}};
  for (auto const& [name, result] : found) {
    line l{name, {}, {}};
    for (std::size_t j = 0; j < result.ratio.shape()[1]; ++j) {
      std::vector<double> values;
      for (std::size_t const i : result.boundary.found())
        if (std::isfinite(result.ratio(i, j))) values.push_back(std::max(1e-3, result.ratio(i, j)));
      if (values.empty()) continue;
      l.x.push_back(static_cast<double>(j + 1));
      l.y.push_back(detail::quantile_of(values, .5));
      l.low.push_back(detail::quantile_of(values, .25));
      l.high.push_back(detail::quantile_of(values, .75));
    }
    c.lines.push_back(std::move(l));
  }
  return c;
}

/// How often noise changes the class: the share over its norm, with its standard error, for each subspace that it was drawn in. The axis of
/// the norms is logarithmic unless one of them is 0.
[[nodiscard]] inline chart chart_of(std::string title, std::vector<measurement<subspace_noise::result>> const& found) {
  chart c{std::move(title), "Images whose class noise of a norm changes. Bars: one standard error.", "norm of the noise",
          "share of images"};
  c.y_shown = {0, 1};
  if (std::ranges::all_of(found, [](auto const& one) { return std::ranges::all_of(one.result.norms, [](double rho) { return rho > 0; }); }))
    c.x_scale = axis_scale::logarithmic;
  for (auto const& [name, result] : found) {
    line l{name, result.norms, result.share, {}, {}, line_style::joined_points};
    for (std::size_t r = 0; r < l.y.size(); ++r) {
      l.low.push_back(std::max(0., l.y[r] - result.standard_error[r]));
      l.high.push_back(std::min(1., l.y[r] + result.standard_error[r]));
    }
    c.lines.push_back(std::move(l));
  }
  return c;
}

}  // namespace pareidolia
