// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/boundary_walk.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/vectors.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

// Paths inside classification regions, many side by side.

namespace pareidolia::detail {

/// x = (1 - t) a + t b.
inline void between(std::span<float const> a, std::span<float const> b, double t, std::span<float> x) {
  auto const to = static_cast<float>(t), from = static_cast<float>(1 - t);
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = from * a[j] + to * b[j];
}

struct trail_settings {
  std::size_t samples, depth;  ///< parts of the straight line, depth of splits
  walk_settings walk;          ///< of midpoints that are outside
};

/// A path between two points of one region, as far as it has been laid.
struct trail {
  int label;  ///< of the region
  double distance;
  bool connected = true;
  std::map<std::uint64_t, std::vector<float>> anchors;  ///< by their place: 0 and 2^32 are the ends, what splits (a, b) is at (a + b) / 2

  trail(int of, std::span<float const> first, std::span<float const> last)
      : label(of), distance(detail::distance(first, last)), anchors{{0, {first.begin(), first.end()}}, {end, {last.begin(), last.end()}}} {}

  static constexpr std::uint64_t end = std::uint64_t{1} << 32;

  /// Length over distance; 1 for ends that are one point, infinite where not connected.
  [[nodiscard]] double straightness() const {
    if (!connected) return std::numeric_limits<double>::infinity();
    if (!(distance > 0)) return 1;
    double length = 0;
    for (auto a = anchors.begin(), b = std::next(a); b != anchors.end(); a = b++) length += detail::distance(a->second, b->second);
    return length / distance;
  }

  /// The anchors (n, d).
  [[nodiscard]] tensor<float, 2> rows() const {
    auto result = filled<float, 2>({anchors.size(), anchors.begin()->second.size()});
    std::size_t i = 0;
    for (auto const& [place, anchor] : anchors) std::ranges::copy(anchor, as_view(result).row(i++).begin());
    return result;
  }
};

/// The part of a trail between two anchors that are next to each other.
struct segment {
  std::size_t of;
  std::uint64_t from, to;
};

/// Those of some segments that have a point outside the region of their trail, of points at most distance / samples apart.
///
/// Points are looked at as a binary search would: of n parts the borders 2^l, 3 2^l, 5 2^l, ... for falling l; only those of segments that
/// have none outside so far.
template <class M>
[[nodiscard]] std::vector<segment> leaving(landscape<M>& f, std::vector<trail> const& trails, std::vector<segment> const& segments,
                                           std::size_t samples) {
  struct line {
    trail const* of;
    std::span<float const> from, to;
    std::size_t parts;
    bool outside = false;
  };
  std::vector<line> lines;
  std::size_t most = 1;
  for (segment const& s : segments) {
    trail const& of = trails[s.of];
    std::span<float const> const from = of.anchors.at(s.from), to = of.anchors.at(s.to);
    // Rounding must not make one part more of the straight line.
    double const parts = of.distance > 0 ? distance(from, to) / of.distance * static_cast<double>(samples) * (1 - 1e-12) : 1;
    lines.push_back({&of, from, to, static_cast<std::size_t>(std::ceil(parts))});
    most = std::max(most, lines.back().parts);
  }
  struct point {
    std::size_t line, border;
  };
  for (std::size_t stride = std::bit_ceil(most) / 2; stride > 0; stride /= 2) {
    std::vector<point> points;
    for (std::size_t l = 0; l < lines.size(); ++l)
      if (!lines[l].outside)
        for (std::size_t border = stride; border < lines[l].parts; border += 2 * stride) points.push_back({l, border});
    std::vector<std::uint8_t> outside(points.size());
    f.scores(
        points.size(),
        [&](std::size_t k, std::span<float> to) {
          line const& at = lines[points[k].line];
          between(at.from, at.to, static_cast<double>(points[k].border) / static_cast<double>(at.parts), to);
        },
        [&](std::size_t k, std::span<float const> y) { outside[k] = highest(y) != lines[points[k].line].of->label; });
    for (std::size_t k = 0; k < points.size(); ++k)
      if (outside[k]) lines[points[k].line].outside = true;
  }
  std::vector<segment> result;
  for (std::size_t l = 0; l < lines.size(); ++l)
    if (lines[l].outside) result.push_back(segments[l]);
  return result;
}

/// Splits segments: an anchor more at the midpoint of each, or where DeepFool leads from there if that is outside. Gives the halves of
/// those trails that are still connected, which one is not whose midpoint finds no way into the region.
template <class M>
[[nodiscard]] std::vector<segment> split(landscape<M>& f, std::vector<trail>& trails, std::vector<segment> const& segments,
                                         walk_settings const& how) {
  auto middles = filled<float, 2>({segments.size(), f.length()});
  std::vector<int> targets;
  for (segment const& s : segments) targets.push_back(trails[s.of].label);
  for_rows(segments.size(), f.length(), [&](std::size_t k) {
    auto const& anchors = trails[segments[k].of].anchors;
    between(anchors.at(segments[k].from), anchors.at(segments[k].to), .5, as_view(middles).row(k));
  });
  walked const in = walk(f, as_view(std::as_const(middles)), targets, how);
  for (std::size_t k = 0; k < segments.size(); ++k) {
    trail& of = trails[segments[k].of];
    auto const anchor = as_view(in.ends).row(k);
    if (in.reached[k])
      of.anchors.emplace((segments[k].from + segments[k].to) / 2, std::vector<float>(anchor.begin(), anchor.end()));
    else
      of.connected = false;
  }
  std::vector<segment> halves;
  for (segment const& s : segments) {
    if (!trails[s.of].connected) continue;
    std::uint64_t const middle = (s.from + s.to) / 2;
    halves.push_back({s.of, s.from, middle});
    halves.push_back({s.of, middle, s.to});
  }
  return halves;
}

/// Lays paths between the ends of all trails, depth by depth.
template <class M>
void lay(landscape<M>& f, std::vector<trail>& trails, trail_settings const& how) {
  std::vector<segment> open;
  for (std::size_t t = 0; t < trails.size(); ++t) open.push_back({t, 0, trail::end});
  for (std::size_t depth = 0; !open.empty(); ++depth) {
    open = leaving(f, trails, open, how.samples);
    if (depth == how.depth) {
      for (segment const& s : open) trails[s.of].connected = false;
      break;
    }
    open = split(f, trails, open, how.walk);
  }
}

}  // namespace pareidolia::detail
