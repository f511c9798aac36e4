// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/version.hpp>
#include <pareidolia/detail/report/chart.hpp>
#include <pareidolia/detail/report/exhibit.hpp>
#include <pareidolia/detail/report/hanging.hpp>
#include <pareidolia/detail/report/lines.hpp>
#include <pareidolia/detail/report/style.hpp>
#include <pareidolia/detail/report/text.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia::detail {

[[nodiscard]] inline std::string fact(std::string const& number, std::string const& what) {
  return "<div><dt>" + what + "</dt><dd class=\"number\">" + number + "</dd></div>";
}

[[nodiscard]] inline std::string pair_row(std::string const& name, std::string const& value) {
  return "<tr><th scope=\"row\">" + escape_html(name) + "</th><td>" + escape_html(value) + "</td></tr>";
}

/// The share of the time that the model took: "92 %".
[[nodiscard]] inline std::string model_share(outcome const& o) {
  return o.seconds > 0 ? fixed(100 * std::min(1., o.model_seconds / o.seconds), 0) + " %" : "-";
}

/// What a section comes to in a few numbers.
[[nodiscard]] inline std::string facts(exhibition const& shown) {
  outcome const& o = shown.source->result;
  auto const reached = static_cast<std::size_t>(std::count_if(o.success.begin(), o.success.end(), [](auto s) { return s != 0; }));
  std::vector<double> doubts;
  for (exhibit const& e : shown.exhibits) doubts.push_back(e.doubt);
  auto const middle = doubts.begin() + static_cast<std::ptrdiff_t>(doubts.size() / 2);
  std::nth_element(doubts.begin(), middle, doubts.end());
  std::string const step = escape_html(shown.source->step_name);
  std::string more;
  if (!o.quantized_success.empty()) {
    auto const files = o.size() - static_cast<std::size_t>(std::count(o.quantized_success.begin(), o.quantized_success.end(), 0));
    more += fact(grouped(files) + " of " + grouped(o.size()), "also when rounded to 8 bits");
  }
  if (shown.source->canvas.size() != 0)
    for (auto const& [column, name] : {std::pair{2u, "L2"}, std::pair{3u, "L∞"}}) {
      std::vector<double> d;
      for (std::size_t i = 0; i < o.size(); ++i) d.push_back(double{as_view(o.distances).row(i)[column]});
      auto const half = d.begin() + static_cast<std::ptrdiff_t>(d.size() / 2);
      std::nth_element(d.begin(), half, d.end());
      more += fact(general(*half), std::string("median distance, ") + name);
    }
  return "<dl class=\"facts\">" + fact(grouped(reached) + " of " + grouped(o.size()), "images that fool the model") + more +
         fact(percentage(*middle), "median confidence") + fact(grouped(o.steps), step + (o.steps == 1 ? "" : "s")) +
         fact(grouped(o.forwards),
              "images through the model" + (o.backwards != 0 ? ", " + grouped(o.backwards) + " gradients" : std::string())) +
         fact(duration(o.seconds), model_share(o) + " of it in the model") + "</dl>";
}

[[nodiscard]] inline std::string figure(report const& r, outcome const& o, exhibit const& e) {
  bool const reached = o.success[e.index] != 0;
  std::string const name = escape_html(e.name), confidence = percentage(e.doubt);
  auto const& s = o.images.shape();
  std::string out = reached ? "<figure>" : "<figure class=\"missed\">";
  auto const show = [&](std::string const& what, std::vector<std::byte> const& png) {
    out += "<img alt=\"" + what + "\" width=\"" + std::to_string(s[3]) + "\" height=\"" + std::to_string(s[2]) +
           "\" src=\"data:image/png;base64," + base64(png) + "\">";
  };
  if (!e.canvas.empty()) show("before: " + escape_html(class_name(r, o.before[e.index])), e.canvas);
  show(name + ", " + escape_html(confidence), e.png);
  if (!e.difference.empty()) show("the difference, ten times", e.difference);
  out += "<figcaption><b>" + name + "</b><span class=\"p\">" + escape_html(confidence) + "</span>";
  if (!e.targeted)
    out += "<small>" + std::string(reached ? "was " : "still ") + escape_html(class_name(r, o.targets[e.index])) + "</small>";
  else if (!reached)
    out += "<small>seen as " + escape_html(class_name(r, o.labels[e.index])) + "</small>";
  return out + "</figcaption></figure>\n";
}

[[nodiscard]] inline std::string contact_sheet_of(report const& r, exhibition const& shown) {
  outcome const& o = shown.source->result;
  bool const small = std::min(o.images.shape()[2], o.images.shape()[3]) < 128;
  std::string out =
      std::string("<div class=\"sheet") + (small ? " pixels" : "") + (shown.source->canvas.size() != 0 ? " triples" : "") + "\">\n";
  std::size_t const count = std::min(shown.exhibits.size(), most_shown);
  for (std::size_t i = 0; i < count; ++i) out += figure(r, o, shown.exhibits[i]);
  out += "</div>";
  if (std::size_t const rest = shown.exhibits.size() - count; rest != 0) out += more_images(rest, shown.folder);
  return out;
}

/// The curves of a section's history: confidence large, everything else small.
[[nodiscard]] inline std::string charts(section const& s) {
  if (s.log.steps.empty()) return {};
  std::string const step = escape_html(s.step_name), large = confidence_chart(s.log, s.step_name);
  std::string out;
  if (!large.empty()) {
    out += "<h3>Confidence over " + step + "s</h3><p class=\"note\">Each line of the axis is a tenth of the doubt of the one below.";
    std::string const median = first_step_at(s.log, "median", 0.9999), worst = first_step_at(s.log, "min", 0.9999);
    if (!median.empty())
      out += " The median reached 0.9999 in " + step + " " + median + (worst.empty() ? "." : ", the last class in " + worst + ".");
    out += "</p>" + large;
  }
  std::string small;
  for (std::string const& name : s.log.names)
    if (large.empty() || (name != "median" && name != "min" && name != "max")) small += figure_chart(s.log, name);
  return small.empty() ? out : out + "<div class=\"sparks\">" + small + "</div>";
}

/// Every number of every image that is shown.
[[nodiscard]] inline std::string numbers(report const& r, exhibition const& shown) {
  outcome const& o = shown.source->result;
  std::string out = "<details><summary>All numbers</summary><div class=\"wide\"><table class=\"all\"><thead><tr>";
  for (char const* head : {"image", "target", "before", "seen as"}) out += std::string("<th>") + head + "</th>";
  for (char const* head : {"confidence", "value", "L0", "L1", "L2", "L∞", "forwards", "backwards"})
    out += std::string("<th class=\"n\">") + head + "</th>";
  out += "</tr></thead><tbody>\n";
  std::size_t const count = std::min(shown.exhibits.size(), most_shown);
  for (std::size_t i = 0; i < count; ++i) {
    auto const label = static_cast<std::size_t>(o.labels[i]);
    out += "<tr><td>" + grouped(i) + "</td>";
    for (int const k : {o.targets[i], o.before[i], o.labels[i]}) out += "<td>" + escape_html(class_name(r, k)) + "</td>";
    out += "<td class=\"n\">" + escape_html(percentage(doubt_of(as_view(o.scores).row(i), label))) + "</td><td class=\"n\">" +
           general(double{o.values[i]}) + "</td>";
    for (float const d : as_view(o.distances).row(i)) out += "<td class=\"n\">" + general(double{d}) + "</td>";
    for (auto const* spent : {&o.forwards_spent, &o.backwards_spent})
      out += "<td class=\"n\">" + (i < spent->size() ? grouped((*spent)[i]) : std::string()) + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table></div></details>";
}

/// Cells of figures stand in line; where one is a sentence, all are set as text.
[[nodiscard]] inline std::string table_html(table const& t) {
  constexpr std::size_t sentence = 60;
  bool const prose = std::ranges::any_of(
      t.rows, [&](auto const& row) { return std::ranges::any_of(row, [&](auto const& cell) { return cell.size() > sentence; }); });
  std::string const number = prose ? "" : " class=\"n\"";
  auto const cells = [&](char const* tag, std::vector<std::string> const& texts) {
    std::string row = "<tr>";
    for (std::size_t c = 0; c < texts.size(); ++c) row += text("<", tag, c == 0 ? "" : number, ">", escape_html(texts[c]), "</", tag, ">");
    return row + "</tr>";
  };
  std::string out = "<section><h2>" + escape_html(t.title) + "</h2>";
  if (!t.note.empty()) out += "<p class=\"note\">" + escape_html(t.note) + "</p>";
  out += text("<div class=\"wide\"><table class=\"", prose ? "prose" : "all", "\"><thead>", cells("th", t.columns), "</thead><tbody>\n");
  for (auto const& row : t.rows) out += cells("td", row) + "\n";
  return out + "</tbody></table></div></section>\n";
}

/// How the sections were made, one column each, and the settings of all of them.
[[nodiscard]] inline std::string provenance(report const& r, std::vector<exhibition> const& exhibitions) {
  std::string out = "<section id=\"made\"><h2>How it was made</h2>";
  if (!exhibitions.empty()) {
    out += "<div class=\"wide\"><table class=\"pairs\"><thead><tr><td></td>";
    for (exhibition const& shown : exhibitions) out += "<th scope=\"col\">" + escape_html(shown.source->title) + "</th>";
    out += "</tr></thead><tbody>\n";
    auto const row = [&](std::string const& name, auto const& value) {
      out += "<tr><th scope=\"row\">" + name + "</th>";
      for (exhibition const& shown : exhibitions) out += "<td>" + escape_html(value(*shown.source, shown.source->result)) + "</td>";
      out += "</tr>\n";
    };
    row("seed", [](section const&, outcome const& o) { return std::to_string(o.seed); });
    row("model fingerprint", [](section const&, outcome const& o) { return o.model == 0 ? "not given" : hexadecimal(o.model); });
    row("search", [](section const& s, outcome const& o) { return plural(o.steps, s.step_name) + (o.complete ? "" : ", stopped early"); });
    row("evaluations",
        [](section const&, outcome const& o) { return grouped(o.forwards) + " forward, " + grouped(o.backwards) + " backward"; });
    row("time", [](section const&, outcome const& o) { return duration(o.seconds) + ", " + model_share(o) + " in the model"; });
    out += "</tbody></table></div>";
  }
  out += "<table class=\"pairs\"><tbody>\n";
  for (auto const& [name, value] : r.settings) out += pair_row(name, value);
  return out + pair_row("pareidolia", std::string(version)) + "</tbody></table></section>\n";
}

[[nodiscard]] inline std::string section_html(report const& r, exhibition const& shown) {
  section const& s = *shown.source;
  std::string out = "<section id=\"" + shown.folder + "\"><h2>" + escape_html(s.title) + "</h2>";
  if (!s.result.complete)
    out += "<p class=\"stopped\"><b>Stopped early</b>, after " + plural(s.result.steps, escape_html(s.step_name)) +
           ". These are the best images found until then.</p>";
  return out + facts(shown) + contact_sheet_of(r, shown) + charts(s) + numbers(r, shown) + "</section>\n";
}

/// The report as one page that needs nothing but itself.
[[nodiscard]] inline std::string report_html(report const& r, std::vector<exhibition> const& exhibitions,
                                             std::vector<hung_gallery> const& galleries) {
  std::string const title = escape_html(r.title), maker = "pareidolia " + std::string(version);
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + title +
                    "</title><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"generator\" content=\"" +
                    maker + "\"><link rel=\"icon\" href=\"data:,\"><style>" + std::string(report_style) + "</style></head>\n<body><header>";
  out +=
      "<p class=\"brand\">" + std::string(report_mark) + "pareidolia <span>" + std::string(version) + "</span></p><h1>" + title + "</h1>";
  if (!r.summary.empty()) out += "<p class=\"lede\">" + escape_html(r.summary) + "</p>";
  std::vector<std::pair<std::string, std::string>> parts;  // anchor and title
  for (chart const& c : r.charts) parts.emplace_back("chart_" + std::to_string(parts.size()), c.title);
  for (hung_gallery const& g : galleries) parts.emplace_back(g.folder, g.source->title);
  for (exhibition const& shown : exhibitions) parts.emplace_back(shown.folder, shown.source->title);
  if (parts.size() > 1) {
    out += "<nav>";
    for (auto const& [anchor, name] : parts) out += "<a href=\"#" + anchor + "\">" + escape_html(name) + "</a>";
    out += "</nav>";
  }
  out += "</header>\n";
  for (table const& t : r.tables) out += table_html(t);
  for (std::size_t k = 0; k < r.charts.size(); ++k) out += chart_html(r.charts[k], parts[k].first);
  for (hung_gallery const& g : galleries) out += gallery_html(g);
  for (exhibition const& shown : exhibitions) out += section_html(r, shown);
  out += provenance(r, exhibitions);
  return out + "<footer>Made with " + maker +
         ". The images are in <code>images</code>, the numbers in <code>result.json</code>, arrays in "
         "<code>result.safetensors</code>.</footer></body></html>\n";
}

}  // namespace pareidolia::detail
