// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/tensor.hpp>

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

/// What is shown of one or several runs. All text is plain text in UTF-8.
struct report {
  std::string title;
  std::string summary = {};                                        ///< a sentence or two under the title
  std::vector<std::pair<std::string, std::string>> settings = {};  ///< name and value, in the order shown
  std::vector<section> sections = {};
  std::vector<table> tables = {};
  std::vector<std::string> class_names = {};  ///< by class; a class without one is shown by its number
};

}  // namespace pareidolia
