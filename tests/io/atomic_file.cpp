// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/atomic_file.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("a committed file has all that was written and nothing lies beside it") {
  temporary_folder const folder;
  atomic_file file(folder / "f");
  file.write("one ");
  file.write(std::string(300000, 'x'));
  CHECK(!std::filesystem::exists(folder / "f"));
  file.commit();
  CHECK(detail::read_file(folder / "f") == "one " + std::string(300000, 'x'));
  CHECK(folder.files() == 1);
}

TEST_CASE("a file that is not committed leaves the former one") {
  temporary_folder const folder;
  put(folder / "f", "former");
  {
    atomic_file file(folder / "f");
    file.write("new");
    CHECK(folder.files() == 2);
  }
  CHECK(detail::read_file(folder / "f") == "former");
  CHECK(folder.files() == 1);
  detail::write_file(folder / "f", "new");
  CHECK(detail::read_file(folder / "f") == "new");
}

TEST_CASE("two writers of one file do not disturb each other") {
  temporary_folder const folder;
  atomic_file a(folder / "f"), b(folder / "f");
  a.write("a");
  b.write("b");
  a.commit();
  b.commit();
  CHECK(detail::read_file(folder / "f") == "b");
  CHECK(folder.files() == 1);
}

TEST_CASE("a path without a folder is a file in the current one") {
  temporary_folder const folder;
  auto const former = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  detail::write_file("f", "here");
  std::filesystem::current_path(former);
  CHECK(detail::read_file(folder / "f") == "here");
}

TEST_CASE("what cannot be written is one error with the path") {
  temporary_folder const folder;
  auto const error_at = [](std::filesystem::path const& path) { return error_of([&] { detail::write_file(path, "text"); }); };
  CHECK(contains(error_at(folder / "missing/f"), "missing/f: cannot be written (No such file or directory)"));
  CHECK(contains(error_at(folder.path()), "a folder or a device has that name"));
  CHECK(contains(error_at("/dev/full"), "a folder or a device has that name"));
  put(folder / "file", "");
  CHECK(contains(error_at(folder / "file/f"), "cannot be written (Not a directory)"));
  CHECK(folder.files() == 1);
}

TEST_CASE("a full disk leaves the former file and no other") {
  temporary_folder const folder;
  put(folder / "f", "former");
  {
    full_disk const full(1000);
    CHECK(contains(error_of([&] { detail::write_file(folder / "f", std::string(5000, 'x')); }), "f: cannot be written (File too large)"));
  }
  CHECK(detail::read_file(folder / "f") == "former");
  CHECK(folder.files() == 1);
}

}  // namespace
