// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/report.hpp>

#include <pareidolia/loaders/image.hpp>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

// Three images of an attack that wanted classes 0, 1 and 2; the last one did not get there.
outcome sample(std::size_t channels = 1) {
  outcome o;
  o.images = filled<float, 4>({3, channels, 4, 5}, 0.25f);
  o.scores = filled<float, 2>({3, 3});
  o.scores(0, 0) = o.scores(1, 1) = 12;
  o.scores(2, 0) = 20;
  o.values = {1, 1, -20};
  o.targets = {0, 1, 2};
  o.before = {0, 0, 0};
  o.labels = {0, 1, 0};
  o.success = {1, 1, 0};
  o.distances = filled<float, 2>({3, 4}, 1.5f);
  o.steps = 7;
  o.forwards = 1234;
  o.backwards = 5;
  o.seconds = 2;
  o.model_seconds = 1.8;
  o.seed = 18446744073709551615u;
  o.model = 0xfeed;
  return o;
}

report two_sections() {
  report r{"Title & <more>", "A summary."};
  r.settings = {{"rate", "0.1"}, {"<script>", "alert(1)"}};
  history log{{"median", "min", "max", "replaced"}, {1, 2}, {{0.5, 0.1, 0.9, 3}, {0.99995, 0.9, 1, 0}}};
  r.sections.push_back({"Direct encoding", sample(), log});
  r.sections.push_back({"direct encoding!", sample(3), {}, "step"});
  r.sections.back().result.complete = false;
  r.class_names = {"zero", "o/n\"e"};
  return r;
}

std::string page_of(std::filesystem::path const& folder) { return pareidolia::detail::read_file(folder / "report.html"); }

TEST_CASE("a report is a page, pictures, numbers and arrays") {
  temporary_folder const folder;
  auto const at = folder / "new/report";
  write_report(at, two_sections());
  for (char const* name : {"report.html", "result.json", "result.safetensors", "images/direct-encoding/0_zero_0.999987.png",
                           "images/direct-encoding/1_o-n-e_0.999987.png", "images/direct-encoding/2_class-2_0.000000.png",
                           "images/direct-encoding/contact_sheet.png", "images/direct-encoding-2/0_zero_0.999987.png"}) {
    CAPTURE(name);
    CHECK(std::filesystem::is_regular_file(at / name));
  }
  CHECK(folder.files() == 3 + 2 * 4);
}

TEST_CASE("the page stands alone and shows what there is to see") {
  temporary_folder const folder;
  write_report(folder.path(), two_sections());
  std::string const page = page_of(folder.path());
  for (char const* part : {"Title &amp; &lt;more&gt;",
                           "A summary.",
                           "data:image/png;base64,iVBORw0KGgo",
                           "o/n&quot;e",
                           "seen as zero",
                           "2 of 3",
                           "99.9987 %",
                           "1,234",
                           "90 % of it in the model",
                           "18446744073709551615",
                           "000000000000feed",
                           "Stopped early",
                           "after 7 steps",
                           "Confidence over generations",
                           "reached 0.9999 in generation 2",
                           "<polyline",
                           "prefers-color-scheme:dark",
                           "@media print",
                           "name=\"viewport\"",
                           "&lt;script&gt;"}) {
    CAPTURE(part);
    CHECK(contains(page, part));
  }
  for (char const* part : {"<script", "http://", "https://", "@import", "url(", "nan", "<more>"}) {
    CAPTURE(part);
    CHECK(!contains(page, part));
  }
  for (char const* tag : {"section", "figure", "table", "div", "details", "svg", "span", "small", "dl", "p"}) {
    std::size_t opened = 0, closed = 0;
    for (std::size_t i = 0; (i = page.find('<', i)) != std::string::npos; ++i) {
      auto const is = [&](std::string const& text) { return page.compare(i, text.size(), text) == 0; };
      opened += is(std::string("<") + tag + ">") || is(std::string("<") + tag + " ");
      closed += is(std::string("</") + tag + ">");
    }
    CAPTURE(tag);
    CHECK(opened == closed);
  }
}

TEST_CASE("a complete run is not called stopped, and a section without history has no chart") {
  temporary_folder const folder;
  report r{"t"};
  r.sections.push_back({"s", sample()});
  write_report(folder.path(), r);
  CHECK(!contains(page_of(folder.path()), "Stopped early"));
  CHECK(!contains(page_of(folder.path()), "class=\"chart\""));
}

TEST_CASE("an attack that leaves its class is shown under the class it reached") {
  temporary_folder const folder;
  report r{"t"};
  outcome o = sample();
  o.targets = {1, 0, 0};  // left, left, still there
  o.success = {1, 1, 0};
  r.sections.push_back({"s", o});
  r.class_names = {"cat", "dog", "cow"};
  write_report(folder.path(), r);
  CHECK(std::filesystem::exists(folder / "images/s/0_cat_0.999987.png"));
  CHECK(contains(page_of(folder.path()), "was dog"));
  CHECK(contains(page_of(folder.path()), "still cat"));
}

TEST_CASE("an attack on given images is shown before, after, and as ten times the difference") {
  temporary_folder const folder;
  report r{"t"};
  section found{"s", sample()};
  found.canvas = filled<float, 4>({1, 1, 4, 5}, .23f);
  found.result.quantized_success = {1, 0, 0};
  found.result.forwards_spent = {3, 4, 5};
  found.result.backwards_spent = {6, 7, 8};
  found.result.shared = filled<float, 2>({1, 20}, .02f);
  r.sections.push_back(found);
  write_report(folder.path(), r);
  auto const difference = read_image(folder / "images/s/1_difference.png"), before = read_image(folder / "images/s/2_before.png");
  CHECK(difference(0, 3, 4) == doctest::Approx(.5 + 10 * (.25 - .23)).epsilon(.01));
  CHECK(before(0, 0, 0) == doctest::Approx(.23).epsilon(.01));
  auto const page = page_of(folder.path());
  CHECK(contains(page, "<div class=\"sheet pixels triples\">"));
  CHECK(contains(page, "the difference, ten times"));
  CHECK(contains(page, "1 of 3</dd>"));
  auto const json = nlohmann::json::parse(pareidolia::detail::read_file(folder / "result.json"));
  auto const& image = json["sections"][0]["images"][1];
  CHECK(image["forwards"] == 4);
  CHECK(image["backwards"] == 7);
  CHECK(image["success_in_8_bits"] == false);
  weights const w = read_safetensors(folder / "result.safetensors");
  CHECK(w.parameters.at("s.shared").shape == std::vector<std::size_t>{1, 20});
  CHECK(w.parameters.at("s.success_in_8_bits").values == std::vector<float>{1, 0, 0});

  r.sections[0].canvas = filled<float, 4>({1, 1, 5, 4}, .23f);
  CHECK_THROWS_WITH_AS(write_report(folder.path(), r), doctest::Contains("its canvases are not of the shape of its images"), error);
}

TEST_CASE("a report shows tables, and refuses one whose rows are not as long as its columns") {
  temporary_folder const folder;
  report r{"t"};
  r.tables.push_back({"Transfer & co", "Errors.", {"made for", "a", "b"}, {{"a", "100 %", "<3>"}}});
  write_report(folder.path(), r);
  CHECK(contains(page_of(folder.path()), "Transfer &amp; co"));
  CHECK(contains(page_of(folder.path()), "<td class=\"n\">&lt;3&gt;</td>"));
  CHECK(!contains(page_of(folder.path()), "<table class=\"prose\">"));
  auto const json = nlohmann::json::parse(pareidolia::detail::read_file(folder / "result.json"));
  CHECK(json["tables"][0]["rows"][0][1] == "100 %");
  r.tables[0].rows.push_back({"b", "A cell that holds a sentence, which a reader wants to see without scrolling.", "-"});
  write_report(folder.path(), r);
  CHECK(contains(page_of(folder.path()), "<table class=\"prose\">"));
  CHECK(contains(page_of(folder.path()), "<td>&lt;3&gt;</td>"));
  r.tables[0].rows.push_back({"b"});
  CHECK_THROWS_WITH_AS(write_report(folder.path(), r), doctest::Contains("a row has 1 cells for 3 columns"), error);
}

TEST_CASE("result.json holds everything but the pixels") {
  temporary_folder const folder;
  report r = two_sections();
  r.class_names.push_back("\xff no UTF-8");
  write_report(folder.path(), r);
  auto const json = nlohmann::json::parse(pareidolia::detail::read_file(folder / "result.json"));
  CHECK(json["title"] == "Title & <more>");
  CHECK(json["version"] == std::string(version));
  CHECK(json["settings"][1]["value"] == "alert(1)");
  REQUIRE(json["sections"].size() == 2);
  auto const& s = json["sections"][0];
  CHECK(s["seed"] == 18446744073709551615u);
  CHECK(s["model"] == "000000000000feed");
  CHECK(s["complete"] == true);
  CHECK(json["sections"][1]["complete"] == false);
  CHECK(s["forwards"] == 1234);
  CHECK(s["seconds"] == 2);
  CHECK(s["history"]["rows"][1][0] == 0.99995);
  CHECK(s["images"].size() == 3);
  CHECK(s["images"][2]["success"] == false);
  CHECK(s["images"][2]["scores"] == std::vector<float>{20, 0, 0});
  CHECK(s["images"][0]["distances"]["linf"] == 1.5);
  CHECK(s["images"][0]["doubt"].get<double>() == doctest::Approx(2 * std::exp(-12.) / (1 + 2 * std::exp(-12.))));
  for (auto const& section : json["sections"])
    for (auto const& image : section["images"]) CHECK(std::filesystem::exists(folder / image["file"].get<std::string>()));
}

TEST_CASE("result.safetensors holds the arrays, and no times") {
  temporary_folder const folder;
  report r = two_sections();
  write_report(folder / "a", r);
  for (section& s : r.sections) s.result.seconds = 77, s.result.model_seconds = 66;
  write_report(folder / "b", r);
  using pareidolia::detail::read_file;
  CHECK(read_file(folder / "a/result.safetensors") == read_file(folder / "b/result.safetensors"));
  r.sections[0].result.images(0, 0, 0, 0) = 0.75f;
  write_report(folder / "b", r);
  CHECK(read_file(folder / "a/result.safetensors") != read_file(folder / "b/result.safetensors"));

  weights const w = read_safetensors(folder / "a/result.safetensors");
  CHECK(w.parameters.size() == 16);
  CHECK(w.parameters.at("direct-encoding-2.images").shape == std::vector<std::size_t>{3, 3, 4, 5});
  CHECK(w.parameters.at("direct-encoding.scores").values[6] == 20);
  CHECK(w.parameters.at("direct-encoding.labels").values == std::vector<float>{0, 1, 0});
  CHECK(w.parameters.at("direct-encoding.success").values == std::vector<float>{1, 1, 0});
  CHECK(w.metadata.at("direct-encoding.seed") == "18446744073709551615");
  CHECK(w.metadata.at("direct-encoding.model") == "000000000000feed");
  CHECK(w.metadata.at("version") == version);
}

TEST_CASE("a rerun replaces the pictures of the former one and nothing else") {
  temporary_folder const folder;
  report r{"t"};
  r.sections.push_back({"s", sample()});
  write_report(folder.path(), r);
  put(folder / "images/s/my notes.txt", "keep");
  put(folder / "images/s/mine.png", "keep");
  r.sections[0].result.scores(0, 0) = 3;
  write_report(folder.path(), r);
  CHECK(folder.files() == 3 + 4 + 2);
}

TEST_CASE("a page of very many images shows the first and points to the rest") {
  std::size_t const count = pareidolia::detail::most_shown + 5;
  outcome o;
  o.images = filled<float, 4>({count, 1, 2, 2});
  o.scores = filled<float, 2>({count, 2});
  o.distances = filled<float, 2>({count, 4});
  o.values.resize(count);
  o.targets = o.before = o.labels = std::vector<int>(count);
  o.success = std::vector<std::uint8_t>(count, 1);
  temporary_folder const folder;
  report r{"t"};
  r.sections.push_back({"s", o});
  write_report(folder.path(), r);
  CHECK(contains(page_of(folder.path()), "5 more images in <code>images/s</code>"));
  CHECK(std::filesystem::exists(folder / "images/s/007_class-0_0.500000.png"));
}

TEST_CASE("arrays that do not belong together are refused before anything is written") {
  temporary_folder const folder;
  auto const error_with = [&](auto const& spoil) {
    report r{"t"};
    r.sections.push_back({"runs", sample(), {{"a"}, {1}, {{1.}}}});
    spoil(r.sections[0]);
    return error_of([&] { write_report(folder / "r", r); });
  };
  CHECK(contains(error_with([](section& s) { s.result.targets.pop_back(); }), "report: section 'runs': the arrays"));
  CHECK(contains(error_with([](section& s) { s.result.labels[1] = 3; }), "class 3 is none of its 3 classes"));
  CHECK(contains(error_with([](section& s) { s.result.before[1] = -1; }), "class -1"));
  CHECK(contains(error_with([](section& s) { s.result = {}; }), "no images"));
  CHECK(contains(error_with([](section& s) { s.log.rows[0].push_back(1); }), "2 values for 1 names"));
  CHECK(contains(error_with([](section& s) { s.log.rows.pop_back(); }), "1 steps and 0 rows"));
  CHECK(contains(error_with([](section& s) { s.result.images = filled<float, 4>({3, 2, 4, 4}); }), "2 channels"));
  CHECK(!std::filesystem::exists(folder / "r"));
}

// Two lines with a band and a map: what a probe hands over, without any run.
report of_a_probe() {
  report r{"Probe"};
  r.charts.push_back({"Copies & more",
                      "Median.",
                      "copies <n>",
                      "log10 p",
                      {{"best first", {0, 1, 2}, {-3, -1.5, -1}, {-4, -2, -1.25}, {-2, -1, -.5}}, {"random", {0, 2}, {-3, -2.5}}}});
  r.galleries.push_back(
      {"Maps", "Where.", {{"the image", filled<float, 3>({3, 4, 5}, .25f)}, {"a map & its scale", filled<float, 3>({1, 4, 5})}}});
  auto& map = r.galleries[0].pictures[1];
  map.values = filled<float, 2>({1, 3}, 1.5f);
  map.values(0, 0) = -.75f;
  map.scale = {.colours = palette::diverging, .unit = "nat"};
  r.arrays = {{"gains", {2, 2}, {1, 2, 3, 4}}, {"threshold", {}, {.5f}}};
  return r;
}

TEST_CASE("what probes found is a report without runs") {
  temporary_folder const folder;
  write_report(folder.path(), of_a_probe());
  for (char const* name : {"images/maps/0_the-image.png", "images/maps/1_a-map-its-scale.png"}) {
    CAPTURE(name);
    CHECK(std::filesystem::is_regular_file(folder / name));
  }
  CHECK(folder.files() == 3 + 2);
  auto const map = read_image(folder / "images/maps/1_a-map-its-scale.png");
  CHECK(map.shape()[2] == 5 * 45 + 20);

  auto const json = nlohmann::json::parse(pareidolia::detail::read_file(folder / "result.json"));
  auto const& lines = json["charts"][0]["lines"];
  CHECK(json["charts"][0]["x_name"] == "copies <n>");
  CHECK(lines[0]["y"] == std::vector<double>{-3, -1.5, -1});
  CHECK(lines[0]["low"] == std::vector<double>{-4, -2, -1.25});
  CHECK(lines[1]["x"] == std::vector<double>{0, 2});
  CHECK(lines[1]["high"].empty());
  auto const& pictures = json["galleries"][0]["pictures"];
  CHECK(json["galleries"][0]["note"] == "Where.");
  CHECK(!pictures[0].contains("values"));
  CHECK(pictures[1]["values"][0] == std::vector<double>{-.75, 1.5, 1.5});
  CHECK(pictures[1]["scale"]["low"] == -1.5);
  CHECK(std::filesystem::exists(folder / pictures[1]["file"].get<std::string>()));
  CHECK(json["arrays"][0]["name"] == "gains");
  CHECK(json["arrays"][0]["shape"] == std::vector<std::size_t>{2, 2});

  weights const w = read_safetensors(folder / "result.safetensors");
  CHECK(w.parameters.at("gains").shape == std::vector<std::size_t>{2, 2});
  CHECK(w.parameters.at("gains").values == std::vector<float>{1, 2, 3, 4});
  CHECK(w.parameters.at("threshold").values == std::vector<float>{.5f});
}

TEST_CASE("the page draws charts and galleries, with round ticks and a scale") {
  temporary_folder const folder;
  write_report(folder.path(), of_a_probe());
  std::string const page = page_of(folder.path());
  for (char const* part :
       {"<h2>Copies &amp; more</h2>", "copies &lt;n&gt;", "<polyline class=\"line s0\" points=\"0.00,75.00 50.00,37.50 100.00,25.00 \"/>",
        "<polyline class=\"line s1\" points=\"0.00,75.00 100.00,62.50 \"/>",
        "<polygon class=\"s0\" points=\"0.00,50.00 50.00,25.00 100.00,12.50 100.00,31.25 50.00,50.00 0.00,100.00 \"/>",
        "bottom:75.00%\"><b>-1</b>", "left:25.00%\">0.5</span>", "best first</li>", "<a href=\"#maps\">Maps</a>", "<section id=\"maps\">",
        "a map &amp; its scale</figcaption>", "aria-label=\"-1.5 to 1.5 nat\"", "left:50.00%\">0</span>"}) {
    CAPTURE(part);
    CHECK(contains(page, part));
  }
  CHECK(!contains(page, "<polygon class=\"s1\""));
  CHECK(!contains(page, "images that fool the model"));
}

TEST_CASE("ticks are round, few, and have the digits they need") {
  using pareidolia::detail::round_axis;
  auto const ticks = [](double least, double greatest, bool whole) {
    round_axis const axis(least, greatest, whole);
    std::string all;
    for (double const t : axis.ticks()) all += axis.text(t) + " ";
    return all;
  };
  CHECK(ticks(0, 20, true) == "0 5 10 15 20 ");
  CHECK(ticks(.3, 4.9, true) == "0 1 2 3 4 5 ");
  CHECK(ticks(.3, 4.9, false) == "1 2 3 4 ");
  CHECK(ticks(-.013, .042, true) == "-0.02 0 0.02 0.04 0.06 ");
  CHECK(ticks(-25e3, 1e5, true) == "-50,000 0 50,000 100,000 ");
  CHECK(ticks(1e-9, 5e-9, true) == "1e-09 2e-09 3e-09 4e-09 5e-09 ");
  CHECK(ticks(1e12, 2e12, false) == "1e+12 1.2e+12 1.4e+12 1.6e+12 1.8e+12 2e+12 ");
  CHECK(ticks(7, 7, false) == "4 6 8 10 ");
  CHECK(ticks(0, 0, false) == "-0.4 -0.2 0 0.2 0.4 ");
  CHECK(ticks(1, std::nextafter(1, 2), false) == "0.6 0.8 1.0 1.2 1.4 ");
  for (double low : {-1e300, -7., 0., 1e-300})
    for (double high : {1e-299, 3., 1e5, 1e300}) CHECK(round_axis(low, high, true).ticks().size() <= 7);
}

TEST_CASE("a chart may have no lines, one point or none, and more lines than colours") {
  temporary_folder const folder;
  report r{"t"};
  r.charts.push_back({"empty", "Nothing was found.", "x", "y"});
  r.charts.push_back({"points", "", "x", "y", {{"one", {3}, {4}}, {"none", {}, {}}}});
  r.charts.push_back({"many", "", "x", "y", std::vector<line>(8, {"l", {1, 2}, {1, 2}})});
  r.galleries.push_back({"nothing"});
  write_report(folder.path(), r);
  std::string const page = page_of(folder.path());
  CHECK(contains(page, "Nothing was found."));
  CHECK(contains(page, "<polyline class=\"line s0 dot\" points=\"50.00,50.00 50.00,50.00 \"/>"));
  CHECK(contains(page, "<polyline class=\"line s1 dashed\""));
  CHECK(!contains(page, "nan"));
}

TEST_CASE("a line of very many points is drawn thinned, and stored whole") {
  temporary_folder const folder;
  report r{"t"};
  line l{"l", {}, {}};
  for (int i = 0; i < 5000; ++i) l.x.push_back(i), l.y.push_back(i);
  r.charts.push_back({"c", "", "x", "y", {l}});
  write_report(folder.path(), r);
  CHECK(page_of(folder.path()).size() < 30000);
  auto const json = nlohmann::json::parse(pareidolia::detail::read_file(folder / "result.json"));
  CHECK(json["charts"][0]["lines"][0]["y"].size() == 5000);
}

TEST_CASE("scales, styles and references of a chart are stored, and an infinite end of a reference as none") {
  temporary_folder const folder;
  report r{"t"};
  r.charts.push_back({"c", "", "x", "y", {{"l", {0, 1}, {1, 2}, {}, {}, line_style::joined_points}}});
  r.charts[0].y_scale = axis_scale::logarithmic;
  r.charts[0].references = {{"level", {-INFINITY, INFINITY}, {1, 1}}};
  write_report(folder.path(), r);
  auto const json = nlohmann::json::parse(pareidolia::detail::read_file(folder / "result.json"))["charts"][0];
  CHECK(json["x_scale"] == "linear");
  CHECK(json["y_scale"] == "logarithmic");
  CHECK(json["lines"][0]["style"] == "joined points");
  CHECK(json["references"][0]["name"] == "level");
  CHECK(json["references"][0]["x"][1].is_null());
  CHECK(json["references"][0]["y"] == std::vector<double>{1, 1});
}

TEST_CASE("galleries and sections of one title have folders of their own, and a rerun replaces the pictures") {
  temporary_folder const folder;
  report r = of_a_probe();
  r.sections.push_back({"maps", sample()});
  write_report(folder.path(), r);
  put(folder / "images/maps-2/mine.png", "keep");
  CHECK(folder.files() == 3 + 4 + 2 + 1);
  r.galleries[0].pictures.pop_back();
  write_report(folder.path(), r);
  CHECK(folder.files() == 3 + 4 + 1 + 1);
  CHECK(std::filesystem::exists(folder / "images/maps/0_zero_0.999987.png") == false);
  CHECK(std::filesystem::exists(folder / "images/maps/0_class-0_0.999987.png"));
  CHECK(std::filesystem::exists(folder / "images/maps-2/0_the-image.png"));
}

TEST_CASE("charts, galleries and arrays that do not belong together are refused before anything is written") {
  temporary_folder const folder;
  auto const error_with = [&](auto const& spoil) {
    report r = of_a_probe();
    r.sections.push_back({"runs", sample()});
    spoil(r);
    return error_of([&] { write_report(folder / "r", r); });
  };
  double const nan = std::nan("");
  CHECK(contains(error_with([](report& r) { r.charts[0].lines[0].x.pop_back(); }),
                 "report: chart 'Copies & more', line 'best first': 2 values of x and 3 of y"));
  CHECK(contains(error_with([](report& r) { r.charts[0].lines[0].low.pop_back(); }), "a band of 2 and 3 values around 3 points"));
  CHECK(contains(error_with([](report& r) { r.charts[0].lines[1].low = {1, 2}; }), "a band of 2 and 0 values around 2 points"));
  CHECK(contains(error_with([&](report& r) { r.charts[0].lines[1].y[1] = nan; }), "line 'random': y[1] is nan"));
  CHECK(contains(error_with([&](report& r) { r.charts[0].lines[0].high[2] = INFINITY; }), "high[2] is inf"));
  CHECK(contains(error_with([](report& r) {
                   r.galleries[0].pictures[0].image = filled<float, 3>({2, 4, 4});
                 }),
                 "report: gallery 'Maps', picture 0: png: the image has 2 channels"));
  CHECK(contains(error_with([](report& r) {
                   r.galleries[0].pictures[1].image = filled<float, 3>({4, 4, 4});
                 }),
                 "report: gallery 'Maps', picture 1: heat_map: image has 4 channels"));
  CHECK(
      contains(error_with([&](report& r) { r.galleries[0].pictures[1].values(0, 2) = NAN; }), "picture 1: heat_map: values(0, 2) is nan"));
  CHECK(contains(error_with([](report& r) { r.arrays[1].name = "gains"; }), "report: two arrays are named 'gains'"));
  CHECK(contains(error_with([](report& r) { r.arrays[1] = {"runs.scores", {1}, {1}}; }), "report: two arrays are named 'runs.scores'"));
  CHECK(contains(error_with([](report& r) { r.arrays[0].shape[0] = 3; }), "report: arrays: tensor 'gains': its shape asks for 6 values"));
  CHECK(contains(error_with([](report& r) { r.arrays[0].name = "\xff"; }), "report: arrays: a name or a metadata text is not UTF-8"));
  CHECK(!std::filesystem::exists(folder / "r"));
}

TEST_CASE("a folder that cannot be written is one error, before the run if asked") {
  temporary_folder const folder;
  put(folder / "file", "");
  std::filesystem::create_directories(folder / "taken/report.html");
  for (auto const& at : {folder / "file", folder / "file/below", std::filesystem::path("/proc/pareidolia")}) {
    CAPTURE(at.string());
    CHECK(contains(error_of([&] { prepare_report(at); }), at.string() + ": the folder cannot be made"));
    CHECK(contains(error_of([&] { write_report(at, two_sections()); }), at.string() + ": the folder cannot be made"));
  }
  CHECK(contains(error_of([&] { prepare_report(folder / "taken"); }), "taken/report.html: cannot be written"));
  prepare_report(folder / "good/folder");
  CHECK(folder.files() == 1);
}

TEST_CASE("a full disk is one error") {
  temporary_folder const folder;
  full_disk const full(500);
  CHECK(contains(error_of([&] { write_report(folder.path(), two_sections()); }), "cannot be written (File too large)"));
}

}  // namespace
