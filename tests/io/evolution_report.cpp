// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/evolution_report.hpp>

#include <pareidolia/detail/report/lines.hpp>
#include <pareidolia/io/report.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using pareidolia_test::contains;
using pareidolia_test::error_of;

// median = 1 - 1 / (step + 2 + late), max = 1.
evolution run_of(std::string name, std::size_t steps, double late) {
  evolution e{std::move(name), {.names = {"median", "max"}, .steps = {}, .rows = {}}, 10};
  for (std::size_t i = 0; i < steps; ++i) {
    e.log.steps.push_back(i);
    e.log.rows.push_back({1 - 1 / (static_cast<double>(i) + 2 + late), 1});
  }
  return e;
}

// Three classes; the image of class 1 was made of that of class 0, which was made of a former one of class 1 that was drawn.
std::vector<birth> births() {
  return {{0, birth::none, 0, 0, 0, .1f},
          {1, birth::none, 0, 1, 1, .2f},
          {2, birth::none, 0, 2, 2, .3f},
          {12, 1, 3, 0, 1, .9f},
          {25, 12, 6, 1, 0, .99f}};
}
outcome found() {
  outcome o;
  o.images = filled<float, 4>({3, 1, 4, 4});
  for (std::size_t i = 0; i < 3; ++i)
    for (float& v : as_view(o.images).row(i)) v = static_cast<float>(i + 1) / 4;
  o.scores = filled<float, 2>({3, 3});
  for (std::size_t i = 0; i < 3; ++i) o.scores(i, i) = static_cast<float>(i);
  o.values = {.9f, .99f, .3f};
  o.targets = {0, 1, 2};
  o.labels = {0, 1, 2};
  o.success = {1, 1, 1};
  o.births = births();
  o.steps = 8;
  return o;
}

std::vector<std::string> const names{"ruler", "oboe", "lipstick, lip rouge"};

TEST_CASE("convergence is drawn over the images evaluated, each figure in a line") {
  auto const c = convergence_of("Convergence", {run_of("cppn", 3, 0)}, {}, {"median", "max"});
  REQUIRE(c.lines.size() == 2);
  CHECK(c.lines[0].name == "cppn, median");
  CHECK(c.lines[0].x == std::vector<double>{10, 20, 30});
  CHECK(c.lines[0].y == std::vector<double>{1 - 1. / 2, 1 - 1. / 3, 1 - 1. / 4});
  CHECK(c.lines[0].low.empty());
  CHECK(c.lines[1].y == std::vector<double>{1, 1, 1});
  CHECK_NOTHROW(detail::check_chart(c));
}

TEST_CASE("runs of one name are their median in a band, as long as the shortest") {
  auto const c = convergence_of("t", {run_of("cppn", 5, 0), run_of("direct", 2, 0), run_of("cppn", 3, 2), run_of("cppn", 4, 1)},
                                published_medians(), {"median"});
  REQUIRE(c.lines.size() == 4);
  CHECK(c.lines[0].x.size() == 3);
  CHECK(c.lines[0].y[0] == doctest::Approx(1 - 1 / 3.));
  CHECK(c.lines[0].low[0] == doctest::Approx(1 - 1 / 2.));
  CHECK(c.lines[0].high[0] == doctest::Approx(1 - 1 / 4.));
  CHECK(contains(c.note, "Bands"));
  CHECK(c.lines[1].name == "direct, median");
  CHECK(c.lines[2].x.back() == 400 * 5001.);
  CHECK(c.lines[2].y.back() == .8811);
  CHECK(c.lines[3].y == std::vector<double>{.2159});
  CHECK_NOTHROW(detail::check_chart(c));
}

TEST_CASE("long histories are thinned for a logarithmic axis, with the first and the last row") {
  auto const c = convergence_of("t", {run_of("direct", 20000, 0)}, {}, {"median"});
  line const& l = c.lines[0];
  CHECK(l.x.size() < 500);
  CHECK(l.x.front() == 10);
  CHECK(l.x[10] == 110);
  CHECK(l.x.back() == 200000);
  CHECK(l.y.back() == doctest::Approx(1 - 1 / 20001.));
}

TEST_CASE("a figure that a history has not, and runs that do not belong together, are one sentence each") {
  CHECK(contains(error_of([] { (void)convergence_of("t", {run_of("cppn", 3, 0)}); }), "the history of 'cppn' has no figure 'mean'"));
  auto other = run_of("cppn", 3, 0);
  other.images = 20;
  CHECK(contains(error_of([&] {
                   (void)convergence_of("t", {run_of("cppn", 3, 0), other}, {}, {"max"});
                 }),
                 "differ in their steps or images"));
}

TEST_CASE("confidences of an outcome are the softmax of the classes its images were made for") {
  auto const s = confidences_of("cppn", found());
  CHECK(s.name == "cppn");
  REQUIRE(s.values.size() == 3);
  CHECK(s.values[0] == doctest::Approx(1 / 3.));
  CHECK(s.values[2] == doctest::Approx(std::exp(2.) / (2 + std::exp(2.))));
}

TEST_CASE("sorted confidences fall from the first to the last share of the classes") {
  auto const c = sorted_confidences("t", {{"cppn", {.2, .9, .4, .5}}});
  CHECK(c.lines[0].y == std::vector<double>{.9, .5, .4, .2});
  CHECK(c.lines[0].x == std::vector<double>{.125, .375, .625, .875});
}

TEST_CASE("confidence by class is a running median, zones are marked") {
  sample s{"cppn", std::vector<double>(100, .5)};
  s.values[50] = 1;
  auto const c = confidence_by_class("t", {s}, {{"dogs", 40, 60}}, 5);
  CHECK(c.lines[0].x.size() == 100);
  CHECK(c.lines[0].y[50] == .5);
  CHECK(c.lines[0].high[50] == .5);
  REQUIRE(c.references.size() == 2);
  CHECK(c.references[1].x == std::vector<double>{60, 60});
  auto const alone = confidence_by_class("t", {s}, {}, 1);
  CHECK(alone.lines[0].y == s.values);
  CHECK(alone.lines[0].low.empty());
  CHECK_NOTHROW(detail::check_chart(c));
  CHECK(contains(error_of([&] { (void)confidence_by_class("t", {s}, {}, 0); }), "window is 0"));
  CHECK(dogs_and_cats().first == 157);
}

TEST_CASE("a table of confidences has a row for all classes and one for each zone") {
  auto const t = confidence_table("t", {{"cppn", {.2, .995, .4, .99999}}}, {{"last", 2, 9}, {"none", 4, 5}});
  REQUIRE(t.rows.size() == 2);
  CHECK(t.rows[0] == std::vector<std::string>{"cppn", "4", "69.7 %", "64.8 %", "50.0 %", "50.0 %", "25.0 %"});
  CHECK(t.rows[1][0] == "cppn, last");
  CHECK(t.rows[1][1] == "2");
}

TEST_CASE("novelty is drawn from the first generation of children on, replacements as means between the points") {
  auto const charts = novelty_of({{"cppn", genealogy(births()), 8}, {"unborn", genealogy({}), 1}});
  REQUIRE(charts.size() == 4);
  for (chart const& c : charts) {
    REQUIRE(c.lines.size() == 1);
    CHECK(c.lines[0].x.front() == 1);
    CHECK(c.lines[0].x.back() == 7);
    CHECK_NOTHROW(detail::check_chart(c));
  }
  CHECK(charts[0].lines[0].y == std::vector<double>{0, 0, 1, 0, 0, 1, 0});
  CHECK(charts[1].lines[0].y.back() == 3);
  CHECK(charts[3].lines[0].y.back() == doctest::Approx((1 + 2 + 0) / 3.));
  std::vector<birth> many{{0, birth::none, 0, 0, 0, 0}};
  for (std::uint64_t g = 1; g < 1000; ++g) many.push_back({g, g - 1, g, 0, 0, 0});
  auto const dense = novelty_of({{"all", genealogy(many), 1000}});
  CHECK(dense[0].lines[0].x.size() < 400);
  for (double const v : dense[0].lines[0].y) CHECK(v == doctest::Approx(1));
}

TEST_CASE("a table of lineages names the classes they came through, and has those that add to the ones before them") {
  auto all = births();
  CHECK(lineages_of("Lineages", genealogy(all), 10).rows.size() == 1);  // that of class 0 is a part of that of class 1
  all.push_back({36, 2, 7, 0, 2, .95f});
  auto const t = lineages_of("Lineages", genealogy(all), 10, names);
  REQUIRE(t.rows.size() == 2);
  CHECK(t.rows[0] == std::vector<std::string>{"oboe", "ruler (6), oboe (3)", "99.00 %", "6", "2"});
  CHECK(t.rows[1][0] == "ruler");
  CHECK(t.rows[1][1] == "lipstick (7)");
  CHECK(lineages_of("Lineages", genealogy(all), 1).rows.size() == 1);
  std::vector<birth> restless{{0, birth::none, 0, 0, 0, 0}, {1, birth::none, 0, 1, 1, 0}};
  for (std::uint64_t g = 1; g < 9; ++g)
    restless.push_back({g + 1, g, g, static_cast<std::uint32_t>((g + 1) % 2), static_cast<std::uint32_t>(g % 2), 0});
  CHECK(contains(lineages_of("t", genealogy(restless), 1).rows[0][1], ", and 3 more"));
}

TEST_CASE("a gallery of lineages shows ancestors that are champions still") {
  auto const g = gallery_of("Lineages", genealogy(births()), found(), 10, names);
  REQUIRE(g.pictures.size() == 1);
  CHECK(g.pictures[0].caption == "oboe, 99.00 %, 2 ancestors; from ruler (6), oboe (3)");
  auto const& strip = g.pictures[0].image;
  CHECK(strip(0, 10, 10) == .5f);
  CHECK(strip(0, 10, strip.shape()[2] - 10) == .25f);
  auto other = found();
  other.values.pop_back();
  CHECK(contains(error_of([&] { (void)gallery_of("t", genealogy(births()), other, 1); }), "2 images for champions of 3 cells"));
}

// Image 0 has four elements and loses much, image 1 none, image 2 two and loses little.
repetition_ablation::result ablated() {
  repetition_ablation::result r;
  r.images.resize(3);
  for (std::size_t const left : {0u, 2u, 4u, 6u}) r.images[0].elements.push_back({0, 0, left, 2, 2});
  r.images[0].colours = filled<float, 2>({4, 1}, .5f);
  r.images[0].confidence = {.99f, .9f, .8f, .5f, .1f};
  r.images[0].labels = {1, 1, 1, 1, 0};
  r.images[1].confidence = {.7f};
  r.images[1].labels = {1};
  for (std::size_t const left : {0u, 4u}) r.images[2].elements.push_back({2, 4, left, 2, 2});
  r.images[2].colours = filled<float, 2>({2, 1}, .5f);
  r.images[2].confidence = {.9501f, .9401f, .9001f};
  r.images[2].labels = {2, 2, 2};
  r.classes = {1, 1, 2};
  return r;
}

TEST_CASE("a chart of an ablation is the median over the images with repeated elements") {
  auto const c = chart_of("Ablation", std::vector<measurement<repetition_ablation::result>>{{"LeNet", ablated()}, {"none", {}}});
  REQUIRE(c.lines.size() == 1);
  line const& l = c.lines[0];
  REQUIRE(l.x.size() == 21);
  CHECK(l.y.front() == doctest::Approx((.99 + .9501) / 2));
  CHECK(l.y[10] == doctest::Approx((.8 + .9401) / 2));
  CHECK(l.y.back() == doctest::Approx((.1 + .9001) / 2));
  CHECK_NOTHROW(detail::check_chart(c));
}

TEST_CASE("a gallery of an ablation shows the image, what is left of it, and nothing of its elements") {
  auto const images = filled<float, 4>({3, 1, 8, 8}, 1.f);
  auto const g = gallery_of("Ablation", ablated(), images, 10, names, 3);
  REQUIRE(g.pictures.size() == 2);
  CHECK(g.pictures[0].caption == "oboe, 99.00 %; of 4 elements half removed 80.0 %, all but one 50.0 %, all 10.0 %");
  CHECK(g.pictures[1].caption == "lipstick, 95.0 %; of 2 elements half removed 94.0 %, all but one 94.0 %, all 90.0 %");
  auto const& strip = g.pictures[0].image;  // 3 pictures of 8 columns, each pixel 40 wide, in frames of 4
  REQUIRE(strip.shape()[2] == 4 + 3 * (8 * 40 + 4));
  auto const at = [&](std::size_t frame, std::size_t x) { return strip(0, 10, 4 + frame * (8 * 40 + 4) + x * 40 + 20); };
  CHECK(at(0, 0) == 1);
  CHECK(at(1, 2) == .5f);
  CHECK(at(1, 4) == 1);
  CHECK(at(2, 6) == .5f);
  CHECK(gallery_of("Ablation", ablated(), images, 1, names, 3).pictures[0].caption == g.pictures[0].caption);
  CHECK(contains(error_of([&] { (void)gallery_of("t", ablated(), images, 1, {}, 1); }), "length is 1"));
  CHECK(contains(error_of([&] { (void)gallery_of("t", ablated(), filled<float, 4>({2, 1, 8, 8}), 1); }), "2 images for a result of 3"));
}

transfer_matrix::result transferred() {
  return {.threshold = .99f,
          .names = {"GoogLeNet", "SqueezeNet"},
          .confidence = {{{.999f, .5f}, {.995f, .1f}}, {{.2f, .2f}, {.999f, .999f}}},
          .seen = {{1, .5}, {0, 1}}};
}

TEST_CASE("a transfer matrix is a table of pairs and a map") {
  auto const t = table_of("Transfer", transferred());
  REQUIRE(t.rows.size() == 4);
  CHECK(t.columns[5] == "99 % on both");
  CHECK(t.rows[1] == std::vector<std::string>{"GoogLeNet", "SqueezeNet", "2", "54.8 %", "54.8 %", "50.0 %", "0.0 %", "50.0 %"});
  CHECK(t.rows[2][6] == "100.0 %");
  CHECK(t.rows[3][6] == "-");
  auto const g = gallery_of("Transfer", transferred());
  CHECK(contains(g.note, "GoogLeNet, SqueezeNet."));
  REQUIRE(g.pictures.size() == 2);
  CHECK(g.pictures[0].values(1, 0) == doctest::Approx(.2));
  CHECK(g.pictures[1].values(0, 1) == .5f);
  CHECK(g.pictures[1].values(1, 0) == 0);
}

TEST_CASE("all of it can be written") {
  pareidolia_test::temporary_folder const folder;
  report page{.title = "Evolution"};
  page.charts = novelty_of({{"cppn", genealogy(births()), 8}});
  page.charts.push_back(convergence_of("Convergence", {run_of("cppn", 30, 0), run_of("cppn", 30, 2)}, published_medians(), {"median"}));
  page.charts.push_back(sorted_confidences("Sorted", {confidences_of("cppn", found())}));
  page.charts.push_back(confidence_by_class("By class", {confidences_of("cppn", found())}, {dogs_and_cats()}));
  page.charts.push_back(chart_of("Ablation", std::vector<measurement<repetition_ablation::result>>{{"LeNet", ablated()}}));
  page.tables = {table_of("Champions", {{"cppn", genealogy(births()), 8}}), table_of("Transfer", transferred()),
                 lineages_of("Lineages", genealogy(births()), 5)};
  page.galleries = {gallery_of("Lineages", genealogy(births()), found(), 3),
                    gallery_of("Ablation", ablated(), filled<float, 4>({3, 1, 8, 8}), 2), gallery_of("Transfer", transferred())};
  page.arrays = ablated().arrays("ablation.");
  for (auto& a : transferred().arrays("transfer.")) page.arrays.push_back(std::move(a));
  write_report(folder.path(), page);
  CHECK(std::filesystem::exists(folder / "report.html"));
  CHECK(page.tables[0].columns[0] == "run");
}

}  // namespace
