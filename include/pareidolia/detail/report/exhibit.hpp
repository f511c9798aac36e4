// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>
#include <pareidolia/io/png.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pareidolia::detail {

/// Images of a section or a gallery that the page itself carries; the others are in the folder.
constexpr std::size_t most_shown = 250;

/// 1 - softmax(y)_k, without the cancellation of the subtraction: 0.9999999 and 0.99999999 differ.
[[nodiscard]] inline double doubt_of(std::span<float const> scores, std::size_t k) {
  double const top = double{*std::max_element(scores.begin(), scores.end())};
  double others = 0;
  for (std::size_t j = 0; j < scores.size(); ++j)
    if (j != k) others += std::exp(double{scores[j]} - top);
  return others / (others + std::exp(double{scores[k]} - top));
}

[[nodiscard]] inline std::string class_name(report const& r, int k) {
  auto const index = static_cast<std::size_t>(k);
  return index < r.class_names.size() && !r.class_names[index].empty() ? r.class_names[index] : "class " + std::to_string(k);
}

/// One image of a section, ready to be shown.
struct exhibit {
  std::size_t index = 0;
  bool targeted = true;  ///< the attack wanted the target; else it wanted to leave it
  int shown = 0;         ///< the class that the image is shown under: the target, or, of an attack that leaves it, what it became
  std::string name;      ///< of that class
  double doubt = 0;      ///< one minus the confidence in that class
  std::string file;      ///< name of its PNG in the section's folder
  std::vector<std::byte> png;
  std::vector<std::byte> canvas, difference;  ///< likewise, if the section has canvases
};

/// A section with everything that follows from it.
struct exhibition {
  section const* source = nullptr;
  std::string folder;  ///< unique name of files and anchors
  std::vector<exhibit> exhibits;
};

/// Errors: arrays of an outcome or a history that do not belong together.
inline void check_section(section const& s) {
  outcome const& o = s.result;
  std::size_t const count = o.size();
  auto const& pixels = o.images.shape();
  auto const& scores = o.scores.shape();
  auto const& distances = o.distances.shape();
  std::string const where = "report: section '" + s.title + "': ";
  if (count == 0) fail(where, "it has no images");
  if (pixels[0] != count || scores[0] != count || scores[1] == 0 || distances[0] != count || distances[1] != 4 ||
      o.targets.size() != count || o.before.size() != count || o.labels.size() != count || o.success.size() != count)
    fail(where, "the arrays of its outcome are not all of ", count, " images; give the outcome of a run");
  for (auto const* classes : {&o.targets, &o.before, &o.labels})
    for (int const k : *classes)
      if (k < 0 || static_cast<std::size_t>(k) >= scores[1]) fail(where, "class ", k, " is none of its ", scores[1], " classes");
  if (auto const& c = s.canvas.shape(); c[0] != 0 && (c[1] != pixels[1] || c[2] != pixels[2] || c[3] != pixels[3]))
    fail(where, "its canvases are not of the shape of its images; give those that the run started from");
  if (s.log.steps.size() != s.log.rows.size())
    fail(where, "its history has ", s.log.steps.size(), " steps and ", s.log.rows.size(), " rows");
  for (auto const& row : s.log.rows)
    if (row.size() != s.log.names.size())
      fail(where, "a row of its history has ", row.size(), " values for ", s.log.names.size(), " names");
}

/// 1/2 + 10 (x - canvas), clipped: what an attack has added, so that it is seen.
[[nodiscard]] inline tensor<float, 4> amplified_difference(view<float const, 4> x, view<float const, 4> canvas) {
  constexpr float gain = 10;
  auto result = filled<float, 4>(x.shape);
  for (std::size_t j = 0; j < x.size(); ++j) result.data()[j] = std::clamp(.5f + gain * (x.data[j] - canvas.data[j]), 0.f, 1.f);
  return result;
}

[[nodiscard]] inline exhibit make_exhibit(report const& r, section const& source, std::size_t i) {
  outcome const& o = source.result;
  exhibit e;
  e.index = i;
  e.targeted = (o.labels[i] == o.targets[i]) == (o.success[i] != 0);  // what success means tells what was wanted
  e.shown = e.targeted ? o.targets[i] : o.labels[i];
  e.name = class_name(r, e.shown);
  e.doubt = doubt_of(as_view(o.scores).row(i), static_cast<std::size_t>(e.shown));
  double const floored = std::floor((1 - e.doubt) * 1e6) / 1e6;
  e.file = padded(i, o.size()) + "_" + slug(e.name, "class-" + std::to_string(e.shown)) + "_" + fixed(floored, 6) + ".png";
  auto const& s = o.images.shape();
  e.png = encode_png({as_view(o.images).row(i).data(), {s[1], s[2], s[3]}});
  if (std::size_t const canvases = source.canvas.shape()[0]; canvases != 0) {
    auto const canvas = as_view(source.canvas).rows(i % canvases, 1);
    e.canvas = encode_png({canvas.data, {s[1], s[2], s[3]}});
    auto const difference = amplified_difference(as_view(o.images).rows(i, 1), canvas);
    e.difference = encode_png({difference.data(), {s[1], s[2], s[3]}});
  }
  return e;
}

/// A folder of a title that is not among those taken, and now is.
[[nodiscard]] inline std::string unique_folder(std::string_view title, std::string_view fallback, std::set<std::string>& taken) {
  std::string const base = slug(title, fallback);
  std::string folder = base;
  for (std::size_t n = 2; !taken.insert(folder).second; ++n) folder = base + "-" + std::to_string(n);
  return folder;
}

/// What the page says of images that it does not carry.
[[nodiscard]] inline std::string more_images(std::size_t count, std::string const& folder) {
  return "<p class=\"note\">" + plural(count, "more image") + " in <code>images/" + folder + "</code>.</p>";
}

/// All sections of a report, each with a folder that is not `taken`. The report must outlive the result.
[[nodiscard]] inline std::vector<exhibition> make_exhibitions(report const& r, std::set<std::string>& taken) {
  std::vector<exhibition> result;
  for (section const& s : r.sections) {
    check_section(s);
    exhibition shown{&s, unique_folder(s.title, "section", taken), {}};
    for (std::size_t i = 0; i < s.result.size(); ++i) shown.exhibits.push_back(make_exhibit(r, s, i));
    result.push_back(std::move(shown));
  }
  return result;
}

}  // namespace pareidolia::detail
