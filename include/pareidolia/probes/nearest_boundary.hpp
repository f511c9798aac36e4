// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/boundary_walk.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/vectors.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia {

/// How a boundary is sought.
struct boundary_search {
  std::size_t classes = 10;     ///< of highest score whose boundaries are considered, the own among them
  std::size_t steps = 50;       ///< of DeepFool, at most
  std::size_t refinements = 5;  ///< of the direction, at most

  void check(std::string_view probe) const {
    if (classes < 2) detail::fail(probe, ": classes is ", classes, "; give at least 2, the own class and another");
    if (steps == 0) detail::fail(probe, ": steps is 0; give at least 1");
  }
};

/// Points on the boundaries of classification regions, one near each image. With F = f_other - f_own, F < 0 in the region of the image and
/// F = 0 at the point.
struct boundary_points {
  std::vector<int> own, other;            ///< (images), class of the image, and class beyond
  std::vector<std::uint8_t> reached;      ///< (images), 0 where no boundary was found; the rest of such a row is the image, 0 or infinite
  tensor<float, 2> points, normals;       ///< (images, d), z, and n = grad F / ||grad F|| there, which leads out of the region
  std::vector<double> distances, slopes;  ///< (images), ||z - x|| and ||grad F(z)||

  [[nodiscard]] std::size_t size() const { return own.size(); }
  /// The images whose boundary was found.
  [[nodiscard]] std::vector<std::size_t> found() const {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < size(); ++i)
      if (reached[i]) result.push_back(i);
    return result;
  }
};

namespace detail {

/// The boundary points nearest to the rows of x (n, d). restrict(i, g) projects a gradient at row i on the directions in which it may move.
template <class M, class Restrict = anywhere>
[[nodiscard]] boundary_points find_boundaries(landscape<M>& f, view<float const, 2> x, boundary_search const& how,
                                              Restrict const& restrict = {}) {
  std::size_t const n = x.shape[0], d = x.shape[1];
  walked away = walk(f, x, {}, {.classes = how.classes, .steps = how.steps}, restrict);
  boundary_points result{std::move(away.own),          std::vector<int>(n),
                         std::vector<std::uint8_t>(n), filled<float, 2>({n, d}),
                         filled<float, 2>({n, d}),     std::vector<double>(n, std::numeric_limits<double>::infinity()),
                         std::vector<double>(n)};
  std::copy_n(x.data, x.size(), result.points.data());

  // The rays of some images: those that leave the region nearer than it was known are taken.
  auto const shoot = [&](std::vector<std::size_t> const& who, tensor<float, 2> const& rays) {
    auto from = filled<float, 2>({who.size(), d});
    std::vector<int> own;
    for (std::size_t k = 0; k < who.size(); ++k) {
      std::ranges::copy(x.row(who[k]), as_view(from).row(k).begin());
      own.push_back(result.own[who[k]]);
    }
    auto const hit = cross(f, as_view(std::as_const(from)), as_view(rays), own);
    std::vector<std::size_t> nearer;
    for (std::size_t k = 0; k < who.size(); ++k) {
      std::size_t const i = who[k];
      double const at = hit.t[k] * norm(as_view(rays).row(k));
      if (!(at < result.distances[i])) continue;
      if (!(at < (1 - 1e-4) * result.distances[i]) && result.reached[i]) continue;
      along(x.row(i), hit.t[k], as_view(rays).row(k), as_view(result.points).row(i));
      result.distances[i] = at;
      result.other[i] = hit.other[k];
      result.reached[i] = 1;
      nearer.push_back(i);
    }
    return nearer;
  };
  // grad F at the points of some images.
  auto const look = [&](std::vector<std::size_t> const& who, bool restricted) {
    f.gradients(
        who.size(), 1, [&](std::size_t k, std::span<float> to) { std::ranges::copy(as_view(result.points).row(who[k]), to.begin()); },
        [&](std::size_t k, std::size_t, std::span<float const>) {
          return typename landscape<M>::difference{result.other[who[k]], result.own[who[k]]};
        },
        [&](std::size_t k, std::size_t, std::span<float const>, std::span<float const> g) {
          auto const to = as_view(result.normals).row(who[k]);
          std::ranges::copy(g, to.begin());
          if (restricted) restrict(who[k], to);
          result.slopes[who[k]] = to_unit_length(to);
        });
  };

  std::vector<std::size_t> active;
  for (std::size_t i = 0; i < n; ++i)
    if (away.reached[i]) active.push_back(i);
  auto rays = filled<float, 2>({active.size(), d});
  for (std::size_t k = 0; k < active.size(); ++k) along(as_view(away.ends).row(active[k]), -1, x.row(active[k]), as_view(rays).row(k));
  active = shoot(active, rays);
  // The nearest point of the tangent at z is on the ray along n; where the boundary bends away from that, half-way there.
  for (std::size_t round = 0; round < how.refinements && !active.empty(); ++round) {
    look(active, true);
    std::vector<std::size_t> trying = active, nearer;
    for (double share : {1., .5}) {
      rays = filled<float, 2>({trying.size(), d});
      for (std::size_t k = 0; k < trying.size(); ++k) {
        std::size_t const i = trying[k];
        auto const to = as_view(rays).row(k), z = as_view(result.points).row(i), normal = as_view(result.normals).row(i);
        for (std::size_t j = 0; j < d; ++j)
          to[j] = static_cast<float>(share * double{normal[j]} + (1 - share) * (double{z[j]} - double{x.row(i)[j]}) / result.distances[i]);
        double const length = norm(to);
        for (float& v : to) v = static_cast<float>(double{v} * result.distances[i] / length);
      }
      auto const better = shoot(trying, rays);
      nearer.insert(nearer.end(), better.begin(), better.end());
      std::erase_if(trying, [&](std::size_t i) { return std::ranges::binary_search(better, i); });
      if (trying.empty()) break;
    }
    std::ranges::sort(nearer);
    active = std::move(nearer);
  }
  look(result.found(), false);
  return result;
}

}  // namespace detail

/// Where the region of each image's class ends, nearest to the image: z = x + r(x), r(x) = argmin ||r||_2 with k(x + r) != k(x), as far as
/// it can be found.
///
/// DeepFool leads out of the region; the zero of F on the way there is the first z. Then the ray from x along the normal at z, which goes
/// to the nearest point of the tangent, is tried in place of the last one, for as long as that is nearer: for planes and balls the first is
/// exact, elsewhere z is a local minimum. x + r may leave [0, 1], as in the papers. k(x) is what the model sees; labels are not needed.
///
/// Cost: for each step of DeepFool a forward and classes - 1 backwards, of which there are few; 5 to 10 forwards for each zero; a backward
/// for each refinement and for the last normal. Memory: 5 vectors of d numbers for each image. Errors: fewer than 2 classes, no steps.
///
///     double const near = measure(nearest_boundary{}, lenet, digits).points.distances[0];
struct nearest_boundary {
  boundary_search search = {};
  std::size_t batch = 64;

  struct result {
    boundary_points points;
    cost spent;
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view) const {
    search.check("nearest_boundary");
    detail::landscape f("nearest_boundary", model, batch);
    auto const rows = detail::rows_of(x);
    auto points = detail::find_boundaries(f, as_view(rows), search);
    return {std::move(points), f.cost()};
  }
};

}  // namespace pareidolia
