// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// How often cuDNN's heuristics are asked, which only an emulated device counts.

#include "emulation/machine.hpp"
#include "engines/conformance.hpp"
#include "support/files.hpp"

#include <pareidolia/engines/cuda_staged.hpp>
#include <pareidolia/engines/reference.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace pareidolia_test {
namespace {

using namespace pareidolia;

/// While it lives, caches are in an empty folder.
class other_cache {
 public:
  other_cache() { ::setenv("XDG_CACHE_HOME", folder.path().c_str(), 1); }
  other_cache(other_cache const&) = delete;
  other_cache& operator=(other_cache const&) = delete;
  ~other_cache() {
    if (before_.empty())
      ::unsetenv("XDG_CACHE_HOME");
    else
      ::setenv("XDG_CACHE_HOME", before_.c_str(), 1);
  }

  temporary_folder folder;

 private:
  std::string before_ = std::getenv("XDG_CACHE_HOME") == nullptr ? "" : std::getenv("XDG_CACHE_HOME");
};

}  // namespace

TEST_CASE("a program asks no heuristics for plans that another has found, and computes the same by them") {
  for (bool const timed : {false, true}) {
    CAPTURE(timed);
    other_cache const cache;
    graph const g{"once", {3, 7, 11}, {}, {{"conv", layer::convolution{.outputs = 4, .kernel = {3, 2}}}, {"relu", layer::activation{}}}};
    weights const w = random_weights(g, 7);
    auto const passes = [&] { return all_passes(staged_cuda_engine{{.timed = timed}}, g, w, 3, 11); };
    auto const before = emulation::made.heuristics;
    pid_t const other = ::fork();
    if (other == 0) {
      static_cast<void>(passes());
      ::_exit(emulation::made.heuristics > before ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(other, &status, 0) == other);
    REQUIRE(status == 0);
    auto const got = passes();
    CHECK(emulation::made.heuristics == before);
    auto const expected = all_passes(reference_engine<double>{}, g, w, 3, 11);
    CHECK(relative_error(got.y, expected.y) < 1e-5);
    CHECK(relative_error(got.dx, expected.dx) < 1e-5);
    CHECK(relative_error(got.dtheta, expected.dtheta) < 1e-5);
  }
}

}  // namespace pareidolia_test
