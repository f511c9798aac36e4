// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/class_names.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/data.hpp"
#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

using names = std::vector<std::string>;

TEST_CASE("a name is what a line holds after a WordNet id") {
  temporary_folder const folder;
  auto const read = [&](std::string_view text) { return read_class_names(put(folder / "words.txt", text)); };
  CHECK(read("cat\ndog\n") == names{"cat", "dog"});
  CHECK(read("cat\r\n  sea lion \t\r\nn") == names{"cat", "sea lion", "n"});
  CHECK(read("n01440764 tench, Tinca tinca\nn01443537\tgoldfish") == names{"tench, Tinca tinca", "goldfish"});
  CHECK(read("n0144076x tench\nn01440764\nn014407645 tench\nN01440764 tench") ==
        names{"n0144076x tench", "n01440764", "n014407645 tench", "N01440764 tench"});
}

TEST_CASE("a class without a name is an error") {
  temporary_folder const folder;
  auto const message = [&](std::string_view text) { return error_of([&] { (void)read_class_names(put(folder / "words.txt", text)); }); };
  CHECK(contains(message(""), "words.txt: the file is empty"));
  CHECK(contains(message("cat\n\ndog\n"), "words.txt: line 2 has no name"));
  CHECK(contains(message("n01440764 \n"), "words.txt: line 1 has no name"));
  CHECK(contains(message(" \t\r\n"), "line 1 has no name"));
  std::string many;
  for (int i = 0; i < 32768; ++i) many += "a\n";
  CHECK(message(many) == "no error");
  CHECK(contains(message(many + "a\n"), "words.txt: the file has 32769 lines; at most 32768 are read"));
  CHECK(contains(message(std::string(5'000'000, 'a')), "words.txt: the file has 5000000 bytes"));
  CHECK(contains(error_of([&] { (void)read_class_names(folder / "missing.txt"); }), "missing.txt: there is no such file"));
}

TEST_CASE("data: the thousand classes of ILSVRC") {
  auto const classes = read_class_names(data_path("imagenet/synset_words.txt"));
  REQUIRE(classes.size() == 1000);
  CHECK(classes[0] == "tench, Tinca tinca");
  CHECK(classes[999] == "toilet tissue, toilet paper, bathroom tissue");
}

}  // namespace
