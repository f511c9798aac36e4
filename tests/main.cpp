// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// Common main of the tests. Test cases named "data: ..." need the files of PAREIDOLIA_DATA: `--data` as the first argument runs these
// alone, and exits with 77, which ctest shows as skipped, when the files are not there; they must be there if PAREIDOLIA_REQUIRE_DATA is
// set. Without it all other cases run. Everything else on the command line is doctest's.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "support/data.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
  bool const data = argc > 1 && std::string_view(argv[1]) == "--data";
  if (data && pareidolia_test::data_root().empty()) {
    bool const required = std::getenv("PAREIDOLIA_REQUIRE_DATA") != nullptr;
    std::printf("%s: set PAREIDOLIA_DATA to the folder with the test data\n", required ? "failed" : "skipped");
    return required ? 1 : 77;
  }
  doctest::Context tests;
  tests.addFilter(data ? "test-case" : "test-case-exclude", "data: *");
  tests.applyCommandLine(argc, argv);
  return tests.run();
}
