// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/sinks.hpp>

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
};

/// What is shown of one or several runs. All text is plain text in UTF-8.
struct report {
  std::string title;
  std::string summary = {};                                        ///< a sentence or two under the title
  std::vector<std::pair<std::string, std::string>> settings = {};  ///< name and value, in the order shown
  std::vector<section> sections = {};
  std::vector<std::string> class_names = {};  ///< by class; a class without one is shown by its number
};

}  // namespace pareidolia
