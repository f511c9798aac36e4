// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/io/heat_map.hpp>

#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// One run of a report.
struct section {
  std::string title;
  outcome result;
  history log = {};                      ///< of a recorder; its columns median, min and max, if all in [0, 1], are drawn as confidence
  std::string step_name = "generation";  ///< what one step of the search is called
  /// (canvases, channels, height, width), what the attack started from; if given, each image is shown between its canvas and ten times
  /// their difference.
  tensor<float, 4> canvas = filled<float, 4>({0, 0, 0, 0});
};

/// Numbers that belong together, as rows and columns of text.
struct table {
  std::string title;
  std::string note = {};                            ///< a sentence or two under the title
  std::vector<std::string> columns = {};            ///< names, the first one that of the rows
  std::vector<std::vector<std::string>> rows = {};  ///< each as long as columns
};

/// One picture: an image, or a map of values drawn over it.
struct picture {
  std::string caption;
  tensor<float, 3> image;                              ///< (1 or 3, height, width) in [0, 1]
  tensor<float, 2> values = filled<float, 2>({0, 0});  ///< (rows, columns), see heat_map; (0, 0): the image alone
  heat_scale scale = {};                               ///< of the values
  map_extent extent = {};                              ///< where they are, if not on the whole image
};

/// Pictures that belong together, shown side by side.
struct gallery {
  std::string title;
  std::string note = {};
  std::vector<picture> pictures = {};
  bool wide = false;  ///< each picture as wide as the page, for strips of images
};

/// How the points of a line are drawn.
enum class line_style {
  line,           ///< joined by straight lines; the band is an area
  points,         ///< each alone; the band is an error bar at each
  joined_points,  ///< both
  steps,          ///< each as a level that reaches half-way to its neighbours; the band is an area
  bars,           ///< levels that are filled down to 0, or to the end of a logarithmic axis: a histogram; no band
};

/// One line of a chart through the points (x, y), and the band around it from `low` to `high`, such as quartiles.
struct line {
  std::string name;
  std::vector<double> x, y;                 ///< equally long, finite; steps and bars need x in rising order
  std::vector<double> low = {}, high = {};  ///< as long as the line, or empty: no band
  line_style style = line_style::line;
};

enum class axis_scale { linear, logarithmic };

/// Lines over an axis. On a logarithmic axis all values must be positive.
struct chart {
  std::string title;
  std::string note = {};
  std::string x_name, y_name;
  std::vector<line> lines = {};
  axis_scale x_scale = axis_scale::linear, y_scale = axis_scale::linear;
  /// What the lines are compared with, such as a diagonal or a level: thin, dashed and without style or band. An infinite x or y is the end
  /// of the axis, so that {"level", {-INFINITY, INFINITY}, {1, 1}} goes from side to side.
  std::vector<line> references = {};
  std::vector<double> x_shown = {}, y_shown = {};  ///< values that the axes show besides, such as 0 and 1 for shares
  bool square = false;                             ///< as high as wide, for axes of one unit, such as those of a ROC curve
};

/// What is shown of one or several runs. All text is plain text in UTF-8.
struct report {
  std::string title;
  std::string summary = {};                                        ///< a sentence or two under the title
  std::vector<std::pair<std::string, std::string>> settings = {};  ///< name and value, in the order shown
  std::vector<section> sections = {};
  std::vector<table> tables = {};
  std::vector<chart> charts = {};
  std::vector<gallery> galleries = {};
  std::vector<named_array> arrays = {};       ///< written to result.safetensors besides those of the runs
  std::vector<std::string> class_names = {};  ///< by class; a class without one is shown by its number
};

}  // namespace pareidolia
