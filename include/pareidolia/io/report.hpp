// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/report/data.hpp>
#include <pareidolia/detail/report/exhibit.hpp>
#include <pareidolia/detail/report/hanging.hpp>
#include <pareidolia/detail/report/lines.hpp>
#include <pareidolia/detail/report/page.hpp>
#include <pareidolia/io/atomic_file.hpp>
#include <pareidolia/io/findings.hpp>
#include <pareidolia/io/png.hpp>
#include <pareidolia/loaders/safetensors.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace pareidolia {
namespace detail {

inline void make_folder(std::filesystem::path const& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure || !std::filesystem::is_directory(folder, failure))
    fail(folder.string(), ": the folder cannot be made (", failure ? failure.message() : "a file has that name", "); choose another");
}

/// Removes the pictures that an earlier report left: a rerun names them by other confidences.
inline void remove_pictures(std::filesystem::path const& folder) {
  std::vector<std::filesystem::path> old;
  std::error_code failure;
  for (auto const& file : std::filesystem::directory_iterator(folder, failure)) {
    std::string const name = file.path().filename().string();
    auto const digits = name.find_first_not_of("0123456789");
    if (digits != 0 && digits != std::string::npos && name[digits] == '_' && name.ends_with(".png")) old.push_back(file.path());
  }
  for (auto const& path : old) std::filesystem::remove(path, failure);
}

/// What the file of the arrays would refuse, before anything is written.
inline void check_tensors(weights const& tensors) {
  try {
    (void)safetensors::header_of(tensors);
  } catch (error const& e) {
    fail("report: arrays: ", e.what());
  }
}

/// All images of a section in one, about as wide as a screen; the first ones if there are very many.
inline void write_contact_sheet(std::filesystem::path const& path, outcome const& o) {
  auto const images = as_view(o.images).rows(0, std::min(o.size(), most_shown));
  auto const columns = static_cast<std::size_t>(std::ceil(std::sqrt(2.5 * static_cast<double>(images.shape[0]))));
  auto const sheet = contact_sheet(images, columns, 4, std::max<std::size_t>(1, 112 / std::max(images.shape[2], images.shape[3])));
  write_png(path, as_view(sheet));
}

}  // namespace detail

/// Makes the folder of a report, if it is missing, and checks that files can be written to it: to be called before a long run.
inline void prepare_report(std::filesystem::path const& folder) {
  detail::make_folder(folder);
  atomic_file{folder / "report.html"};
}

/// Writes what runs found to a folder, which is made if it is missing:
///   report.html           one page with everything to look at; opens anywhere, offline
///   images/<gallery>/     each picture as <index>_<caption>.png, maps with a bar of their colours
///   images/<section>/     each image as <index>_<class>_<confidence>.png, and contact_sheet.png; where the section has canvases, also
///                         <index>_before.png and <index>_difference.png, 1/2 + 10 (image - canvas)
///   result.json           everything but the pixels
///   result.safetensors    images, scores, distances, values, targets, before, labels, success and, where there are, success_in_8_bits,
///                         forwards, backwards and shared as float, named <section>.<array>, with version, seed, model and steps as
///                         metadata; no times: the same seed gives the same bytes; and the arrays of the report under their names
/// An earlier report in the folder is replaced. Confidence is softmax(scores).
/// Errors, before anything is written: an outcome, line, band or array whose parts do not belong together, values that are not finite,
/// images with other than 1 or 3 channels, arrays with one name, a folder that cannot be made; then a file that cannot be written, a full
/// disk. Files are written completely or not at all, report.html last.
inline void write_report(std::filesystem::path const& folder, report const& r) {
  for (table const& t : r.tables)
    for (auto const& row : t.rows)
      if (row.size() != t.columns.size())
        detail::fail("report: table '", t.title, "': a row has ", row.size(), " cells for ", t.columns.size(), " columns");
  for (chart const& c : r.charts) detail::check_chart(c);
  std::set<std::string> folders;
  auto const exhibitions = detail::make_exhibitions(r, folders);
  auto const galleries = detail::hang_galleries(r, folders);
  auto const tensors = detail::report_tensors(r, exhibitions);
  detail::check_tensors(tensors);
  detail::make_folder(folder);
  for (auto const& shown : exhibitions) {
    auto const images = folder / "images" / shown.folder;
    detail::make_folder(images);
    detail::remove_pictures(images);
    for (auto const& e : shown.exhibits) {
      detail::write_file(images / e.file, {e.png});
      std::string const stem = e.file.substr(0, e.file.find('_'));
      if (!e.canvas.empty()) detail::write_file(images / (stem + "_before.png"), {e.canvas});
      if (!e.difference.empty()) detail::write_file(images / (stem + "_difference.png"), {e.difference});
    }
    detail::write_contact_sheet(images / "contact_sheet.png", shown.source->result);
  }
  for (auto const& hung : galleries) {
    auto const images = folder / "images" / hung.folder;
    detail::make_folder(images);
    detail::remove_pictures(images);
    for (auto const& p : hung.pictures) detail::write_file(images / p.file, {p.png});
  }
  write_safetensors(folder / "result.safetensors", tensors);
  detail::write_file(folder / "result.json", detail::report_json(r, exhibitions, galleries));
  detail::write_file(folder / "report.html", detail::report_html(r, exhibitions, galleries));
}

}  // namespace pareidolia
