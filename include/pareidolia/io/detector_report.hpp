// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/roc.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>
#include <pareidolia/io/histogram.hpp>
#include <pareidolia/probes/curvature_detector.hpp>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

// How well perturbed images are detected, as parts of a report.

namespace pareidolia {

/// Characteristics of detectors, each with its area: the share of what there is that is found, over the share of false alarms.
[[nodiscard]] inline chart chart_of(std::string title, std::vector<measurement<roc>> const& found) {
  chart c{std::move(title), {}, "false positive rate", "true positive rate"};
  c.square = true;
  c.x_shown = c.y_shown = {0, 1};
  c.references = {{"chance", {0, 1}, {0, 1}}};
  for (auto const& [name, curve] : found)
    c.lines.push_back({name + ", area " + detail::fixed(curve.area, 3), curve.false_positive, curve.true_positive});
  return c;
}

/// What a detector reads off several sets of images, such as natural and perturbed ones: a histogram of its statistic for each, and its
/// threshold. Images without a finite statistic are left out.
[[nodiscard]] inline chart chart_of(std::string title, curvature_detector const& detector,
                                    std::vector<measurement<curvature_detector::result>> const& found) {
  std::vector<sample> samples;
  for (auto const& [name, result] : found) samples.push_back({name, result.statistic});
  chart c = histogram_of(std::move(title), "mean curvature", samples);
  c.note = "What is right of the threshold is taken for perturbed. What is beyond the axis is in the outermost parts.";
  c.y_name = "share of images";
  c.references = {{"threshold", {detector.threshold, detector.threshold}, {-INFINITY, INFINITY}}};
  return c;
}

}  // namespace pareidolia
