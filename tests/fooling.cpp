// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Nguyen, Yosinski & Clune 2015 end to end: encodings, objective, MAP-Elites, network, report.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/pareidolia.hpp>

#include "support/data.hpp"
#include "support/files.hpp"
#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

std::string result_bytes(cpu_engine engine, int threads) {
  int const former = omp_get_max_threads();
  omp_set_num_threads(threads);
  network const lenet{engine, zoo::lenet5(), random_weights(zoo::lenet5(), 1)};
  map_elites const search{.children = 50, .generations = 8};
  report page{.title = "test"};
  auto const evolve = [&](char const* name, auto const& encoding) {
    page.sections.push_back({name, run(attack{encoding, class_probability{}, search}, lenet, blank(lenet.input()), rng{3})});
  };
  evolve("direct", pixels{.crossover = .5f});
  evolve("cppn", cppn{});
  omp_set_num_threads(former);
  temporary_folder const folder;
  write_report(folder.path(), page);
  return detail::read_file(folder / "result.safetensors");
}

/// The first generation whose figure reached 99.99 %, or 201.
std::size_t first_fooled(history const& log, char const* name) {
  auto const values = log.column(name);
  auto const found = std::find_if(values.begin(), values.end(), [](double v) { return v >= .9999; });
  return found == values.end() ? 201 : static_cast<std::size_t>(found - values.begin());
}

/// Mean absolute difference of horizontal neighbours over that of pixels far apart: about 1 for noise, small for regular images.
double roughness(view<float const, 4> x) {
  double near = 0, far = 0;
  for (std::size_t i = 0; i < x.shape[0]; ++i)
    for (std::size_t h = 0; h < 28; ++h)
      for (std::size_t w = 0; w + 1 < 28; ++w) {
        auto const image = x.row(i);
        near += std::abs(image[28 * h + w] - image[28 * h + w + 1]);
        far += std::abs(image[28 * h + w] - image[28 * ((h + 11) % 28) + (w + 13) % 28]);
      }
  return near / far;
}

}  // namespace

TEST_CASE("the same seed writes the same bytes with any number of threads and any slice") {
  std::string const expected = result_bytes({}, 1);
  CHECK(expected.size() > 2 * 10 * 784 * sizeof(float));
  for (int threads : {1, 2, 3})
    for (std::size_t slice : {2u, 16u, 33u, 64u}) {
      CAPTURE(threads);
      CAPTURE(slice);
      CHECK(result_bytes({.slice = slice}, threads) == expected);
    }
}

// "Median >= 99.99 % by generation 200" for both encodings; noise for the direct one, regular patterns for CPPNs.
TEST_CASE("data: MAP-Elites fools two LeNets as published, for five seeds of five") {
  for (auto const& file :
       {data_path("models/lenet/lenet_iter_10000"), std::filesystem::path(PAREIDOLIA_EXAMPLE_DATA "/lenet5.safetensors")}) {
    CAPTURE(file.filename().string());
    network const lenet{cpu_engine{}, zoo::lenet5(), read_weights(file)};
    auto const check = [&](auto const& encoding, double least, double most) {
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        history log;
        attack const fool{encoding, class_probability{}, map_elites{.children = 200, .generations = 200}};
        auto const found = run(fool, lenet, blank(lenet.input()), rng{seed}, recorder{log});
        MESSAGE("seed " << seed << ": median at generation " << first_fooled(log, "median") << ", worst class at "
                        << first_fooled(log, "min"));
        CHECK(first_fooled(log, "median") <= 200);
        CHECK(std::count(found.success.begin(), found.success.end(), 1) == 10);
        double const r = roughness(as_view(found.images));
        CHECK(r >= least);
        CHECK(r <= most);
      }
    };
    check(pixels{}, .85, 1.15);
    check(cppn{}, 0, .75);
  }
}
