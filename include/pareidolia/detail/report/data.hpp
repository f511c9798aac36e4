// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/version.hpp>
#include <pareidolia/detail/report/exhibit.hpp>
#include <pareidolia/detail/report/hanging.hpp>
#include <pareidolia/models/weights.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace pareidolia::detail {

[[nodiscard]] inline nlohmann::ordered_json json_of(chart const& c) {
  using json = nlohmann::ordered_json;
  constexpr char const* styles[] = {"line", "points", "joined points", "steps", "bars"};
  constexpr char const* scales[] = {"linear", "logarithmic"};
  json lines = json::array(), references = json::array();
  for (line const& l : c.lines)
    lines.push_back(
        {{"name", l.name}, {"x", l.x}, {"y", l.y}, {"low", l.low}, {"high", l.high}, {"style", styles[static_cast<std::size_t>(l.style)]}});
  for (line const& l : c.references) references.push_back({{"name", l.name}, {"x", l.x}, {"y", l.y}});  // infinite: null
  return {{"title", c.title},
          {"note", c.note},
          {"x_name", c.x_name},
          {"y_name", c.y_name},
          {"x_scale", scales[static_cast<std::size_t>(c.x_scale)]},
          {"y_scale", scales[static_cast<std::size_t>(c.y_scale)]},
          {"lines", lines},
          {"references", references}};
}

[[nodiscard]] inline nlohmann::ordered_json json_of(hung_gallery const& g) {
  using json = nlohmann::ordered_json;
  json pictures = json::array();
  for (hung_picture const& p : g.pictures) {
    json one = {{"caption", p.source->caption}, {"file", "images/" + g.folder + "/" + p.file}};
    if (auto const values = as_view(p.source->values); values.size() != 0) {
      json rows = json::array();
      for (std::size_t i = 0; i < values.shape[0]; ++i) rows.push_back(values.row(i));
      one["values"] = rows;
      one["scale"] = {{"low", p.scale.low}, {"high", p.scale.high}, {"unit", p.scale.unit}};
    }
    pictures.push_back(one);
  }
  return {{"title", g.source->title}, {"note", g.source->note}, {"folder", "images/" + g.folder}, {"pictures", pictures}};
}

/// Everything of a report but the pixels.
[[nodiscard]] inline std::string report_json(report const& r, std::vector<exhibition> const& exhibitions,
                                             std::vector<hung_gallery> const& galleries) {
  using json = nlohmann::ordered_json;
  json settings = json::array(), sections = json::array(), tables = json::array(), charts = json::array(), pictures = json::array(),
       arrays = json::array();
  for (chart const& c : r.charts) charts.push_back(json_of(c));
  for (hung_gallery const& g : galleries) pictures.push_back(json_of(g));
  for (named_array const& a : r.arrays) arrays.push_back({{"name", a.name}, {"shape", a.shape}});
  for (table const& t : r.tables) tables.push_back({{"title", t.title}, {"note", t.note}, {"columns", t.columns}, {"rows", t.rows}});
  for (auto const& [name, value] : r.settings) settings.push_back({{"name", name}, {"value", value}});
  for (exhibition const& shown : exhibitions) {
    outcome const& o = shown.source->result;
    json images = json::array();
    for (exhibit const& e : shown.exhibits) {
      std::size_t const i = e.index;
      auto const scores = as_view(o.scores).row(i), d = as_view(o.distances).row(i);
      images.push_back({{"file", "images/" + shown.folder + "/" + e.file},
                        {"targeted", e.targeted},
                        {"target", o.targets[i]},
                        {"before", o.before[i]},
                        {"label", o.labels[i]},
                        {"success", o.success[i] != 0},
                        {"shown_class", e.shown},
                        {"confidence", 1 - e.doubt},
                        {"doubt", e.doubt},
                        {"value", o.values[i]},
                        {"forwards", i < o.forwards_spent.size() ? json(o.forwards_spent[i]) : json()},
                        {"backwards", i < o.backwards_spent.size() ? json(o.backwards_spent[i]) : json()},
                        {"success_in_8_bits", i < o.quantized_success.size() ? json(o.quantized_success[i] != 0) : json()},
                        {"distances", {{"l0", d[0]}, {"l1", d[1]}, {"l2", d[2]}, {"linf", d[3]}}},
                        {"scores", std::vector<float>(scores.begin(), scores.end())}});
    }
    history const& log = shown.source->log;
    sections.push_back({{"title", shown.source->title},
                        {"folder", "images/" + shown.folder},
                        {"seed", o.seed},
                        {"model", o.model == 0 ? json() : json(hexadecimal(o.model))},
                        {"complete", o.complete},
                        {"step_name", shown.source->step_name},
                        {"steps", o.steps},
                        {"forwards", o.forwards},
                        {"backwards", o.backwards},
                        {"seconds", o.seconds},
                        {"model_seconds", o.model_seconds},
                        {"images", images},
                        {"history", {{"names", log.names}, {"steps", log.steps}, {"rows", log.rows}}}});
  }
  json const all = {{"title", r.title},
                    {"summary", r.summary},
                    {"version", std::string(version)},
                    {"settings", settings},
                    {"class_names", r.class_names},
                    {"sections", sections},
                    {"tables", tables},
                    {"charts", charts},
                    {"galleries", pictures},
                    {"arrays", arrays}};
  return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

/// The arrays of a report as tensors: those of its sections as <folder>.<array>, its own as they are named. No times, so that the same seed
/// gives the same bytes. Errors: names that clash.
[[nodiscard]] inline weights report_tensors(report const& r, std::vector<exhibition> const& exhibitions) {
  weights result;
  result.metadata["version"] = version;
  for (exhibition const& shown : exhibitions) {
    outcome const& o = shown.source->result;
    std::string const prefix = shown.folder + ".";
    auto const put = [&](char const* name, std::vector<std::size_t> shape, auto const& values) {
      parameter p{std::move(shape), {}};
      p.values.reserve(values.size());
      for (auto const v : values) p.values.push_back(static_cast<float>(v));
      result.parameters.emplace(prefix + name, std::move(p));
    };
    auto const& s = o.images.shape();
    std::size_t const count = o.size();
    put("images", {s[0], s[1], s[2], s[3]}, as_view(o.images).flat());
    put("scores", {count, o.scores.shape()[1]}, as_view(o.scores).flat());
    put("distances", {count, 4}, as_view(o.distances).flat());
    put("values", {count}, o.values);
    put("targets", {count}, o.targets);
    put("before", {count}, o.before);
    put("labels", {count}, o.labels);
    put("success", {count}, o.success);
    auto const put_if_there = [&](char const* name, auto const& values) {
      if (!values.empty()) put(name, {values.size()}, values);
    };
    put_if_there("success_in_8_bits", o.quantized_success);
    put_if_there("forwards", o.forwards_spent);
    put_if_there("backwards", o.backwards_spent);
    if (o.shared.size() != 0) put("shared", {o.shared.shape()[0], o.shared.shape()[1]}, as_view(o.shared).flat());
    result.metadata[prefix + "seed"] = std::to_string(o.seed);
    result.metadata[prefix + "model"] = hexadecimal(o.model);
    result.metadata[prefix + "steps"] = std::to_string(o.steps);
    result.metadata[prefix + "complete"] = o.complete ? "true" : "false";
  }
  for (named_array const& a : r.arrays)
    if (!result.parameters.emplace(a.name, parameter{a.shape, a.values}).second)
      fail("report: two arrays are named '", a.name, "'; give each a name of its own");
  return result;
}

}  // namespace pareidolia::detail
