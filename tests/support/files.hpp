// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <sys/resource.h>
#include <unistd.h>

namespace pareidolia_test {

/// An empty folder that lives as long as this.
class temporary_folder {
 public:
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "pareidolia-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  temporary_folder(temporary_folder const&) = delete;
  temporary_folder& operator=(temporary_folder const&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  [[nodiscard]] std::filesystem::path const& path() const { return path_; }
  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(path_)) count += entry.is_regular_file();
    return count;
  }

 private:
  std::filesystem::path path_;
};

/// While this lives, files cannot grow beyond `bytes`: what a full disk looks like to a program.
class full_disk {
 public:
  explicit full_disk(rlim_t bytes) : former_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    rlimit const small{bytes, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  full_disk(full_disk const&) = delete;
  full_disk& operator=(full_disk const&) = delete;
  ~full_disk() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, former_);
  }

 private:
  using handler = void (*)(int);
  handler former_;
  rlimit limit_{};
};

inline std::filesystem::path put(std::filesystem::path const& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

/// What pareidolia::error the action ends with; "no error" if it ends well. Anything else it throws goes on.
template <class Action>
std::string error_of(Action const& action) {
  try {
    action();
  } catch (pareidolia::error const& e) {
    return e.what();
  }
  return "no error";
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// How many damaged versions of a file were refused, and how many were read nevertheless.
struct damage_report {
  std::size_t refused = 0, accepted = 0, refused_when_cut = 0;
};

/// Reads `good` cut short at every byte, and with every byte changed in each of its bits and to 0 and 255. A reader must answer with a
/// value or with pareidolia::error; everything else ends the test.
template <class Read>
damage_report read_damaged(std::filesystem::path const& path, std::string const& good, Read const& read) {
  damage_report result;
  auto const attempt = [&](std::string const& bytes) {
    put(path, bytes);
    bool const refused = error_of([&] { (void)read(path); }) != "no error";
    (refused ? result.refused : result.accepted) += 1;
    return refused;
  };
  for (std::size_t size = 0; size < good.size(); ++size) result.refused_when_cut += attempt(good.substr(0, size));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    for (int bit = 0; bit < 8; ++bit) {
      bad[i] = static_cast<char>(good[i] ^ (1 << bit));
      attempt(bad);
    }
    for (char const end : {'\0', '\xff'}) {
      bad[i] = end;
      attempt(bad);
    }
  }
  return result;
}

}  // namespace pareidolia_test
