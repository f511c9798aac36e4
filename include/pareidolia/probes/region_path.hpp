// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/boundary_walk.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/detail/region_members.hpp>
#include <pareidolia/detail/trails.hpp>
#include <pareidolia/detail/vectors.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/nearest_boundary.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// What a path leads to from an image.
enum class path_partner {
  same_class,  ///< another image of the class
  perturbed,   ///< an image of another class, perturbed into this one
  noise,       ///< pixels uniform in [0, 1], perturbed into this class
};

/// Are classification regions connected? Paths inside one region between two points of it: anchor points joined by straight segments
/// (Fawzi et al. 2018, section 3).
///
/// The straight line is tried first. A segment that leaves the region is split at its midpoint, which is walked into the region by DeepFool
/// where it is outside, and its halves are tried; and so on, `depth` times. Nothing is kept in [0, 1]. A segment is taken to be inside if
/// points at most distance / samples apart are, whatever its length: narrower gaps are not seen. Points are looked at from coarse to fine,
/// those of all pairs side by side, and behind the first one that is outside no finer ones, so that failing costs little. A pair is not
/// connected if one of its segments leaves the region at the last depth, or if a midpoint cannot be walked into it. That proves nothing: a
/// path may be there that was not found.
///
/// We deviate from the paper in `overshoot`. A midpoint on the boundary gives halves that leave a region which bends inwards, on every
/// scale, so that only the distance of the samples ends the splitting. Their dip is a quarter of the one before, so .5 ends it around a
/// ball, but makes longer paths.
///
/// Pairs are drawn without repetition from all that there are; there may be fewer than `pairs`. Class means what the model sees; with
/// labels, only images count that it gets right. Noise is new for each pair, and the images it is paired with differ while there are any.
///
/// Cost: a forward for each image; for each pair samples - 1 forwards if the straight line is inside, and for each split those of its
/// halves and the steps of DeepFool, a forward and a backward each. Memory: the images, and what is split at one depth. Independent of
/// `batch`. Errors: fewer than 2 samples, no pairs, a depth above 30, no overshoot, labels that are not one for each image, images without
/// any pair.
///
///     auto const found = measure(region_path{.random = rng{1}, .to = path_partner::noise}, lenet, digits);
///     double const connected = found.share_connected();
struct region_path {
  rng random;
  path_partner to = path_partner::same_class;
  std::size_t pairs = 100;
  std::size_t samples = 100;  ///< on the straight line between the ends, and as dense everywhere
  std::size_t depth = 10;     ///< how often a segment and its parts may be split; 0: the straight line alone
  float overshoot = .25f;     ///< how much further than DeepFool leads midpoints are moved, as a share of the way
  boundary_search search = {};
  std::size_t batch = 64;

  struct path {
    static constexpr std::size_t no_image = static_cast<std::size_t>(-1);

    std::size_t first = 0, second = no_image;  ///< the images at its ends; there is no second where that is noise
    int label = 0;                             ///< whose region it is in
    bool connected = false;
    double straightness = 0;                              ///< sum_i ||p_i - p_i+1|| / distance, at least 1; infinite where not connected
    double distance = 0;                                  ///< ||p_0 - p_n-1||
    tensor<float, 2> anchors = filled<float, 2>({0, 0});  ///< (n, d), p_0 to p_n-1, both ends among them; as far as found, if not connected
  };

  struct result {
    std::vector<path> paths;
    std::size_t unreached = 0;  ///< pairs without a path to look for: the partner could not be perturbed into the class
    cost spent;

    /// 0 without any path.
    [[nodiscard]] double share_connected() const {
      return share([](path const& p) { return p.connected; });
    }
    /// Connected by the straight line.
    [[nodiscard]] double share_straight() const {
      return share([](path const& p) { return p.connected && p.anchors.shape()[0] == 2; });
    }
    /// Of the connected paths; 0 without any.
    [[nodiscard]] double median_straightness() const {
      auto const s = straightness();
      return s.empty() ? 0 : detail::quantile_of(s, .5);
    }
    [[nodiscard]] double mean_straightness() const {
      auto const s = straightness();
      return s.empty() ? 0 : std::accumulate(s.begin(), s.end(), 0.) / static_cast<double>(s.size());
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      return {{"share of pairs connected", share_connected()},
              {"share of pairs connected by the straight line", share_straight()},
              {"median straightness", median_straightness()},
              {"mean straightness", mean_straightness()}};
    }
    /// "paths" (paths, 7): first, second (-1: noise), label, connected, straightness, distance, number of anchors; "anchors" (sum of these
    /// numbers, d): those of all paths, one after the other.
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      named_array table{prefix + "paths", {paths.size(), 7}, {}}, anchors{prefix + "anchors", {0, 0}, {}};
      for (path const& p : paths) {
        for (double const v :
             {static_cast<double>(p.first), p.second == path::no_image ? -1. : static_cast<double>(p.second), static_cast<double>(p.label),
              static_cast<double>(p.connected), p.straightness, p.distance, static_cast<double>(p.anchors.shape()[0])})
          table.values.push_back(static_cast<float>(v));
        anchors.shape = {anchors.shape[0] + p.anchors.shape()[0], p.anchors.shape()[1]};
        anchors.values.insert(anchors.values.end(), p.anchors.begin(), p.anchors.end());
      }
      return {std::move(table), std::move(anchors)};
    }

   private:
    template <class Is>
    [[nodiscard]] double share(Is const& is) const {
      return paths.empty() ? 0 : static_cast<double>(std::ranges::count_if(paths, is)) / static_cast<double>(paths.size());
    }
    [[nodiscard]] std::vector<double> straightness() const {
      std::vector<double> all;
      for (path const& p : paths)
        if (p.connected) all.push_back(p.straightness);
      return all;
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    check();
    detail::landscape f("region_path", model, batch);
    auto const rows = detail::rows_of(x);
    auto const drawn = draw(detail::region_members(f, as_view(rows), labels));
    auto const [partners, reached] = walk_in(f, drawn, as_view(rows));
    result found;
    std::vector<detail::trail> trails;
    for (std::size_t p = 0; p < drawn.size(); ++p) {
      if (reached[p] == 0) continue;
      found.paths.push_back({.first = drawn[p].first, .second = drawn[p].second, .label = drawn[p].label});
      trails.emplace_back(drawn[p].label, as_view(rows).row(drawn[p].first), as_view(partners).row(p));
    }
    found.unreached = drawn.size() - trails.size();
    detail::lay(f, trails, {.samples = samples, .depth = depth, .walk = {.steps = search.steps, .overshoot = overshoot}});
    for (std::size_t p = 0; p < trails.size(); ++p) {
      path& laid = found.paths[p];
      laid.connected = trails[p].connected;
      laid.straightness = trails[p].straightness();
      laid.distance = trails[p].distance;
      laid.anchors = trails[p].rows();
    }
    found.spent = f.cost();
    return found;
  }

 private:
  void check() const {
    search.check("region_path");
    if (pairs == 0) detail::fail("region_path: pairs is 0; give at least 1");
    if (samples < 2) detail::fail("region_path: samples is ", samples, "; give at least 2, into so many parts a straight line is cut");
    if (!(overshoot > 0)) detail::fail("region_path: overshoot is ", overshoot, "; give a share above 0");
    if (depth > 30) detail::fail("region_path: depth is ", depth, "; give at most 30, a path may have 2^depth segments");
  }

  [[nodiscard]] std::vector<detail::region_pair> draw(std::vector<std::vector<std::size_t>> const& members) const {
    auto const stream = random.fork(0).stream(0);
    auto drawn = to == path_partner::same_class  ? detail::draw_pairs_within(members, stream, pairs)
                 : to == path_partner::perturbed ? detail::draw_pairs_across(members, stream, pairs)
                                                 : detail::draw_unpaired(members, stream, pairs);
    if (drawn.empty())
      detail::fail("region_path: there are no ",
                   to == path_partner::same_class  ? "two images that the model sees one class in"
                   : to == path_partner::perturbed ? "two images that the model sees different classes in"
                                                   : "images",
                   ", as their labels do where there are any; give more images, or no labels");
    return drawn;
  }

  /// The partners of some images in their regions, and whether they got there.
  template <class M>
  [[nodiscard]] std::pair<tensor<float, 2>, std::vector<std::uint8_t>> walk_in(detail::landscape<M>& f,
                                                                               std::vector<detail::region_pair> const& drawn,
                                                                               view<float const, 2> x) const {
    auto partners = filled<float, 2>({drawn.size(), f.length()});
    std::vector<int> targets;
    for (std::size_t p = 0; p < drawn.size(); ++p) {
      auto const partner = as_view(partners).row(p);
      targets.push_back(drawn[p].label);
      auto noise = random.fork(1).stream(p);
      if (to == path_partner::noise)
        for (float& v : partner) v = noise.uniform();
      else
        std::ranges::copy(x.row(drawn[p].second), partner.begin());
    }
    if (to == path_partner::same_class) return {std::move(partners), std::vector<std::uint8_t>(drawn.size(), 1)};
    auto in = detail::walk(f, as_view(std::as_const(partners)), targets, {.steps = search.steps});
    return {std::move(in.ends), std::move(in.reached)};
  }
};

/// n images evenly spaced along a path, by length, the ends among them: (n, channels, height, width). Values may lie outside [0, 1].
/// Errors: n below 2, a shape of another number of values, a path without anchors.
[[nodiscard]] inline tensor<float, 4> path_strip(region_path::path const& path, image_shape const& shape, std::size_t n) {
  auto const anchors = as_view(path.anchors);
  if (n < 2 || anchors.shape[0] < 2 || shape[0] * shape[1] * shape[2] != anchors.shape[1])
    detail::fail("path_strip: ", n, " images of ", shape[0], "x", shape[1], "x", shape[2], " along ", anchors.shape[0], " anchors of ",
                 anchors.shape[1], " values; give at least 2 images of as many values, and a path with anchors");
  std::vector<double> at{0};  // length of the path up to each anchor
  for (std::size_t i = 1; i < anchors.shape[0]; ++i) at.push_back(at.back() + detail::distance(anchors.row(i - 1), anchors.row(i)));
  auto strip = filled<float, 4>({n, shape[0], shape[1], shape[2]});
  std::size_t to = 1;
  for (std::size_t k = 0; k < n; ++k) {
    double const here = at.back() * static_cast<double>(k) / static_cast<double>(n - 1);
    while (to + 1 < at.size() && at[to] < here) ++to;
    double const length = at[to] - at[to - 1];
    detail::between(anchors.row(to - 1), anchors.row(to), length > 0 ? (here - at[to - 1]) / length : 0, as_view(strip).row(k));
  }
  return strip;
}

}  // namespace pareidolia
