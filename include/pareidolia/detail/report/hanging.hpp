// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/report/exhibit.hpp>
#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>
#include <pareidolia/io/heat_map.hpp>
#include <pareidolia/io/png.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <vector>

// Galleries: their files and their part of the page.

namespace pareidolia::detail {

/// One picture of a gallery, ready to be shown.
struct hung_picture {
  picture const* source = nullptr;
  std::string file;                   ///< name of its PNG in the gallery's folder
  std::vector<std::byte> png;         ///< a map with its bar
  std::vector<std::byte> shown;       ///< what the page shows, where the bar has numbers
  std::size_t height = 0, width = 0;  ///< of what the page shows
  heat_scale scale = {};              ///< with its ends; of a map
};

/// A gallery with everything that follows from it.
struct hung_gallery {
  gallery const* source = nullptr;
  std::string folder;  ///< unique name of files and anchors
  std::vector<hung_picture> pictures = {};
};

[[nodiscard]] inline hung_picture hang(picture const& p) {
  hung_picture result;
  result.source = &p;
  auto const image = as_view(p.image);
  if (p.values.size() == 0) {
    result.shown = result.png = encode_png(image);
    result.height = image.shape[1], result.width = image.shape[2];
  } else {
    result.scale = resolved(p.scale, as_view(p.values));
    auto const map = painted(image, as_view(p.values), result.scale, p.extent, 0);
    result.png = encode_png(as_view(heat_map(image, p.values, p.scale, p.extent)));
    result.shown = encode_png(as_view(map));
    result.height = map.shape()[1], result.width = map.shape()[2];
  }
  return result;
}

/// All galleries of a report, each with a folder that is not `taken`. The report must outlive the result. Errors: pictures that cannot be
/// drawn.
[[nodiscard]] inline std::vector<hung_gallery> hang_galleries(report const& r, std::set<std::string>& taken) {
  std::vector<hung_gallery> result;
  for (gallery const& g : r.galleries) {
    hung_gallery hung{&g, unique_folder(g.title, "gallery", taken)};
    for (std::size_t i = 0; i < g.pictures.size(); ++i) {
      try {
        hung.pictures.push_back(hang(g.pictures[i]));
      } catch (error const& e) {
        fail("report: gallery '", g.title, "', picture ", i, ": ", e.what());
      }
      hung.pictures.back().file = padded(i, g.pictures.size()) + "_" + slug(g.pictures[i].caption, "picture") + ".png";
    }
    result.push_back(std::move(hung));
  }
  return result;
}

[[nodiscard]] inline std::string css_colour(colour const& c) {
  std::string out = "rgb(";
  for (std::size_t k = 0; k < 3; ++k) out += (k == 0 ? "" : " ") + fixed(std::round(255 * double{c[k]}), 0);
  return out + ")";
}

/// A number of a scale: three digits, and not fewer than stand before the point.
[[nodiscard]] inline std::string scale_number(double v) {
  return std::abs(v) >= 999.5 && std::abs(v) < 1e6 ? grouped_signed(v) : general(v, 3);
}

/// The bar of a scale with the numbers of its ends, and 0 where it is between them and has room.
[[nodiscard]] inline std::string scale_html(heat_scale const& scale) {
  auto const at = [&](double v) { return scale.high > scale.low ? 100 * (v - scale.low) / (scale.high - scale.low) : 50; };
  bool const diverging = scale.colours == palette::diverging;
  std::string stops;
  constexpr int parts = 16;
  for (int k = 0; k <= parts; ++k) {
    double const v = scale.low + (scale.high - scale.low) * k / parts;
    stops += "," + css_colour(bar_colour(scale.colours, place_in(scale, v))) + " " + fixed(100. * k / parts, 2) + "%";
  }
  std::string const low = scale_number(scale.low), high = scale_number(scale.high),
                    unit = scale.unit.empty() ? "" : " " + escape_html(scale.unit);
  std::string out = "<div class=\"scale\" role=\"img\" aria-label=\"" + low + " to " + high + unit +
                    "\"><i style=\"background:linear-gradient(to right" + stops + ")\"></i><span>" + low + "</span>";
  if (diverging && at(0) > 20 && at(0) < 60) out += "<span class=\"zero\" style=\"left:" + fixed(at(0), 2) + "%\">0</span>";
  return out + "<span>" + high + unit + "</span></div>";
}

/// A gallery of a report: title, note and pictures, each with its caption and the scale of its map.
[[nodiscard]] inline std::string gallery_html(hung_gallery const& g) {
  std::string out = "<section id=\"" + g.folder + "\"><h2>" + escape_html(g.source->title) + "</h2>";
  if (!g.source->note.empty()) out += "<p class=\"note\">" + escape_html(g.source->note) + "</p>";
  out += std::string("<div class=\"sheet gallery") + (g.source->wide ? " strips" : "") + "\">\n";
  for (hung_picture const& p : std::span(g.pictures).first(std::min(g.pictures.size(), most_shown))) {
    auto const& s = p.source->image.shape();
    bool const small = std::min(s[1], s[2]) < 128;
    out += std::string("<figure") + (small ? " class=\"pixels\"" : "") + "><img alt=\"" + escape_html(p.source->caption) + "\" width=\"" +
           std::to_string(p.width) + "\" height=\"" + std::to_string(p.height) + "\" src=\"data:image/png;base64," + base64(p.shown) +
           "\">";
    if (p.source->values.size() != 0) out += scale_html(p.scale);
    out += "<figcaption>" + escape_html(p.source->caption) + "</figcaption></figure>\n";
  }
  out += "</div>";
  if (g.pictures.size() > most_shown) out += more_images(g.pictures.size() - most_shown, g.folder);
  return out + "</section>\n";
}

}  // namespace pareidolia::detail
