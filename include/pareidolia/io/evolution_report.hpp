// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/lineage.hpp>
#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/detail/report/exhibit.hpp>
#include <pareidolia/detail/report/strips.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>
#include <pareidolia/io/histogram.hpp>
#include <pareidolia/io/model_table.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

// What evolutions over many classes found, as parts of a report.

namespace pareidolia {

/// One evolution: what a recorder wrote of it, and how many images each of its steps evaluated.
struct evolution {
  std::string name;  ///< runs of one name, such as those of several seeds, are drawn as one
  history log;
  std::size_t images = 200;  ///< per step: map_elites::children
};

/// The champions of one evolution after each generation.
struct ancestry {
  std::string name;
  genealogy family;
  std::size_t generations = 0;  ///< outcome::steps
};

/// Classes [first, last] that belong together.
struct class_zone {
  std::string name;
  std::size_t first = 0, last = 0;
};

/// Where Nguyen, Yosinski and Clune (CVPR 2015, section 3.4) found images of ImageNet's classes that convince least.
[[nodiscard]] inline class_zone dogs_and_cats() { return {"dogs and cats", 157, 286}; }

/// Medians over the 1000 classes that Nguyen, Yosinski and Clune (CVPR 2015) report for CaffeNet and ten crops, over images evaluated:
/// lines to compare with. CPPN: four points read by eye from their figure 12, the last of which the text gives as 88.11 % after 5000
/// generations of 400 images. Direct: 21.59 % after 20,000 generations; their number of images is not in the text, the 200 of the released
/// code is taken.
[[nodiscard]] inline std::vector<line> published_medians() {
  return {{"Nguyen et al. 2015, CPPN",
           {400 * 1001., 400 * 2001., 400 * 3001., 400 * 5001.},
           {.63, .77, .83, .8811},
           {},
           {},
           line_style::joined_points},
          {"Nguyen et al. 2015, direct", {200 * 20001.}, {.2159}, {}, {}, line_style::points}};
}

namespace detail {

/// Rows that a logarithmic axis can show: the first, the last, and those that are 2 % further than the one before.
[[nodiscard]] inline std::vector<std::size_t> rows_apart(std::vector<double> const& x) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (rows.empty() || i + 1 == x.size() || x[i] >= 1.02 * x[rows.back()]) rows.push_back(i);
  return rows;
}

[[nodiscard]] inline std::vector<double> column_of(evolution const& run, std::string const& figure) {
  auto values = run.log.column(figure);
  if (values.empty())
    fail("convergence_of: the history of '", run.name, "' has no figure '", figure, "'; give a recorder's of that search");
  return values;
}

/// A figure of all runs of one name: their median, and where there are several a band from the least to the greatest.
[[nodiscard]] inline line convergence_line(std::vector<evolution const*> const& runs, std::string const& figure) {
  evolution const* const shortest = *std::ranges::min_element(runs, {}, [](evolution const* run) { return run->log.steps.size(); });
  std::vector<double> evaluated;
  for (std::size_t const step : shortest->log.steps) evaluated.push_back(static_cast<double>((step + 1) * shortest->images));
  std::vector<std::vector<double>> columns;
  for (evolution const* const run : runs) {
    if (run->images != shortest->images || !std::equal(shortest->log.steps.begin(), shortest->log.steps.end(), run->log.steps.begin()))
      fail("convergence_of: runs named '", run->name, "' differ in their steps or images; give them different names");
    columns.push_back(column_of(*run, figure));
  }
  line l{shortest->name + ", " + figure, {}, {}};
  for (std::size_t const row : rows_apart(evaluated)) {
    std::vector<double> values;
    for (auto const& column : columns) values.push_back(column[row]);
    l.x.push_back(evaluated[row]);
    l.y.push_back(quantile_of(values, .5));
    if (columns.size() == 1) continue;
    l.low.push_back(*std::ranges::min_element(values));
    l.high.push_back(*std::ranges::max_element(values));
  }
  return l;
}

/// Means over the rows up to each that is shown, from the one after that before it on.
[[nodiscard]] inline line novelty_line(std::string name, std::vector<double> const& values) {
  line l{std::move(name), {}, {}};
  std::vector<double> generations(values.size() - 1);
  std::iota(generations.begin(), generations.end(), 1.);
  std::size_t from = 1;
  for (std::size_t const row : rows_apart(generations)) {
    double const sum =
        std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(from), values.begin() + static_cast<std::ptrdiff_t>(row + 2), 0.);
    l.x.push_back(generations[row]);
    l.y.push_back(sum / static_cast<double>(row + 2 - from));
    from = row + 2;
  }
  return l;
}

}  // namespace detail

/// How fast champions get better: figures of the runs over the images that they evaluated.
///
/// `published` are lines of the same axes to compare with. Errors: a history without that figure, runs of one name with other steps or
/// numbers of images.
[[nodiscard]] inline chart convergence_of(std::string title, std::vector<evolution> const& runs, std::vector<line> published = {},
                                          std::vector<std::string> const& figures = {"median", "mean", "max"}) {
  chart c{std::move(title), "Confidence of the champions over all classes.", "images evaluated", "confidence"};
  c.x_scale = axis_scale::logarithmic;
  c.y_shown = {0, 1};
  std::vector<std::vector<evolution const*>> groups;
  for (evolution const& run : runs) {
    auto const same = std::ranges::find_if(groups, [&](auto const& group) { return group.front()->name == run.name; });
    if (same == groups.end())
      groups.push_back({&run});
    else
      same->push_back(&run);
  }
  for (auto const& group : groups) {
    if (group.size() > 1 && c.note.find("Bands") == std::string::npos) c.note += " Bands: from the least to the greatest of several runs.";
    for (std::string const& figure : figures) c.lines.push_back(detail::convergence_line(group, figure));
  }
  std::ranges::move(published, std::back_inserter(c.lines));
  return c;
}

/// How sure the model is of each image of an outcome: softmax of the class that it was made for. Image i of a search over classes is that
/// of class i.
[[nodiscard]] inline sample confidences_of(std::string name, outcome const& found) {
  sample s{std::move(name), {}};
  for (std::size_t i = 0; i < found.size(); ++i)
    s.values.push_back(1 - detail::doubt_of(as_view(found.scores).row(i), static_cast<std::size_t>(found.targets[i])));
  return s;
}

/// All classes, the most confident first.
[[nodiscard]] inline chart sorted_confidences(std::string title, std::vector<sample> const& found) {
  chart c{std::move(title), "Each class has one image; classes are sorted by how sure the model is of it.", "share of the classes",
          "confidence"};
  c.x_shown = c.y_shown = {0, 1};
  for (sample const& s : found) {
    auto values = s.values;
    std::ranges::sort(values, std::greater{});
    line l{s.name, {}, std::move(values)};
    for (std::size_t i = 0; i < l.y.size(); ++i) l.x.push_back((static_cast<double>(i) + .5) / static_cast<double>(l.y.size()));
    c.lines.push_back(std::move(l));
  }
  return c;
}

/// Confidence over the number of the class: the median and the quartiles of the `window` classes around each, 1: the class alone. The ends
/// of the zones are dashed.
[[nodiscard]] inline chart confidence_by_class(std::string title, std::vector<sample> const& found,
                                               std::vector<class_zone> const& zones = {}, std::size_t window = 25) {
  if (window == 0) detail::fail("confidence_by_class: window is 0; give at least 1");
  chart c{std::move(title), {}, "class", "confidence"};
  if (window > 1) c.note = "Median and quartiles of the " + std::to_string(window) + " classes around each.";
  c.y_shown = {0, 1};
  for (sample const& s : found) {
    line l{s.name, {}, {}};
    std::size_t const n = s.values.size();
    for (std::size_t k = 0; k < n; ++k) {
      std::size_t const first = k - std::min(k, window / 2), last = std::min(k + (window + 1) / 2, n);
      std::vector<double> const near(s.values.begin() + static_cast<std::ptrdiff_t>(first),
                                     s.values.begin() + static_cast<std::ptrdiff_t>(last));
      l.x.push_back(static_cast<double>(k));
      l.y.push_back(detail::quantile_of(near, .5));
      if (window == 1) continue;
      l.low.push_back(detail::quantile_of(near, .25));
      l.high.push_back(detail::quantile_of(near, .75));
    }
    c.lines.push_back(std::move(l));
  }
  for (class_zone const& zone : zones) {
    auto const end = [&](std::string name, double k) { c.references.push_back({std::move(name), {k, k}, {-INFINITY, INFINITY}}); };
    end(zone.name + ", first", static_cast<double>(zone.first));
    end(zone.name + ", last", static_cast<double>(zone.last));
  }
  return c;
}

/// Medians and shares of classes at high confidence, all of them and inside each zone.
[[nodiscard]] inline table confidence_table(std::string title, std::vector<sample> const& found,
                                            std::vector<class_zone> const& zones = {}) {
  table t{std::move(title), {}, {"run", "classes", "median", "mean", "50 % and above", "99 % and above", "99.99 % and above"}};
  auto const percent = [](double share) { return detail::fixed(100 * share, 1) + " %"; };
  for (sample const& s : found) {
    auto const add = [&](std::string name, std::span<double const> values) {
      if (values.empty()) return;
      auto const n = static_cast<double>(values.size());
      auto const above = [&](double level) {
        return percent(static_cast<double>(std::ranges::count_if(values, [&](double v) { return v >= level; })) / n);
      };
      double const mean = std::accumulate(values.begin(), values.end(), 0.) / n;
      t.rows.push_back({std::move(name), detail::grouped(values.size()),
                        detail::percentage(1 - detail::quantile_of({values.begin(), values.end()}, .5)), detail::percentage(1 - mean),
                        above(.5), above(.99), above(.9999)});
    };
    add(s.name, s.values);
    for (class_zone const& zone : zones)
      if (std::size_t const n = s.values.size(); zone.first < n)
        add(s.name + ", " + zone.name, std::span(s.values).subspan(zone.first, std::min(zone.last + 1, n) - zone.first));
  }
  return t;
}

/// How much news there is, over the generations, of those that were made of others: champions replaced (a mean between the points),
/// different images among the champions, how old these are and how many ancestors they have.
[[nodiscard]] inline std::vector<chart> novelty_of(std::vector<ancestry> const& runs) {
  std::vector<chart> all{{"Champions replaced", {}, "generation", "cells per generation"},
                         {"Different champions", "One image may hold the cells of several classes.", "generation", "images"},
                         {"Age of the champions", "Mean over the cells.", "generation", "generations"},
                         {"Ancestors of the champions", "Mean over the cells.", "generation", "ancestors"}};
  for (chart& c : all) c.x_scale = axis_scale::logarithmic, c.y_shown = {0};
  for (ancestry const& run : runs) {
    if (run.generations < 2) continue;
    auto const t = run.family.timeline(run.generations);
    auto const add = [&](chart& c, auto const& values) {
      c.lines.push_back(detail::novelty_line(run.name, {values.begin(), values.end()}));
    };
    add(all[0], t.replaced), add(all[1], t.distinct), add(all[2], t.mean_age), add(all[3], t.mean_ancestors);
  }
  return all;
}

/// What histories of champions come to, a row each.
[[nodiscard]] inline table table_of(std::string title, std::vector<ancestry> const& runs) {
  std::vector<measurement<genealogy>> found;
  for (ancestry const& run : runs) found.push_back({run.name, run.family});
  table t = table_of(std::move(title), found);
  t.columns.front() = "run";
  return t;
}

}  // namespace pareidolia
