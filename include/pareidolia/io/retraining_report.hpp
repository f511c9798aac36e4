// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/mann_whitney.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/detail/report/strips.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>
#include <pareidolia/models/retraining.hpp>

#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

// What a retraining found, as parts of a report. Networks against which no evolution has ended are left out.

namespace pareidolia {

namespace detail {

[[nodiscard]] inline std::string network_name(std::size_t round) { return "DNN" + std::to_string(round + 1); }

/// p = 0.0034, or 2.1e-09 where it is small.
[[nodiscard]] inline std::string probability_text(double p) {
  char digits[32];
  std::snprintf(digits, sizeof digits, p < 1e-3 ? "%.1e" : "%.3f", p);
  return digits;
}

}  // namespace detail

/// A row for each network: how well it does, how well it is fooled, the medians that someone published, and whether the values of the last
/// generation differ from those of the first network.
[[nodiscard]] inline table table_of(std::string title, std::vector<retraining_round> const& rounds,
                                    std::span<double const> published = {}) {
  table t{std::move(title),
          "Medians are of the confidence of images in the class they were evolved for, over classes and runs. Noticed: share of the images "
          "of the last generations that the network labels as fooling. p: two-sided test of Mann and Whitney against DNN1; images of one "
          "run have ancestors in common, so that it is too small.",
          {"network", "images", "test error", "median at first", "median", "published", "noticed", "p"}};
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    retraining_round const& r = rounds[i];
    if (r.evolved.empty()) break;
    auto const percent = [](double share) { return detail::fixed(100 * share, 2) + " %"; };
    t.rows.push_back({detail::network_name(i), detail::grouped(r.images), percent(1 - r.accuracy), percent(r.initial_median()),
                      percent(r.median()), i < published.size() ? percent(published[i]) : "-", percent(r.noticed),
                      i == 0 ? "-" : detail::probability_text(mann_whitney(r.evolved, rounds.front().evolved).p)});
  }
  return t;
}

/// Medians of the first and of the last generation over the networks, with quartiles, and the published ones.
[[nodiscard]] inline chart chart_of(std::string title, std::vector<retraining_round> const& rounds,
                                    std::span<double const> published = {}) {
  chart c{std::move(title), "The bands are quartiles.", "network", "confidence"};
  c.y_shown = {0, 1};
  line last{"last generation", {}, {}}, first{"first generation", {}, {}}, other{"published", {}, {}};
  for (line* const l : {&last, &first, &other}) l->style = line_style::joined_points;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    if (rounds[i].evolved.empty()) break;
    double const x = static_cast<double>(i + 1);
    auto const add = [x](line& l, std::vector<float> const& values) {
      std::vector<double> const wide(values.begin(), values.end());
      l.x.push_back(x);
      l.y.push_back(detail::quantile_of(wide, .5));
      l.low.push_back(detail::quantile_of(wide, .25));
      l.high.push_back(detail::quantile_of(wide, .75));
    };
    add(last, rounds[i].evolved);
    add(first, rounds[i].initial);
    if (i < published.size()) other.x.push_back(x), other.y.push_back(published[i]);
  }
  c.lines = {std::move(last), std::move(first)};
  if (!other.x.empty()) c.lines.push_back(std::move(other));
  return c;
}

/// For each network the champions of one run as a strip, in the order of their classes.
[[nodiscard]] inline gallery gallery_of(std::string title, std::vector<retraining_round> const& rounds) {
  gallery g{.title = std::move(title), .note = "The last generation of the first run, class by class.", .wide = true};
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    if (rounds[i].evolved.empty()) break;
    std::size_t const n = rounds[i].champions.shape()[0];
    std::vector<double> const shown(rounds[i].evolved.begin(), rounds[i].evolved.begin() + static_cast<std::ptrdiff_t>(n));
    g.pictures.push_back(
        {"against " + detail::network_name(i) + ", median " + detail::fixed(100 * detail::quantile_of(shown, .5), 2) + " %",
         detail::strip_of(rounds[i].champions)});
  }
  return g;
}

/// The values of all runs, "DNN1.initial" and "DNN1.evolved" (runs x classes), for result.safetensors.
[[nodiscard]] inline std::vector<named_array> arrays_of(std::vector<retraining_round> const& rounds) {
  std::vector<named_array> arrays;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    retraining_round const& r = rounds[i];
    if (r.evolved.empty()) break;
    std::vector<std::size_t> const shape{r.evolved.size() / r.champions.shape()[0], r.champions.shape()[0]};
    arrays.push_back({detail::network_name(i) + ".initial", shape, r.initial});
    arrays.push_back({detail::network_name(i) + ".evolved", shape, r.evolved});
  }
  return arrays;
}

}  // namespace pareidolia
