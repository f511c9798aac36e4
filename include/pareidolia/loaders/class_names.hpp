// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pareidolia {

/// The name of each class, from a text file with one a line: line i (from 0) is class i.
///
/// A WordNet id in front ("n01440764 tench, Tinca tinca", as ILSVRC's synset_words.txt has it) is dropped. Lines may end with CR LF.
/// Errors: a missing or empty file, one of more than 4 MB or 32768 lines, a line without a name: the classes after it would be off by one.
[[nodiscard]] inline std::vector<std::string> read_class_names(std::filesystem::path const& path) {
  constexpr std::size_t largest = std::size_t{1} << 22, most = std::size_t{1} << 15, id = 9;
  constexpr std::string_view blank = " \t\r";
  std::string const bytes = detail::read_file(path, largest);
  if (bytes.empty()) detail::fail(path.string(), ": the file is empty; give one class a line");
  auto const breaks = static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
  if (breaks > most) detail::fail(path.string(), ": the file has ", breaks, " lines; at most ", most, " are read");

  std::vector<std::string> names;
  names.reserve(breaks + 1);
  for (std::string_view rest(bytes); !rest.empty();) {
    std::string_view name = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (name.size() > id && name[0] == 'n' && blank.find(name[id]) != blank.npos && std::all_of(&name[1], &name[id], is_digit))
      name.remove_prefix(id);
    name.remove_prefix(std::min(name.find_first_not_of(blank), name.size()));
    name = name.substr(0, name.find_last_not_of(blank) + 1);
    if (name.empty()) detail::fail(path.string(), ": line ", names.size() + 1, " has no name; give one class a line");
    names.emplace_back(name);
  }
  return names;
}

}  // namespace pareidolia
