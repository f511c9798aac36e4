// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/retraining_report.hpp>

#include <doctest/doctest.h>

#include <pareidolia/detail/report/lines.hpp>

#include <cstddef>
#include <string>
#include <vector>

using namespace pareidolia;

namespace {

/// Two networks of two classes and two runs, and one that is only trained.
std::vector<retraining_round> three_networks() {
  std::vector<retraining_round> rounds(3);
  for (auto& r : rounds) {
    r.accuracy = .99;
    r.images = 66'000;
  }
  for (std::size_t i : {0u, 1u}) {
    rounds[i].initial = {.1f, .2f, .3f, .4f};
    rounds[i].evolved = i == 0 ? std::vector<float>{.999f, .998f, .999f, 1} : std::vector<float>{.5f, .25f, .75f, .9f};
    rounds[i].champions = filled<float, 4>({2, 1, 4, 4}, .5f);
    rounds[i].noticed = .25;
  }
  return rounds;
}

constexpr double published[] = {.9999};

}  // namespace

TEST_CASE("a retraining is a table with a row for each network that was fooled") {
  table const t = table_of("Networks", three_networks(), published);
  REQUIRE(t.rows.size() == 2);
  CHECK(t.columns.size() == 8);
  CHECK(t.rows[0] == std::vector<std::string>{"DNN1", "66,000", "1.00 %", "25.00 %", "99.90 %", "99.99 %", "25.00 %", "-"});
  CHECK(t.rows[1][4] == "62.50 %");
  CHECK(t.rows[1][5] == "-");
  CHECK(t.rows[1][7] == "0.029");  // all four below: z = (8 - 1/2) / sqrt(16 / 12 (9 - 6 / 56)) = 2.18
}

TEST_CASE("its chart has medians and quartiles of both generations, and what was published") {
  chart const c = chart_of("Confidence", three_networks(), published);
  REQUIRE(c.lines.size() == 3);
  CHECK(c.lines[0].x == std::vector<double>{1, 2});
  CHECK(c.lines[0].y[1] == doctest::Approx(.625));
  CHECK(c.lines[0].low[1] == doctest::Approx(.4375));
  CHECK(c.lines[0].high[1] == doctest::Approx(.7875));
  CHECK(c.lines[1].y[0] == doctest::Approx(.25));
  CHECK(c.lines[2].y == std::vector<double>{.9999});
  CHECK_NOTHROW(detail::check_chart(c));
  CHECK(chart_of("Confidence", three_networks()).lines.size() == 2);
  CHECK_NOTHROW(detail::check_chart(chart_of("Confidence", {})));
}

TEST_CASE("its pictures are a strip for each network, its arrays have a row for each run") {
  gallery const g = gallery_of("Images", three_networks());
  REQUIRE(g.pictures.size() == 2);
  CHECK(g.pictures[1].caption == "against DNN2, median 37.50 %");
  CHECK(g.pictures[0].image.shape()[0] == 1);
  auto const arrays = arrays_of(three_networks());
  REQUIRE(arrays.size() == 4);
  CHECK(arrays[3].name == "DNN2.evolved");
  CHECK(arrays[3].shape == std::vector<std::size_t>{2, 2});
  CHECK(arrays[3].values[1] == .25f);
}
