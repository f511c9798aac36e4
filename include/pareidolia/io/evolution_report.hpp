// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
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
#include <pareidolia/probes/repetition_ablation.hpp>
#include <pareidolia/probes/transfer_matrix.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
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
/// generations. Direct: 21.59 % after 20,000 generations. The images per generation, 400 and 200, are those of the released code.
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

/// How much news there is in the generations of children, as means between the points: champions replaced,
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

namespace detail {

/// The first of the names of a class.
[[nodiscard]] inline std::string short_class(std::size_t k, std::span<std::string const> class_names) {
  std::string const names = class_text(static_cast<int>(k), class_names);
  return names.substr(0, names.find(','));
}

/// A lineage by the classes that it came from and in which generation, the last ones: "ruler (311), oboe (24)".
[[nodiscard]] inline std::string path_text(genealogy const& family, std::vector<std::size_t> const& line,
                                           std::span<std::string const> class_names) {
  constexpr std::size_t most = 5;
  std::string text;
  std::size_t switches = 0;
  for (std::size_t const place : line) {
    if (!family.switched(place) || ++switches > most) continue;
    text += (switches > 1 ? ", " : "") + short_class(family.births[family.parents[place]].cell, class_names) + " (" +
            grouped(family.births[place].generation) + ")";
  }
  return switches > most ? text + ", and " + grouped(switches - most) + " more" : text;
}

/// At most so many cells, each the one whose list has the most that those before it have not: ancestors are common to many, and one of them
/// is shown. Lists that have nothing to add are left out.
[[nodiscard]] inline std::vector<std::size_t> most_different(std::vector<std::vector<std::size_t>> const& lists, std::size_t most) {
  std::vector<std::size_t> cells;
  std::set<std::size_t> shown;
  auto const adds = [&](std::vector<std::size_t> const& list) {
    return std::ranges::count_if(list, [&](std::size_t one) { return !shown.contains(one); });
  };
  while (cells.size() < most && !lists.empty()) {
    auto const next = std::ranges::max_element(lists, {}, adds);
    if (adds(*next) == 0) break;
    shown.insert(next->begin(), next->end());
    cells.push_back(static_cast<std::size_t>(next - lists.begin()));
  }
  return cells;
}

}  // namespace detail

/// Where champions came from: at most `most` lineages, first the one that came through the most classes, then always the one that adds the
/// most to those before it. Values must be probabilities.
[[nodiscard]] inline table lineages_of(std::string title, genealogy const& family, std::size_t most,
                                       std::span<std::string const> class_names = {}) {
  table t{std::move(title),
          "Classes that champions came from, and the generation in which they did.",
          {"class", "came from", "confidence", "made in", "ancestors"}};
  std::vector<std::vector<std::size_t>> switched(family.cells());
  for (std::size_t cell = 0; cell < family.cells(); ++cell)
    std::ranges::copy_if(family.lineage(cell), std::back_inserter(switched[cell]),
                         [&](std::size_t place) { return family.switched(place); });
  for (std::size_t const cell : detail::most_different(switched, most)) {
    birth const& b = family.births[family.champions[cell]];
    t.rows.push_back({detail::short_class(cell, class_names), detail::path_text(family, family.lineage(cell), class_names),
                      detail::percentage(1 - double{b.value}), detail::grouped(b.generation),
                      detail::grouped(family.ancestors[family.champions[cell]])});
  }
  return t;
}

/// Lineages in pictures, youngest first: of each champion those ancestors that are champions still, since only of these `found` has the
/// images. At most `most` are shown, first the one with the most pictures, then always the one that adds the most to those before it.
/// `found` is the outcome whose births the family has, its values probabilities. Errors: an outcome of another number of classes.
[[nodiscard]] inline gallery gallery_of(std::string title, genealogy const& family, outcome const& found, std::size_t most,
                                        std::span<std::string const> class_names = {}) {
  std::size_t const cells = family.cells();
  if (found.size() != cells)
    detail::fail("gallery_of: ", found.size(), " images for champions of ", cells, " cells; give the outcome that the births are of");
  std::map<std::uint64_t, std::size_t> image_of;
  for (std::size_t cell = cells; cell-- > 0;)
    if (family.champions[cell] != genealogy::none) image_of[family.births[family.champions[cell]].id] = cell;
  std::vector<std::vector<std::size_t>> living(cells);  // ancestors' images
  for (std::size_t cell = 0; cell < cells; ++cell)
    for (std::size_t const place : family.lineage(cell)) {
      auto const known = image_of.find(family.births[place].id);
      bool const own = known != image_of.end() && family.births[place].id == family.births[family.champions[cell]].id;
      if (known != image_of.end() && !own && (living[cell].empty() || living[cell].back() != known->second))
        living[cell].push_back(known->second);
    }
  gallery g{std::move(title),
            "Champions with those of their ancestors that are champions of other classes still, youngest first; the classes that they came "
            "from, and the "
            "generation in which they did."};
  g.wide = true;
  auto const& s = found.images.shape();
  for (std::size_t const cell : detail::most_different(living, most)) {
    auto strip = filled<float, 4>({living[cell].size() + 1, s[1], s[2], s[3]});
    for (std::size_t k = 0; k <= living[cell].size(); ++k)
      std::ranges::copy(as_view(found.images).row(k == 0 ? cell : living[cell][k - 1]), as_view(strip).row(k).begin());
    birth const& b = family.births[family.champions[cell]];
    std::string const path = detail::path_text(family, family.lineage(cell), class_names);
    g.pictures.push_back({detail::short_class(cell, class_names) + ", " + detail::percentage(1 - double{b.value}) + ", " +
                              detail::plural(family.ancestors[family.champions[cell]], "ancestor") + (path.empty() ? "" : "; from " + path),
                          detail::strip_of(strip)});
  }
  return g;
}

/// What is left when repeated elements are removed: the median over the images that have any, between quartiles, over the share removed.
[[nodiscard]] inline chart chart_of(std::string title, std::vector<measurement<repetition_ablation::result>> const& found) {
  chart c{std::move(title), "Median and quartiles of the images with repeated elements.", "share of the elements removed", "confidence"};
  c.y_shown = {0, 1};
  for (auto const& [model, result] : found) {
    if (result.repetitive().empty()) continue;
    line l{model, {}, {}};
    constexpr int parts = 20;
    for (int k = 0; k <= parts; ++k) {
      double const removed = static_cast<double>(k) / parts;
      l.x.push_back(removed);
      l.y.push_back(result.quantile(removed, .5));
      l.low.push_back(result.quantile(removed, .25));
      l.high.push_back(result.quantile(removed, .75));
    }
    c.lines.push_back(std::move(l));
  }
  return c;
}

/// Images whose repeated elements are removed one after the other: `length` pictures each, from the image to the one without any.
///
/// `images` are those that were measured (outcome::images). At most `most` of those with repeated elements are shown, half of them those
/// that lose the most confidence until one element is left, first of all, half of them those that lose the least. Errors: images of another
/// number, strips of less than two pictures.
[[nodiscard]] inline gallery gallery_of(std::string title, repetition_ablation::result const& found, tensor<float, 4> const& images,
                                        std::size_t most, std::span<std::string const> class_names = {}, std::size_t length = 7) {
  auto const& s = images.shape();
  if (s[0] != found.images.size())
    detail::fail("gallery_of: ", s[0], " images for a result of ", found.images.size(), "; give those that were measured");
  if (length < 2) detail::fail("gallery_of: length is ", length, "; give at least 2 pictures for each strip");
  auto which = found.repetitive();
  auto const left = [&](std::size_t i) { return double{found.images[i].confidence[found.images[i].elements.size() - 1]}; };
  std::ranges::stable_sort(which, std::greater{}, [&](std::size_t i) { return found.images[i].after(0) - left(i); });
  std::size_t const shown = std::min(most, which.size()), first = (shown + 1) / 2;
  which.erase(which.begin() + static_cast<std::ptrdiff_t>(first), which.end() - static_cast<std::ptrdiff_t>(shown - first));

  gallery g{std::move(title), "Elements that repeat are painted over in the colour around them, one after the other."};
  g.wide = true;
  for (std::size_t const i : which) {
    ablation const& a = found.images[i];
    auto strip = filled<float, 4>({length, s[1], s[2], s[3]});
    for (std::size_t k = 0; k < length; ++k) {
      std::ranges::copy(as_view(images).row(i), as_view(strip).row(k).begin());
      a.remove(k * a.elements.size() / (length - 1), {s[1], s[2], s[3]}, as_view(strip).row(k));
    }
    auto const percent = [](double p) { return detail::percentage(1 - p); };
    g.pictures.push_back({detail::short_class(static_cast<std::size_t>(found.classes[i]), class_names) + ", " + percent(a.after(0)) +
                              "; of " + detail::plural(a.elements.size(), "element") + " half removed " + percent(a.after(.5)) +
                              ", all but one " + percent(left(i)) + ", all " + percent(a.after(1)),
                          detail::strip_of(strip)});
  }
  return g;
}

/// Images of each model on each model, a row each.
[[nodiscard]] inline table table_of(std::string title, transfer_matrix::result const& found) {
  std::string const level = detail::general(100 * double{found.threshold}) + " %";
  table t{std::move(title),
          "Confidence in the class that the images were found for.",
          {"found for", "scored on", "images", "mean", "median", level + " on both", level + " on its own only", "seen as the class"}};
  for (std::size_t i = 0; i < found.size(); ++i)
    for (std::size_t j = 0; j < found.size(); ++j) {
      auto const percent = [](double share) { return detail::fixed(100 * share, 1) + " %"; };
      t.rows.push_back({found.names[i], found.names[j], detail::grouped(found.confidence[i][j].size()), percent(found.mean(i, j)),
                        percent(found.median(i, j)), percent(found.both(i, j)), i == j ? "-" : percent(found.own_only(i, j)),
                        percent(found.seen[i][j])});
    }
  return t;
}

/// The same as maps: a row for each model that images were found for, a column for each that they were scored on.
[[nodiscard]] inline gallery gallery_of(std::string title, transfer_matrix::result const& found) {
  gallery g{std::move(title), "Rows: found for; columns: scored on; from the top and the left"};
  std::size_t const n = found.size();
  for (std::size_t i = 0; i < n; ++i) g.note += (i == 0 ? " " : ", ") + found.names[i];
  g.note += ".";
  auto const add = [&](std::string caption, auto const& value) {
    auto values = filled<float, 2>({n, n});
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) values(i, j) = static_cast<float>(value(i, j));
    g.pictures.push_back({std::move(caption), filled<float, 3>({1, n, n}, .5f), std::move(values), {.low = 0, .high = 1}});
  };
  if (n == 0) return g;
  add("mean confidence", [&](std::size_t i, std::size_t j) { return found.mean(i, j); });
  add("share at " + detail::general(100 * double{found.threshold}) + " % and above on both",
      [&](std::size_t i, std::size_t j) { return found.both(i, j); });
  return g;
}

}  // namespace pareidolia
